//! Which of the pod's networks an interface is of.

use super::{
    Request, WhichError,
    assign::{Assignment, Place},
    error,
};

/// The network's index; none: none has stdin's name and type.
pub(super) fn find(
    all: &Assignment<'_>,
    request: &Request<'_>,
) -> Result<Option<usize>, WhichError> {
    let same: Vec<usize> = all
        .networks
        .iter()
        .enumerate()
        .filter(|(_, place)| has_conf(place, request))
        .map(|(index, _)| index)
        .collect();
    let named: Vec<usize> = same
        .iter()
        .copied()
        .filter(|&index| all.networks[index].interface.as_deref() == Some(request.ifname))
        .collect();
    match named[..] {
        [index] => Ok(Some(index)),
        [] => Ok(by_order(all, &same, request)),
        [..] => explicitly(all, &named).map(Some).ok_or_else(|| {
            error::same_interface(
                named.iter().map(|&index| all.networks[index].network),
                request,
            )
        }),
    }
}

/// The one whose name is requested, beside one that Multus calls the same.
fn explicitly(all: &Assignment<'_>, named: &[usize]) -> Option<usize> {
    let is_requested = |index: &&usize| all.networks[**index].network.interface.is_some();
    let mut requested = named.iter().filter(is_requested);
    requested
        .next()
        .filter(|_| requested.next().is_none())
        .copied()
}

fn has_conf(place: &Place<'_>, request: &Request<'_>) -> bool {
    let network = place.network;
    let same_type = network
        .conf_type
        .as_deref()
        .is_none_or(|kind| kind == request.conf_type);
    network.conf_name.as_deref() == Some(request.conf_name) && same_type
}

/// The first of those without a requested name whose device is not another interface's. A position
/// says nothing where Multus attaches networks of the cluster before those of the pod.
fn by_order(all: &Assignment<'_>, same: &[usize], request: &Request<'_>) -> Option<usize> {
    let unnamed = |index: &&usize| all.networks[**index].network.interface.is_none();
    let mut left: Vec<usize> = same.iter().filter(unnamed).copied().collect();
    // The runtime names the default network's interface, Multus those of the others.
    let is_default = |index: &usize| all.networks[*index].network.is_default;
    left.sort_by_key(|index| is_default(index) == is_generated(request.ifname));
    let had = left.iter().find(|&&index| has(all, index, request));
    let free = || left.iter().find(|&&index| is_open(all, index, request));
    had.or_else(free).or(left.last()).copied()
}

fn has(all: &Assignment<'_>, index: usize, request: &Request<'_>) -> bool {
    let device = all.device_of(index);
    device.is_some_and(|device| device.attached_as.as_deref() == Some(request.ifname))
}

fn is_open(all: &Assignment<'_>, index: usize, request: &Request<'_>) -> bool {
    all.device_of(index)
        .is_none_or(|device| device.is_free_for(request.ifname))
}

/// `net<n>`, as Multus names interfaces.
fn is_generated(ifname: &str) -> bool {
    ifname
        .strip_prefix("net")
        .is_some_and(|number| number.parse::<usize>().is_ok())
}
