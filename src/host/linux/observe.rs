//! One device with everything that a plan needs.

use std::path::Path;

use super::{
    Linux,
    functions::{self, netdev},
    link::Link,
    netlink::Socket,
    rdma, sysfs, vf,
};
use crate::{
    device::{Bdf, DeviceId, FunctionKind, Guid, Mac, Netdev, Observed, VfAddress, VfSettings},
    host::{
        ErrorKind, HostError, Result,
        vf_mac::{self, Assigned, Origin},
    },
};

/// Reads the device. A VF needs its PF's netdev in the host's namespace, if its PF has one.
pub(super) fn observe(linux: &Linux, device: &DeviceId) -> Result<Observed> {
    let function = linux.one(device)?;
    let socket = linux.host_socket()?;
    let link = linux.find(&socket, device)?;
    let netdev = link.as_ref().map(|link| link.netdev(&socket)).transpose()?;
    let AtPf {
        held,
        origin,
        max_mtu,
    } = match function.kind {
        FunctionKind::Vf {
            address: Some(address),
        } => from_pf(linux, &socket, &address, netdev.as_ref())?,
        _ => AtPf {
            max_mtu: link.and_then(|link| link.max_mtu),
            ..AtPf::default()
        },
    };
    Ok(Observed {
        unclear_mac: origin.and_then(|origin| origin.unclear),
        mirrored: origin.is_some_and(|origin| origin.mirrored),
        mac: effective_mac(netdev.as_ref(), held.as_ref()),
        function,
        netdev,
        vf: held,
        max_mtu,
        group: functions::members(&linux.sysfs, &linux.sysfs.device(&device.pci())),
    })
}

/// What a VF's PF knows: nothing of a PF whose driver makes no netdev (vfio-pci, pci-pf-stub,
/// InfiniBand without IPoIB).
#[derive(Default)]
struct AtPf {
    held: Option<VfSettings>,
    /// Whose the reported MAC is.
    origin: Option<Origin>,
    max_mtu: Option<u32>,
}

fn from_pf(
    linux: &Linux,
    socket: &Socket,
    address: &VfAddress,
    netdev: Option<&Netdev>,
) -> Result<AtPf> {
    if !functions::has_netdev(&linux.sysfs.device(&address.pf)) {
        return Ok(AtPf::default());
    }
    let pf = uplink(linux, socket, &address.pf)?;
    let failed = |error: super::netlink::NetlinkError| {
        error.at(linux.sysfs.vf_subject(address), "read settings")
    };
    let mut held = vf::read(socket, pf.index, address.index).map_err(failed)?;
    if let Some(held) = &mut held {
        read_by_driver(linux, address, held);
    }
    let mut origin = None;
    if let Some(VfSettings { mac: Some(mac), .. }) = &mut held {
        let own = netdev.and_then(|netdev| netdev.state.mac);
        let assigned = addr_assign_type(linux, address, netdev).map(Assigned::of);
        let seen = vf_mac::origin(*mac, own, assigned);
        (*mac, origin) = (seen.administrator, Some(seen));
    }
    Ok(AtPf {
        held,
        origin,
        max_mtu: Some(pf.mtu),
    })
}

/// mlx5 reports only GUIDs that were set since its PF's driver was started: of those that the
/// firmware had, the VF's own driver knows.
fn read_by_driver(linux: &Linux, address: &VfAddress, held: &mut VfSettings) {
    let unset = Some(Guid::ZERO);
    if held.node_guid != unset && held.port_guid != unset {
        return;
    }
    let pf = linux.sysfs.device(&address.pf);
    let (node, port) = rdma::guids(&pf.join(format!("virtfn{}", address.index)));
    if held.node_guid == unset {
        held.node_guid = node.or(unset);
    }
    if held.port_guid == unset {
        held.port_guid = port.or(unset);
    }
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
    use crate::{
        device::NetdevState,
        host::{GenlInfo, Kernel, linux::test_sysfs::TestSysfs},
    };

    #[test]
    fn a_vf_is_seen_without_a_netdev_of_its_pf_unless_that_is_in_another_namespace() {
        let tree = TestSysfs::new();
        tree.igb();
        let (pf, vf) = ("0000:01:00.0", "0000:01:10.0");
        let linux = Linux::recorded(tree.sysfs().root().to_owned(), GenlInfo::default());
        let observe = || linux.observe(&DeviceId::Pci(vf.parse().unwrap()));
        let net = tree.sysfs().device(&pf.parse().unwrap()).join("net");
        std::fs::remove_dir_all(net.join("ens1")).unwrap();
        assert_eq!(observe().unwrap_err().kind(), ErrorKind::Gone);
        std::fs::remove_dir(net).unwrap();
        let observed = observe().unwrap();
        assert_eq!((observed.vf, observed.max_mtu), (None, None));
    }

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
