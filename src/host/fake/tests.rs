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

/// Each personality, by what it does: one row of [`Quirks`] less, and one of these fails.
mod quirks {
    use super::*;
    use crate::{device::EswitchMode, host::fake::Quirks};

    const GIVEN: Mac = Mac([2, 0, 0, 0, 0, 9]);
    const OTHER: Mac = Mac([2, 0, 0, 0, 0, 8]);

    fn of(quirks: Quirks) -> Fake {
        let fake = Fake::igb();
        fake.set_quirks(quirks);
        fake
    }

    fn set(fake: &Fake, setting: VfSetting) -> std::result::Result<(), ErrorKind> {
        let done = fake.set_vf(&address(0), &setting);
        done.map_err(|error| error.kind())
    }

    /// Looks until the VF is seen whole.
    fn looks(fake: &Fake) -> usize {
        let seen = |_: &usize| {
            let observed = fake.observe(&vf(0));
            observed.is_ok_and(|observed| observed.netdev.is_some())
        };
        (1..100).find(seen).unwrap()
    }

    #[test]
    fn ice_reports_and_takes_nothing_while_a_vf_resets() {
        let fake = of(Quirks::ice());
        set(&fake, VfSetting::Trust(true)).unwrap();
        let busy = fake.observe(&vf(0)).unwrap_err();
        assert_eq!(busy.kind(), ErrorKind::Busy);
        set(&fake, VfSetting::Trust(false)).unwrap();
        assert_eq!(set(&fake, VfSetting::Trust(true)), Err(ErrorKind::Busy));
        assert_eq!(set(&fake, VfSetting::Trust(true)), Ok(()));
    }

    #[test]
    fn iavf_makes_its_netdev_some_time_after_it_was_bound() {
        let fake = of(Quirks::ice());
        fake.reprobe(&vf(0)).unwrap();
        assert_eq!(looks(&fake), 4);
    }

    #[test]
    fn ice_takes_a_mac_from_a_vf_that_it_trusts() {
        for (trust, held) in [(false, GIVEN), (true, OTHER)] {
            let fake = of(Quirks::default());
            set(&fake, VfSetting::Mac(GIVEN)).unwrap();
            set(&fake, VfSetting::Trust(trust)).unwrap();
            fake.reprobe(&vf(0)).unwrap();
            fake.set_quirks(Quirks::ice());
            let own = LinkSetting::Mac(OTHER);
            let done = fake.set_link(&vf(0), &host_netns(&fake), &own);
            assert_eq!(done.is_ok(), trust);
            assert_eq!(fake.stored(&vf(0)).unwrap().mac, Some(held));
        }
    }

    #[test]
    fn mlx5_gives_a_vf_its_mac_at_once() {
        let fake = of(Quirks::mlx5());
        set(&fake, VfSetting::Mac(GIVEN)).unwrap();
        assert_eq!(mac(&fake), Some(GIVEN));
    }

    #[test]
    fn mlx5_reports_no_mac_that_a_vf_has_given_itself() {
        for (quirks, unclear) in [(Quirks::default(), Some(OTHER)), (Quirks::mlx5(), None)] {
            let fake = of(quirks);
            let own = LinkSetting::Mac(OTHER);
            fake.set_link(&vf(0), &host_netns(&fake), &own).unwrap();
            assert_eq!(fake.observe(&vf(0)).unwrap().unclear_mac, unclear);
        }
    }

    #[test]
    fn mlx5_in_switchdev_mode_refuses_what_only_legacy_mode_has() {
        let fake = of(Quirks::switchdev());
        let pf = fake.observe(&address(0).pf.into()).unwrap().function;
        assert_eq!(pf.eswitch, Some(EswitchMode::Switchdev));
        let vlan = |id| {
            VfSetting::Vlan(VlanTag {
                id,
                ..VlanTag::default()
            })
        };
        for refused in [vlan(5), VfSetting::Trust(true), VfSetting::SpoofChk(false)] {
            assert_eq!(set(&fake, refused), Err(ErrorKind::Unsupported));
        }
        for taken in [vlan(0), VfSetting::Mac(GIVEN)] {
            assert_eq!(set(&fake, taken), Ok(()));
        }
    }

    #[test]
    fn ena_sets_no_address_not_even_the_same() {
        let fake = of(Quirks::ena());
        let same = LinkSetting::Mac(mac(&fake).unwrap());
        let error = fake.set_link(&vf(0), &host_netns(&fake), &same);
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn qede_takes_no_mac_back() {
        let fake = of(Quirks::qede());
        set(&fake, VfSetting::Mac(GIVEN)).unwrap();
        let none = VfSetting::Mac(Mac::ZERO);
        assert_eq!(set(&fake, none), Err(ErrorKind::Invalid));
    }

    #[test]
    fn without_acs_two_functions_are_in_one_group() {
        let group = |fake: &Fake, index| {
            let function = fake.observe(&vf(index)).unwrap().function;
            function.iommu_group
        };
        let shared = Fake::shared_groups();
        assert_eq!(group(&shared, 0), group(&shared, 1));
        assert_ne!(group(&Fake::igb(), 0), group(&Fake::igb(), 1));
    }

    #[test]
    fn efa_has_no_netdev() {
        for function in Fake::efa().functions().unwrap() {
            let observed = Fake::efa().observe(&function.id).unwrap();
            assert!(observed.netdev.is_none() && function.capabilities.rdma);
        }
    }
}
