//! One device with everything that a plan needs.

use std::path::Path;

use super::{Linux, functions::netdev, link::Link, netlink::Socket, sysfs, vf};
use crate::{
    device::{Bdf, DeviceId, FunctionKind, Mac, Netdev, Observed, VfAddress, VfSettings},
    host::{ErrorKind, HostError, Result},
};

/// Reads the device. A VF needs its PF's netdev in the host's namespace.
pub(super) fn observe(linux: &Linux, device: &DeviceId) -> Result<Observed> {
    let function = linux.one(device)?;
    let socket = linux.host_socket()?;
    let link = linux.find(&socket, device)?;
    let netdev = link.as_ref().map(|link| link.netdev(&socket)).transpose()?;
    let (held, max_mtu) = match function.kind {
        FunctionKind::Vf {
            address: Some(address),
        } => from_pf(linux, &socket, &address, netdev.as_ref())?,
        _ => (None, link.and_then(|link| link.max_mtu)),
    };
    Ok(Observed {
        mac: effective_mac(netdev.as_ref(), held.as_ref()),
        function,
        netdev,
        vf: held,
        max_mtu,
    })
}

/// What the PF stores for the VF, and the PF's MTU.
fn from_pf(
    linux: &Linux,
    socket: &Socket,
    address: &VfAddress,
    netdev: Option<&Netdev>,
) -> Result<(Option<VfSettings>, Option<u32>)> {
    let pf = uplink(linux, socket, &address.pf)?;
    let failed = |error: super::netlink::NetlinkError| {
        error.at(linux.sysfs.vf_subject(address), "read settings")
    };
    let mut held = vf::read(socket, pf.index, address.index).map_err(failed)?;
    if let Some(held) = &mut held {
        held.mac = held
            .mac
            .map(|mac| admin_mac(mac, netdev, addr_assign_type(linux, address, netdev)));
    }
    Ok((held, Some(pf.mtu)))
}

/// The link of a PF, through which its VFs are configured.
pub(super) fn uplink(linux: &Linux, socket: &Socket, pf: &Bdf) -> Result<Link> {
    let gone = || {
        let text = "has no netdev in the host's network namespace, and VFs are set through it";
        HostError::of_kind(ErrorKind::Gone, format!("pf {pf}"), "look up netdev", text)
    };
    linux.find(socket, &(*pf).into())?.ok_or_else(gone)
}

/// How the VF's netdev got its address: `addr_assign_type` of sysfs (`NET_ADDR_*` of
/// linux/netdevice.h).
fn addr_assign_type(linux: &Linux, address: &VfAddress, netdev: Option<&Netdev>) -> Option<u8> {
    let pf = linux.sysfs.device(&address.pf);
    let dir = pf
        .join(format!("virtfn{}/net", address.index))
        .join(netdev?.state.name.as_str());
    sysfs::parse(&dir, "addr_assign_type")
}

/// `NET_ADDR_PERM` (linux/netdevice.h): the device's permanent address.
const PERMANENT: u8 = 0;

/// The administrative MAC, derived from what the PF reports. A VF without one generates a random
/// address and passes it to its PF over the mailbox, and the PF then reports that address: it was
/// not set by an administrator and must not be restored as if it were.
fn admin_mac(reported: Mac, netdev: Option<&Netdev>, assigned: Option<u8>) -> Mac {
    let mirrored = netdev.is_some_and(|netdev| netdev.state.mac == Some(reported));
    let random = assigned.is_some_and(|how| how != PERMANENT);
    if mirrored && random {
        Mac::ZERO
    } else {
        reported
    }
}

/// The MAC that a pod sees if its claim sets none.
fn effective_mac(netdev: Option<&Netdev>, held: Option<&VfSettings>) -> Option<Mac> {
    let own = netdev.and_then(|netdev| netdev.state.mac);
    own.or_else(|| held.and_then(|held| held.mac))
        .filter(|mac| *mac != Mac::ZERO)
}

/// Ifindexes of the device's netdev in the host's sysfs, to try first.
pub(super) fn hints(dir: &Path) -> Vec<u32> {
    netdev(dir)
        .and_then(|dir| sysfs::parse(&dir, "ifindex"))
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::NetdevState;

    const OWN: Mac = Mac([2, 0, 0, 0, 0, 1]);
    const GIVEN: Mac = Mac([2, 0, 0, 0, 0, 2]);

    fn netdev(mac: Mac) -> Netdev {
        let state = NetdevState {
            name: "ens1v0".parse().unwrap(),
            altnames: vec![],
            alias: String::new(),
            mac: Some(mac),
            mtu: 1500,
            up: false,
        };
        Netdev {
            ifindex: 5,
            state,
            carrier: None,
            addresses: vec![],
        }
    }

    #[test]
    fn a_random_address_of_the_vf_is_not_administrative() {
        for random in [1, 2, 3] {
            assert_eq!(admin_mac(OWN, Some(&netdev(OWN)), Some(random)), Mac::ZERO);
        }
        assert_eq!(
            admin_mac(GIVEN, Some(&netdev(GIVEN)), Some(PERMANENT)),
            GIVEN,
            "read by the VF at probe"
        );
        assert_eq!(
            admin_mac(GIVEN, Some(&netdev(OWN)), Some(1)),
            GIVEN,
            "set, and not yet read by the VF"
        );
        assert_eq!(
            admin_mac(GIVEN, None, None),
            GIVEN,
            "no netdev to compare with"
        );
        assert_eq!(admin_mac(Mac::ZERO, None, None), Mac::ZERO);
    }

    #[test]
    fn a_pod_sees_the_netdevs_address_else_the_administrators() {
        let held = |mac| VfSettings {
            mac: Some(mac),
            ..VfSettings::default()
        };
        assert_eq!(
            effective_mac(Some(&netdev(OWN)), Some(&held(GIVEN))),
            Some(OWN)
        );
        assert_eq!(effective_mac(None, Some(&held(GIVEN))), Some(GIVEN));
        assert_eq!(effective_mac(None, Some(&held(Mac::ZERO))), None);
    }
}
