//! The claims of a pod: existing ones, those from templates, and that of its extended resources.

use super::{
    ExplainError,
    objects::{Pod, PodClaim},
    snapshot::Snapshot,
    target::{self, Target, is_at},
};

/// A claim of a pod.
pub(super) enum PodTarget<'a> {
    /// The claim, or the template that it will be created from.
    Found(Target<'a>),
    /// What should exist, and what does not.
    Missing(String, String),
}

/// All claims of a pod.
pub(super) fn targets<'a>(
    snapshot: &'a Snapshot,
    namespace: &str,
    name: &str,
) -> Result<Vec<PodTarget<'a>>, ExplainError> {
    let (name, namespace) = (name.to_owned(), namespace.to_owned());
    let found = snapshot
        .pods
        .iter()
        .find(|pod| is_at(&pod.metadata, &namespace, &name));
    let Some(pod) = found else {
        return Err(ExplainError::NoPod { name, namespace });
    };
    let of_spec = pod.spec.resource_claims.iter();
    let mut all: Vec<_> = of_spec
        .filter_map(|claim| target_of(snapshot, pod, claim))
        .collect();
    let extended = pod.status.extended_resource_claim_status.as_ref();
    all.extend(extended.map(|status| named(snapshot, &namespace, &status.resource_claim_name)));
    if all.is_empty() {
        return Err(ExplainError::NoClaims { name, namespace });
    }
    Ok(all)
}

/// `None`: the pod needs no claim there, as its status says.
fn target_of<'a>(snapshot: &'a Snapshot, pod: &Pod, claim: &PodClaim) -> Option<PodTarget<'a>> {
    let namespace = &pod.metadata.namespace;
    if let Some(name) = &claim.resource_claim_name {
        return Some(named(snapshot, namespace, name));
    }
    let mut statuses = pod.status.resource_claim_statuses.iter();
    match statuses.find(|status| status.name == claim.name) {
        Some(status) => Some(named(
            snapshot,
            namespace,
            status.resource_claim_name.as_deref()?,
        )),
        None => Some(from_template(snapshot, pod, claim)),
    }
}

fn named<'a>(snapshot: &'a Snapshot, namespace: &str, name: &str) -> PodTarget<'a> {
    match target::claim(snapshot, namespace, name) {
        Some(found) => PodTarget::Found(found),
        None => PodTarget::Missing(
            format!("claim {namespace}/{name}"),
            format!("ResourceClaim {name} does not exist in namespace {namespace}"),
        ),
    }
}

fn from_template<'a>(snapshot: &'a Snapshot, pod: &Pod, claim: &PodClaim) -> PodTarget<'a> {
    let namespace = &pod.metadata.namespace;
    let template = claim
        .resource_claim_template_name
        .as_deref()
        .unwrap_or_default();
    let title = format!(
        "claim {} of pod {namespace}/{}, not created yet",
        claim.name, pod.metadata.name
    );
    match target::template(snapshot, namespace, template) {
        Some(found) => PodTarget::Found(Target { title, ..found }),
        None => PodTarget::Missing(
            title,
            format!("ResourceClaimTemplate {template} does not exist in namespace {namespace}"),
        ),
    }
}
