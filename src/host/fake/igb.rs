//! A host with two Intel 82576 ports of 7 VFs each, as the lab's nodes have them.

use super::{super::Recording, Fake};
use crate::device::{
    Bdf, Binding, DeviceId, Function, FunctionKind, LinkState, LinkType, Mac, Netdev, NetdevState,
    Observed, PciIds, VfAddress, VfSettings, VlanTag,
};

/// VFs of each port.
const VFS: u8 = 7;
/// `EPROTONOSUPPORT`.
const NO_PROTOCOL: i32 = 93;
/// `EOPNOTSUPP`.
const NO_OPERATION: i32 = 95;

impl Fake {
    /// Two PFs (`0000:01:00.0` and `.1`) with 7 VFs each (from `0000:02:10.0`), all free and bound
    /// to igb and igbvf. As on the real card, 802.1ad and VF link states are unsupported.
    #[must_use]
    pub fn igb() -> Self {
        let fake = Self::new(&Recording::igb());
        fake.refuse("802.1ad", NO_PROTOCOL);
        fake.refuse("link-state", NO_OPERATION);
        fake
    }
}

impl Recording {
    /// The host of [`Fake::igb`].
    #[must_use]
    pub fn igb() -> Self {
        let functions = (0..2).flat_map(|port| {
            std::iter::once(pf(port)).chain((0..VFS).map(move |index| vf(port, index)))
        });
        let mut functions: Vec<Observed> = functions.collect();
        functions.sort_by_key(|observed| observed.function.id);
        Self {
            functions,
            ..Self::default()
        }
    }
}

fn bdf(text: String) -> Bdf {
    text.parse().expect("written here")
}

fn pf_address(port: u8) -> Bdf {
    bdf(format!("0000:01:00.{port}"))
}

fn pf(port: u8) -> Observed {
    let kind = FunctionKind::Pf {
        total_vfs: VFS.into(),
        num_vfs: VFS.into(),
    };
    let mac = Mac([0x52, 0x54, 0, 0, 0, port]);
    let netdev = netdev(u32::from(port) + 2, format!("enp1s0f{port}"), mac, true);
    let function = function(
        pf_address(port),
        0x10c9,
        "igb",
        kind,
        &netdev,
        u32::from(port),
    );
    Observed {
        function,
        netdev: Some(netdev),
        vf: None,
        max_mtu: Some(9216),
        mac: Some(mac),
        unclear_mac: None,
        mirrored: false,
        group: vec![],
    }
}

/// Addresses by `sriov_offset` 384 and `sriov_stride` 2, as on the card.
fn vf(port: u8, index: u8) -> Observed {
    let (device, number) = (0x10 + index / 4, index % 4 * 2 + port);
    let kind = FunctionKind::Vf {
        address: Some(VfAddress {
            pf: pf_address(port),
            index: index.into(),
        }),
    };
    let mac = Mac([0x02, 0, 0, 0, port + 1, index]);
    let ifindex = 10 + u32::from(port) * 10 + u32::from(index);
    let mut netdev = netdev(ifindex, format!("enp1s0f{port}v{index}"), mac, false);
    netdev.state.altnames = vec![format!("port{port}-vf{index}")];
    netdev.state.alias = format!("patch panel {port}, row {index}");
    let function = function(
        bdf(format!("0000:02:{device:02x}.{number}")),
        0x10ca,
        "igbvf",
        kind,
        &netdev,
        u32::from(port),
    );
    let vf = VfSettings {
        mac: Some(Mac::ZERO),
        vlan: Some(VlanTag::default()),
        min_tx_rate: Some(0),
        max_tx_rate: Some(0),
        spoof_chk: Some(true),
        trust: Some(false),
        link_state: Some(LinkState::Auto),
        node_guid: None,
        port_guid: None,
    };
    Observed {
        function,
        netdev: Some(netdev),
        vf: Some(vf),
        max_mtu: Some(9216),
        mac: Some(mac),
        unclear_mac: None,
        mirrored: false,
        group: vec![],
    }
}

fn netdev(ifindex: u32, name: String, mac: Mac, up: bool) -> Netdev {
    let name = name.parse().expect("written here");
    let state = NetdevState {
        name,
        altnames: vec![],
        alias: String::new(),
        mac: Some(mac),
        mtu: 1500,
        up,
    };
    Netdev {
        ifindex,
        state,
        carrier: up.then_some(true),
        addresses: vec![],
    }
}

fn function(
    at: Bdf,
    device: u16,
    driver: &str,
    kind: FunctionKind,
    netdev: &Netdev,
    numa: u32,
) -> Function {
    Function {
        id: DeviceId::Pci(at),
        incarnation: 100 + u64::from(netdev.ifindex),
        kind,
        ids: PciIds {
            vendor: 0x8086,
            device,
        },
        binding: Binding {
            driver: Some(driver.to_owned()),
            driver_override: None,
        },
        netdev: Some(netdev.state.name.clone()),
        link_type: Some(LinkType::Ethernet),
        link_speed: Some(1000),
        carrier: netdev.carrier,
        eswitch: None,
        numa_node: Some(numa),
        pcie_root: Some(format!("pci0000:0{numa}")),
        iommu_group: Some(netdev.ifindex + 20),
        acpi_index: None,
        capabilities: Default::default(),
        yields: Default::default(),
    }
}
