//! All claims of a pod at once: the pod runs on one node, and no two of its claims get the same
//! device.

use std::{borrow::Cow, collections::BTreeSet};

use super::{
    cause::Cause,
    objects::{Claim, Config, Constraint, Devices, Pod, Request},
    placement,
    pod::{PodClaim, title},
    snapshot::Snapshot,
    target::Target,
};

/// The claims that are not allocated, as one, on the node of those that are.
///
/// # Errors
/// The claims are allocated on several nodes.
pub(super) fn target<'a>(
    snapshot: &Snapshot,
    pod: &Pod,
    claims: &'a [PodClaim<'a>],
) -> Result<Target<'a>, Cause> {
    let targets = || {
        claims
            .iter()
            .filter_map(|claim| Some((claim, claim.target.as_ref().ok()?)))
    };
    let nodes = nodes_of(snapshot, targets().filter_map(|(_, target)| target.claim));
    if nodes.len() > 1 {
        let nodes: Vec<&str> = nodes.into_iter().collect();
        let text = format!(
            "its claims are allocated on several nodes: {}",
            nodes.join(", ")
        );
        return Err(Cause::new("nodes", None, text));
    }
    let mut devices = Devices::default();
    let mut names = Vec::new();
    for (claim, target) in targets().filter(|(_, target)| !is_allocated(target)) {
        add(&mut devices, &claim.name, &target.devices);
        names.push(claim.name.as_str());
    }
    let title = match names[..] {
        [one] => format!("claim {one} of {}", title(pod)),
        _ => format!("claims {} of {} together", names.join(", "), title(pod)),
    };
    let node = nodes.first().map(|node| (*node).to_owned());
    let own = placement::node(pod);
    let title = match (&node, &own) {
        (Some(node), Some(own)) if node != own => {
            let text =
                format!("its claims are allocated on {node}, and the pod may run on {own} only");
            return Err(Cause::new("nodes", None, text));
        }
        (Some(node), _) => format!("{title} on {node}, where its other claims are allocated,"),
        (None, _) => title,
    };
    let node = node.or(own);
    Ok(Target {
        claims: names.len(),
        node,
        ..Target::new(title, Cow::Owned(devices))
    })
}

fn is_allocated(target: &Target<'_>) -> bool {
    target
        .claim
        .is_some_and(|claim| claim.status.allocation.is_some())
}

/// The nodes of the devices that the claims have.
fn nodes_of<'s, 'c>(
    snapshot: &'s Snapshot,
    claims: impl Iterator<Item = &'c Claim>,
) -> BTreeSet<&'s str> {
    let allocations = claims.filter_map(|claim| claim.status.allocation.as_ref());
    let results: Vec<_> = allocations
        .flat_map(|allocation| &allocation.devices.results)
        .collect();
    let devices = snapshot.devices().into_iter();
    devices
        .filter(|listed| {
            let name = listed.name();
            results
                .iter()
                .any(|result| result.device.borrowed() == name)
        })
        .filter_map(|listed| listed.node)
        .collect()
}

/// Adds what a claim asks for. Its requests are called `CLAIM.REQUEST`: no name of a request has a
/// dot.
fn add(all: &mut Devices, claim: &str, devices: &Devices) {
    let own = |name: &str| format!("{claim}.{name}");
    // No requests means all of the claim.
    let requests = |names: &[String]| -> Vec<String> {
        match names.is_empty() {
            true => devices
                .requests
                .iter()
                .map(|request| own(&request.name))
                .collect(),
            false => names.iter().map(|name| own(name)).collect(),
        }
    };
    all.requests
        .extend(devices.requests.iter().map(|request| Request {
            name: own(&request.name),
            ..request.clone()
        }));
    all.constraints
        .extend(devices.constraints.iter().map(|constraint| Constraint {
            requests: requests(&constraint.requests),
            ..constraint.clone()
        }));
    all.config
        .extend(devices.config.iter().map(|config| Config {
            requests: requests(&config.requests),
            ..config.clone()
        }));
}

/// The claim's own name of a request.
pub(super) fn of_claim<'r>(request: &'r str, claim: &str) -> Option<&'r str> {
    request.strip_prefix(claim)?.strip_prefix('.')
}
