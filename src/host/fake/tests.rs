use super::*;
use crate::{
    device::{Mac, VlanTag},
    host::ErrorKind,
};

const POD: &str = "/var/run/netns/pod";

fn vf(index: u8) -> DeviceId {
    DeviceId::from_name(&format!("0000-02-10-{}", index * 2)).unwrap()
}

fn address(index: u32) -> VfAddress {
    VfAddress {
        pf: "0000:01:00.0".parse().unwrap(),
        index,
    }
}

fn host_netns(fake: &Fake) -> Netns {
    fake.open_netns(Path::new("/proc/1/ns/net")).unwrap()
}

fn soon() -> Deadline {
    Deadline::after(std::time::Duration::from_secs(1))
}

fn mac(fake: &Fake) -> Option<Mac> {
    fake.observe(&vf(0)).unwrap().mac
}

#[test]
fn a_vf_reads_the_administrative_mac_at_probe_and_has_a_random_one_without() {
    let fake = Fake::igb();
    let (own, given) = (mac(&fake), Mac([2, 0, 0, 0, 0, 9]));
    fake.set_vf(&address(0), &VfSetting::Mac(given)).unwrap();
    assert_eq!(mac(&fake), own);
    fake.reprobe(&vf(0)).unwrap();
    assert_eq!(mac(&fake), Some(given));
    let other = LinkSetting::Mac(Mac([2, 0, 0, 0, 0, 8]));
    assert_eq!(
        fake.set_link(&vf(0), &host_netns(&fake), &other)
            .unwrap_err()
            .kind(),
        ErrorKind::Invalid
    );
    fake.set_vf(&address(0), &VfSetting::Mac(Mac::ZERO))
        .unwrap();
    assert_eq!(mac(&fake), Some(given));
    fake.reprobe(&vf(0)).unwrap();
    assert!(mac(&fake) != Some(given) && mac(&fake) != own);
    fake.set_link(&vf(0), &host_netns(&fake), &other).unwrap();
}

#[test]
fn destroying_a_namespace_returns_the_netdev_under_the_pods_name() {
    let fake = Fake::igb();
    let pod = fake.add_netns(Path::new(POD));
    let name: IfName = "net1".parse().unwrap();
    fake.set_link(&vf(0), &host_netns(&fake), &LinkSetting::Up(true))
        .unwrap();
    for _ in 0..2 {
        fake.move_link(&vf(0), &host_netns(&fake), &pod, &name)
            .unwrap();
    }
    let netdev = fake.link(&vf(0), &pod).unwrap().unwrap();
    assert_eq!(
        (netdev.state.name.as_str(), netdev.state.up),
        ("net1", false)
    );
    assert_eq!(fake.observe(&vf(0)).unwrap().netdev, None);
    let busy = fake
        .move_link(&vf(1), &host_netns(&fake), &pod, &name)
        .unwrap_err();
    assert_eq!(busy.kind(), ErrorKind::Busy);
    fake.leak_netns(Path::new(POD));
    assert_eq!(
        fake.open_netns(Path::new(POD)).unwrap_err().kind(),
        ErrorKind::Gone
    );
    assert_eq!(fake.observe(&vf(0)).unwrap().netdev, None);
    fake.release_leaked_netns();
    assert_eq!(
        fake.observe(&vf(0)).unwrap().netdev.unwrap().state.name,
        name
    );
}

#[test]
fn rebinding_creates_a_new_netdev_and_recreated_vfs_are_other_devices() {
    let fake = Fake::igb();
    fake.add_residue(&vf(0), "promisc").unwrap();
    assert!(fake.dump().contains("promisc"));
    fake.reprobe(&vf(0)).unwrap();
    assert!(!fake.dump().contains("promisc"));
    assert_eq!(
        fake.observe(&vf(0))
            .unwrap()
            .function
            .netdev
            .unwrap()
            .as_str(),
        "eth0"
    );
    let before = fake.observe(&vf(0)).unwrap().function.incarnation;
    fake.set_num_vfs(&address(0).pf, 0).unwrap();
    assert_eq!(fake.observe(&vf(0)).unwrap_err().kind(), ErrorKind::Gone);
    fake.set_num_vfs(&address(0).pf, 7).unwrap();
    assert_ne!(fake.observe(&vf(0)).unwrap().function.incarnation, before);
}

#[test]
fn vfio_has_no_netdev_and_needs_the_override() {
    let fake = Fake::igb();
    let plain = Binding {
        driver: Some("vfio-pci".into()),
        driver_override: None,
    };
    assert_eq!(
        fake.set_driver(&vf(0), &plain, soon()).unwrap_err().kind(),
        ErrorKind::Invalid
    );
    let vfio = Binding {
        driver_override: plain.driver.clone(),
        ..plain
    };
    fake.set_driver(&vf(0), &vfio, soon()).unwrap();
    assert_eq!(fake.observe(&vf(0)).unwrap().netdev, None);
    assert_eq!(
        fake.native_driver(&vf(0)).unwrap().as_deref(),
        Some("igbvf")
    );
}

#[test]
fn igb_rejects_what_the_card_does_not_support() {
    let tag = VlanTag {
        id: 100,
        qos: 0,
        proto: crate::device::VlanProto::Ieee8021Ad,
    };
    let error = Fake::igb()
        .set_vf(&address(0), &VfSetting::Vlan(tag))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "vf 0000:02:10.0: set vlan 100 qos 0 proto 802.1ad: protocol not supported"
    );
}

#[test]
fn a_crash_lasts_until_the_restart() {
    let fake = Fake::igb();
    let trust = |on| fake.set_vf(&address(0), &VfSetting::Trust(on));
    let trusted = || fake.observe(&vf(0)).unwrap().vf.unwrap().trust.unwrap();
    fake.arm(Fault::After(2));
    trust(false).unwrap();
    trust(true).unwrap_err();
    assert!(fake.observe(&vf(0)).is_err() && fake.is_crashed());
    fake.restart();
    assert!(trusted());
    fake.arm(Fault::Before(1));
    trust(false).unwrap_err();
    fake.restart();
    assert!(trusted());
    fake.arm(Fault::Fail(1));
    trust(false).unwrap_err();
    trust(false).unwrap();
    assert!(!trusted());
}

#[test]
fn a_recording_seeds_the_same_host() {
    let fake = Fake::igb();
    let recording = Recording::of(&fake).unwrap();
    let text = serde_json::to_string(&recording).unwrap();
    let again: Recording = serde_json::from_str(&text).unwrap();
    assert_eq!(again, recording);
    assert_eq!(Fake::new(&again).dump(), fake.dump());
}
