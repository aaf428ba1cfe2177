mod hosts;

use super::*;
use crate::host::{
    linux::{test_sysfs::TestSysfs, used},
    recording::fixtures,
};

fn bdf(text: &str) -> Bdf {
    text.parse().unwrap()
}

#[test]
fn vfs_have_the_link_type_and_speed_of_their_pf() {
    let tree = TestSysfs::new();
    tree.igb();
    tree.function(
        "0000:00:04.0",
        &[("class", "0x030000"), ("sriov_totalvfs", "7")],
    );
    let found = all(&tree.sysfs());
    let names: Vec<_> = found
        .iter()
        .map(|function| function.id.to_string())
        .collect();
    assert_eq!(
        names,
        ["0000:01:00.0", "0000:01:10.0", "0000:01:10.2"],
        "a graphics card is not a network function"
    );
    let [pf, free, vf] = &found[..] else {
        unreachable!()
    };

    assert_eq!(
        pf.kind,
        FunctionKind::Pf {
            total_vfs: 7,
            num_vfs: 2
        }
    );
    assert_eq!(
        (pf.link_type, pf.link_speed, pf.carrier),
        (Some(LinkType::Ethernet), Some(1000), Some(true))
    );
    assert_eq!(
        (pf.numa_node, pf.pcie_root.as_deref()),
        (None, Some("pci0000:00"))
    );
    assert_eq!(
        pf.binding,
        Binding {
            driver: Some("igb".into()),
            driver_override: None
        }
    );

    let pf_address = bdf("0000:01:00.0");
    assert_eq!(
        vf.vf_address(),
        Some(VfAddress {
            pf: pf_address,
            index: 1
        })
    );
    assert_eq!(
        vf.ids,
        PciIds {
            vendor: 0x8086,
            device: 0x10ca
        }
    );
    assert_eq!(
        vf.binding,
        Binding {
            driver: Some("igbvf".into()),
            driver_override: Some("igbvf".into())
        }
    );
    assert_eq!(
        (vf.netdev.as_ref().unwrap().as_str(), vf.carrier),
        ("ens1v1", None),
        "no carrier file: down"
    );
    assert_eq!((vf.numa_node, vf.iommu_group), (Some(1), Some(21)));

    assert_eq!(
        (free.netdev.as_ref(), free.binding.driver.as_ref()),
        (None, None)
    );
    assert_eq!(
        (free.link_type, free.link_speed),
        (Some(LinkType::Ethernet), Some(1000)),
        "from the PF"
    );
    assert_ne!(free.incarnation, vf.incarnation);
}

#[test]
fn one_function_reads_as_in_the_scan_and_an_absent_one_is_gone() {
    let tree = TestSysfs::new();
    tree.igb();
    tree.function(
        "0000:00:03.0",
        &[
            ("class", "0x030000"),
            ("vendor", "0x1af4"),
            ("device", "0x1000"),
        ],
    );
    let sysfs = tree.sysfs();
    for function in all(&sysfs) {
        assert_eq!(one(&sysfs, &function.id).unwrap(), function);
    }
    let absent = one(&sysfs, &bdf("0000:09:00.0").into()).unwrap_err();
    assert_eq!(
        absent.to_string(),
        "device 0000:09:00.0: look up: is not on this host"
    );
    assert_eq!(absent.kind(), ErrorKind::Gone);
    assert_eq!(
        one(&sysfs, &bdf("0000:00:03.0").into()).unwrap_err().kind(),
        ErrorKind::Gone
    );
}

#[test]
fn a_function_that_cannot_be_read_does_not_hide_the_others() {
    let tree = TestSysfs::new();
    tree.igb();
    tree.function(
        "0000:00:05.0",
        &[("class", "0x020000"), ("sriov_totalvfs", "8")],
    );
    assert_eq!(all(&tree.sysfs()).len(), 3);
}

#[test]
fn the_netdev_is_the_uplink_and_not_a_representor() {
    let tree = TestSysfs::new();
    let pf = tree.function(
        "0000:02:00.0",
        &[
            ("net/a-rep0/phys_port_name", "pf0vf0"),
            ("net/b-rep1/phys_port_name", "pf0sf88"),
            ("net/z-uplink/phys_port_name", "p0"),
        ],
    );
    assert_eq!(netdev(&pf).unwrap().file_name().unwrap(), "z-uplink");
    for (name, uplink) in [
        ("", true),
        ("p1", true),
        ("p0s1", true),
        ("l2p3", true),
        ("l2p3s1", true),
        ("n0", true),
        ("pf", true),
        ("pf0", false),
        ("pf0vf1", false),
        ("pf0sf88", false),
        ("c1pf0", false),
        ("c1pf0vf2", false),
        ("c1pf0sf3", false),
        ("p0pf1vf2", false),
    ] {
        assert_eq!(is_uplink(Some(name)), uplink, "{name}");
    }
}

#[test]
fn a_port_that_is_down_has_no_speed() {
    let tree = TestSysfs::new();
    tree.igb();
    let pf = tree.sysfs().device(&bdf("0000:01:00.0"));
    tree.file(&pf, "net/ens1/speed", "-1");
    assert!(
        all(&tree.sysfs())
            .iter()
            .all(|function| function.link_speed.is_none())
    );
}

/// A recorded host below a directory.
fn recorded(name: &str) -> (tempfile::TempDir, Sysfs) {
    let dir = tempfile::tempdir().unwrap();
    let (_, recording) = fixtures::all()
        .into_iter()
        .find(|(file, _)| file == name)
        .unwrap();
    recording.unpack(dir.path()).unwrap();
    let sysfs = Sysfs::new(dir.path().to_owned());
    (dir, sysfs)
}

#[test]
fn a_sub_function_that_cannot_be_read_hides_neither_its_parent_nor_another() {
    let (_dir, sysfs) = recorded("connectx6dx");
    let parent = bdf("0000:3b:00.0");
    let [lost, kept] = [88, 89].map(|number| DeviceId::Sf { parent, number });
    assert_eq!(
        one(&sysfs, &lost).unwrap().auxiliary(),
        Some("mlx5_core.sf.4")
    );
    let before = all(&sysfs).len();
    std::fs::remove_file(sysfs.device(&parent).join("mlx5_core.sf.4/sfnum")).unwrap();
    let found: Vec<DeviceId> = all(&sysfs).iter().map(|function| function.id).collect();
    assert_eq!(found.len(), before - 1);
    assert!(found.contains(&kept) && found.contains(&parent.into()) && !found.contains(&lost));
    assert_eq!(
        one(&sysfs, &lost).unwrap_err().to_string(),
        "sf 0000:3b:00.0/sf88: look up: is not on this host"
    );
}

#[test]
fn the_device_of_a_netdev_is_found_above_virtio_and_auxiliary_devices() {
    let (_dir, sysfs) = recorded("openstack-guest");
    let below = sysfs.device_of_netdev("ens3").unwrap();
    assert_eq!(used::device_at(&below), Some(bdf("0000:00:03.0").into()));
    let (_dir, sysfs) = recorded("bluefield2");
    let sf = DeviceId::Sf {
        parent: bdf("0000:03:00.0"),
        number: 0,
    };
    assert_eq!(
        used::device_at(&sysfs.device_of_netdev("enp3s0f0s0").unwrap()),
        Some(sf)
    );
    assert_eq!(
        used::device_at(&sysfs.device_of_netdev("p0").unwrap()),
        Some(bdf("0000:03:00.0").into())
    );
}
