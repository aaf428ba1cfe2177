//! The claim for a pod's extended resources, which the scheduler creates once it has found a node.

use std::{borrow::Cow, collections::BTreeMap};

use super::{
    objects::{Class, Container, Devices, Pod, Request, RequestSpec},
    snapshot::Snapshot,
    target::Target,
};
use crate::selector::Quantity;

/// Before the name of a class: every class can be requested in this way.
const IMPLICIT: &str = "deviceclass.resource.kubernetes.io/";

/// The claim for the extended resources that classes have; `None`: the pod requests none. `whose`
/// names the pod.
pub(super) fn claim<'a>(snapshot: &Snapshot, pod: &Pod, whose: &str) -> Option<Target<'a>> {
    let mut devices = Devices::default();
    let mut names = Vec::new();
    for (resource, count) in requested(pod) {
        if let Some(class) = class_of(snapshot, &resource) {
            devices.requests.push(request(class, count));
            names.push(resource);
        }
    }
    let title = format!("claim for {} of {whose}, not created yet", names.join(", "));
    let note =
        "a node whose device plugin offers the resource needs no claim; that is not evaluated";
    let others = of_no_class(snapshot, pod);
    (!names.is_empty()).then(|| Target {
        notes: std::iter::once(note.to_owned()).chain(others).collect(),
        ..Target::new(title, Cow::Owned(devices))
    })
}

/// Those that a device plugin has to offer.
fn of_no_class(snapshot: &Snapshot, pod: &Pod) -> Option<String> {
    let names = requested(pod).into_keys();
    let names: Vec<String> = names
        .filter(|name| class_of(snapshot, name).is_none())
        .collect();
    (!names.is_empty()).then(|| {
        let names = names.join(", ");
        format!("no DeviceClass has the extended resource {names}: a device plugin has to offer it")
    })
}

/// Why there is no claim for the extended resources of a pod.
pub(super) fn none(pod: &Pod) -> String {
    let names: Vec<String> = requested(pod).into_keys().collect();
    match names.is_empty() {
        true => "nor does it request extended resources".to_owned(),
        false => format!(
            "no DeviceClass has its extended resources {}",
            names.join(", ")
        ),
    }
}

/// The extended resources of a pod. Init containers run one after another, before the others;
/// those that are restarted (sidecars) stay.
fn requested(pod: &Pod) -> BTreeMap<String, usize> {
    let (mut staying, mut initial) = (BTreeMap::new(), BTreeMap::<String, usize>::new());
    for container in &pod.spec.init_containers {
        let sidecar = container.restart_policy.as_deref() == Some("Always");
        for (name, count) in resources(container) {
            match sidecar {
                true => *staying.entry(name).or_default() += count,
                false => {
                    let most = initial.entry(name).or_default();
                    *most = (*most).max(count);
                }
            }
        }
    }
    for (name, count) in pod.spec.containers.iter().flat_map(resources) {
        *staying.entry(name).or_default() += count;
    }
    for (name, count) in initial {
        let most: &mut usize = staying.entry(name).or_default();
        *most = (*most).max(count);
    }
    staying
}

/// Names with a domain other than Kubernetes' own. Requests of extended resources equal limits.
fn resources(container: &Container) -> Vec<(String, usize)> {
    let all = container
        .resources
        .limits
        .iter()
        .chain(&container.resources.requests);
    let extended = all.filter(|(name, _)| {
        name.split_once('/').is_some_and(|(domain, _)| {
            name.starts_with(IMPLICIT) || !format!(".{domain}").ends_with(".kubernetes.io")
        })
    });
    let counts: BTreeMap<&String, usize> = extended
        .map(|(name, amount)| (name, count(amount)))
        .collect();
    let some = counts.into_iter().filter(|(_, count)| *count > 0);
    some.map(|(name, count)| (name.clone(), count)).collect()
}

/// Extended resources are whole numbers; the API writes them as strings.
fn count(amount: &serde_json::Value) -> usize {
    let text = amount
        .as_str()
        .map_or_else(|| amount.to_string(), str::to_owned);
    let whole = Quantity::parse(&text).and_then(Quantity::whole);
    whole.map_or(1, |count| usize::try_from(count).unwrap_or(0))
}

/// Of several classes with that resource, the scheduler takes the one created last.
fn class_of<'a>(snapshot: &'a Snapshot, resource: &str) -> Option<&'a Class> {
    if let Some(name) = resource.strip_prefix(IMPLICIT) {
        return snapshot.classes.get(name);
    }
    let mut classes: Vec<&Class> = snapshot.classes.values().collect();
    classes.retain(|class| class.spec.extended_resource_name.as_deref() == Some(resource));
    // The first by name, if several were created last.
    classes.reverse();
    classes
        .into_iter()
        .max_by_key(|class| class.metadata.creation_timestamp.clone())
}

fn request(class: &Class, count: usize) -> Request {
    Request {
        name: class.metadata.name.clone(),
        exactly: Some(RequestSpec {
            device_class_name: class.metadata.name.clone(),
            count: Some(count),
            ..RequestSpec::default()
        }),
        first_available: Vec::new(),
    }
}
