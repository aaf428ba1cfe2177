//! The netdevs of a function in the host's namespace.
//!
//! ```text
//!  0000:3b:00.0/net/enp59s0     dev_port 0                  one function, two ports (mlx4, mana, cxgb4)
//!                  /enp59s0d1   dev_port 1
//!                  /enp59s0npf0vf1  phys_port_name pf0vf1   a representor: not its own
//! ```

use std::path::{Path, PathBuf};

use crate::{
    device::{IfName, LinkType},
    host::linux::sysfs,
};

/// The directory of the function's first netdev.
pub(in crate::host::linux) fn netdev(dir: &Path) -> Option<PathBuf> {
    netdevs(dir).into_iter().next()
}

/// The directories of the function's own netdevs, by port: not those of the representors of its VFs
/// and SFs.
pub(super) fn netdevs(dir: &Path) -> Vec<PathBuf> {
    let Some(net) = net(dir) else {
        return vec![];
    };
    let all = sysfs::list(&net).into_iter().map(|name| net.join(name));
    let mut own: Vec<PathBuf> = all
        .filter(|dir| is_uplink(sysfs::read(dir, "phys_port_name").as_deref()))
        .collect();
    own.sort_by_cached_key(|dir| {
        (
            sysfs::parse::<u32>(dir, "dev_port").unwrap_or(0),
            dir.clone(),
        )
    });
    own
}

/// Whether the function has a netdev, in whatever namespace.
pub(in crate::host::linux) fn has_netdev(dir: &Path) -> bool {
    net(dir).is_some()
}

/// The directory that has the function's netdevs; none while it has none in any namespace.
///
/// It is not tagged with a namespace, only its entries are, so it is there, and empty, while the
/// netdevs are in pods; it goes with the last netdev (`get_device_parent`, `cleanup_glue_dir` in
/// `drivers/base/core.c`).
pub(super) fn net(dir: &Path) -> Option<PathBuf> {
    let of = |dir: &Path| Some(dir.join("net")).filter(|net| net.is_dir());
    of(dir).or_else(|| of(&dir.join(virtio(dir)?)))
}

/// `virtio3`: the virtio device between a PCI function and its netdev.
pub(in crate::host::linux) fn virtio(dir: &Path) -> Option<String> {
    if sysfs::link_name(&dir.join("driver"))? != "virtio-pci" {
        return None;
    }
    let numbered = |name: &String| {
        name.strip_prefix("virtio")
            .is_some_and(|number| number.parse::<u32>().is_ok())
    };
    sysfs::list(dir).into_iter().find(numbered)
}

/// A netdev's name.
pub(super) fn if_name(netdev: &Path) -> Option<IfName> {
    Some(IfName::of_kernel(netdev.file_name()?.to_str()?))
}

pub(super) fn name<T: std::str::FromStr>(dir: &Path) -> Option<T> {
    dir.file_name()?.to_str()?.parse().ok()
}

/// Whether a netdev with this `phys_port_name` is a port of the function that it belongs to.
///
/// Representors are named by the function that they stand for: `pf0`, `pf0vf1`, `pf0sf88`, with a
/// controller `c1pf0vf2` (`__devlink_port_phys_port_name_get` in `net/devlink/port.c`), with a port
/// `p0pf0vf1` (sfc). All else is a port: `p0`, split `p0s1`, on a line card `l1p2s3`, or without
/// name.
pub(in crate::host::linux) fn is_uplink(phys_port_name: Option<&str>) -> bool {
    phys_port_name.is_none_or(|name| !is_function(name))
}

/// Whether the name has parts, each of letters and a number, of which one is `pf`.
fn is_function(name: &str) -> bool {
    let mut rest = name;
    let mut found = false;
    while let Some((letters, after)) = part(rest) {
        found |= letters == "pf";
        rest = after;
    }
    found && rest.is_empty()
}

/// `pf` and what follows, of `pf0vf1`.
fn part(text: &str) -> Option<(&str, &str)> {
    let number = text.find(|c: char| !c.is_ascii_lowercase())?;
    let (letters, rest) = text.split_at(number);
    let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    (!letters.is_empty() && after.len() < rest.len()).then_some((letters, after))
}

/// ARPHRD_ETHER, ARPHRD_INFINIBAND.
pub(super) fn link_type(netdev: &Path) -> Option<LinkType> {
    match sysfs::parse::<u32>(netdev, "type")? {
        1 => Some(LinkType::Ethernet),
        32 => Some(LinkType::Infiniband),
        _ => None,
    }
}

/// The carrier. Reading it fails with EINVAL while the link is down (`carrier_show` in
/// `net/core/net-sysfs.c`).
pub(super) fn carrier(netdev: &Path) -> Option<bool> {
    sysfs::parse::<u8>(netdev, "carrier").map(|carrier| carrier == 1)
}
