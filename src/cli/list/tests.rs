use crate::device::{Bdf, Binding, Function, FunctionKind, LinkType, PciIds, VfAddress};

use super::*;

fn function(address: &str, kind: FunctionKind) -> Function {
    Function {
        id: address.parse::<Bdf>().unwrap().into(),
        incarnation: 1,
        kind,
        ids: PciIds { vendor: 0x8086, device: 0x10c9 },
        binding: Binding { driver: Some("igb".to_owned()), driver_override: None },
        netdev: Some("eth0".parse().unwrap()),
        link_type: Some(LinkType::Ethernet),
        link_speed: Some(1000),
        carrier: Some(true),
        eswitch: None,
        numa_node: Some(1),
        pcie_root: None,
        iommu_group: Some(7),
        acpi_index: None,
        abilities: Default::default(),
    }
}

#[test]
fn vfs_stand_under_their_pf_by_index_with_their_holders() {
    let pf: Bdf = "0000:01:00.0".parse().unwrap();
    let vf = |index| FunctionKind::Vf { address: Some(VfAddress { pf, index }) };
    let functions = [
        function("0000:01:10.2", vf(1)),
        function("0000:01:10.0", vf(0)),
        function("0000:01:00.0", FunctionKind::Pf { total_vfs: 7, num_vfs: 2 }),
        function("0000:00:05.0", FunctionKind::Vf { address: None }),
    ];
    let holder = Holder { claim: "shop/net".to_owned(), pod: Some("shop/upf-0".to_owned()) };
    let holders = Holders::from([(functions[0].id, holder)]);
    insta::assert_snapshot!(table(&functions, &holders, false), @r#"
    DEVICE          TYPE            NETDEV  DRIVER  LINK           CLAIM     POD
    0000:01:00.0    pf, 2 of 7 VFs  eth0    igb     up, 1000 Mb/s  -         -
      0000:01:10.0  vf 0            eth0    igb     up             -         -
      0000:01:10.2  vf 1            eth0    igb     up             shop/net  shop/upf-0
    0000:00:05.0    vf              eth0    igb     up             -         -
    "#);
}

#[test]
fn an_empty_host_is_told_so() {
    assert_eq!(table(&[], &Holders::new(), false), "no SR-IOV functions on this host\n");
}
