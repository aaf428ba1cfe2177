//! The claims of a pod: existing ones, those from templates, and that of its extended resources.

use super::{
    ExplainError,
    cause::Cause,
    extended, limit,
    objects::{self, Pod},
    placement,
    snapshot::Snapshot,
    target::{self, Target, is_at},
};

/// What the claim for extended resources is called beside the pod's own.
const EXTENDED: &str = "extended-resources";

/// A claim of a pod.
pub(super) struct PodClaim<'a> {
    /// Its name in the pod, a DNS label.
    pub(super) name: String,
    /// `claim shop/net`.
    pub(super) title: String,
    /// The claim, or what it will be created from; else what does not exist.
    pub(super) target: Result<Target<'a>, Cause>,
}

/// The pod of this name.
pub(super) fn find<'a>(
    snapshot: &'a Snapshot,
    namespace: &str,
    name: &str,
) -> Result<&'a Pod, ExplainError> {
    let mut pods = snapshot.pods.iter();
    let found = pods.find(|pod| is_at(&pod.metadata, namespace, name));
    found.ok_or_else(|| ExplainError::NoPod {
        name: name.to_owned(),
        namespace: namespace.to_owned(),
    })
}

/// `pod shop/upf-0`.
pub(super) fn title(pod: &Pod) -> String {
    let namespace = objects::or_default(&pod.metadata.namespace);
    format!("pod {namespace}/{}", pod.metadata.name)
}

/// All claims of a pod.
pub(super) fn claims<'a>(
    snapshot: &'a Snapshot,
    pod: &'a Pod,
) -> Result<Vec<PodClaim<'a>>, ExplainError> {
    let of_spec = pod.spec.resource_claims.iter();
    let mut all: Vec<_> = of_spec
        .filter_map(|claim| of_entry(snapshot, pod, claim))
        .collect();
    match &pod.status.extended_resource_claim_status {
        Some(status) => all.push(named(snapshot, pod, EXTENDED, &status.resource_claim_name)),
        None => all.extend(extended::claim(snapshot, pod, &title(pod)).map(of_extended)),
    }
    match all.is_empty() {
        false => {
            all.iter_mut().for_each(|claim| place(claim, pod));
            Ok(all)
        }
        true => Err(ExplainError::NoClaims {
            name: pod.metadata.name.clone(),
            namespace: objects::or_default(&pod.metadata.namespace).to_owned(),
            resources: extended::none(pod),
        }),
    }
}

/// Evaluates what is not allocated yet only where the pod may run.
fn place(claim: &mut PodClaim<'_>, pod: &Pod) {
    let Ok(target) = &mut claim.target else {
        return;
    };
    let allocation = target.claim.and_then(|it| it.status.allocation.as_ref());
    if allocation.is_some() {
        return;
    }
    target.node = placement::node(pod);
    target.notes.extend(placement::note(pod));
    // A device plugin may serve extended resources on a node that the pod is bound to.
    if claim.name != EXTENDED
        && let Some(cause) = placement::bound(pod)
    {
        claim.target = Err(cause);
    }
}

fn of_extended(target: Target<'_>) -> PodClaim<'_> {
    PodClaim {
        name: EXTENDED.to_owned(),
        title: target.title.clone(),
        target: Ok(target),
    }
}

/// `None`: the pod needs no claim there, as its status says.
fn of_entry<'a>(
    snapshot: &'a Snapshot,
    pod: &'a Pod,
    claim: &objects::PodClaim,
) -> Option<PodClaim<'a>> {
    if let Some(existing) = &claim.resource_claim_name {
        return Some(named(snapshot, pod, &claim.name, existing));
    }
    let mut statuses = pod.status.resource_claim_statuses.iter();
    match statuses.find(|status| status.name == claim.name) {
        Some(status) => {
            let existing = status.resource_claim_name.as_deref()?;
            Some(named(snapshot, pod, &claim.name, existing))
        }
        None => Some(from_template(snapshot, pod, claim)),
    }
}

fn named<'a>(snapshot: &'a Snapshot, pod: &Pod, name: &str, existing: &str) -> PodClaim<'a> {
    let namespace = objects::or_default(&pod.metadata.namespace);
    let target = target::claim(snapshot, namespace, existing).ok_or_else(|| {
        let text = format!("ResourceClaim {existing} does not exist in namespace {namespace}");
        Cause::new("claimMissing", None, text)
    });
    let open = |target: Target<'a>| {
        let claim = target.claim;
        let full = claim.and_then(|claim| limit::reserved(claim, &pod.metadata.name));
        full.map_or(Ok(target), |text| Err(Cause::new("tooMany", None, text)))
    };
    PodClaim {
        name: name.to_owned(),
        title: format!("claim {namespace}/{existing}"),
        target: target.and_then(open),
    }
}

fn from_template<'a>(snapshot: &'a Snapshot, pod: &Pod, claim: &objects::PodClaim) -> PodClaim<'a> {
    let namespace = objects::or_default(&pod.metadata.namespace);
    let template = claim
        .resource_claim_template_name
        .as_deref()
        .unwrap_or_default();
    let title = format!("claim {} of {}, not created yet", claim.name, title(pod));
    let missing = || {
        let text =
            format!("ResourceClaimTemplate {template} does not exist in namespace {namespace}");
        Cause::new("claimMissing", None, text)
    };
    let found = target::template(snapshot, namespace, template);
    PodClaim {
        name: claim.name.clone(),
        title: title.clone(),
        target: found
            .map(|found| Target { title, ..found })
            .ok_or_else(missing),
    }
}
