use super::*;
use crate::{
    claim::AllocatedDevice,
    device::{DeviceId, FunctionKind, VlanProto},
    host::Recording,
    slice::DeviceRef,
};

fn vf() -> Observed {
    let id = DeviceId::from_name("0000-02-10-0").unwrap();
    Recording::igb()
        .functions
        .into_iter()
        .find(|observed| observed.function.id == id)
        .unwrap()
}

fn wanted(settings: Settings) -> Wanted {
    let result = AllocatedDevice {
        request: "nic".into(),
        class: None,
        device: DeviceRef {
            driver: "sriov-dra.io".into(),
            slice_pool: "node".into(),
            device: "0000-02-10-0".into(),
        },
        admin_access: false,
        share_id: None,
    };
    Wanted {
        id: DeviceId::from_name("0000-02-10-0").unwrap(),
        result,
        settings,
        definition: None,
        fault: None,
        attach_by_default: AttachMode::Pod,
    }
}

fn steps_of(settings: Settings, observed: &Observed) -> Vec<Step> {
    plan(&wanted(settings), observed, &[], Some("igbvf"))
        .unwrap()
        .steps
}

fn refusal(settings: Settings, observed: &Observed) -> String {
    plan(&wanted(settings), observed, &[], None).unwrap_err()
}

fn named(driver: &str) -> Option<DriverChoice> {
    Some(DriverChoice::Named(driver.into()))
}

/// A step in a line: what was, what shall be.
fn line(step: &Step) -> String {
    let driver = |binding: &Binding| format!("{:?}/{:?}", binding.driver, binding.driver_override);
    match step {
        Step::Vfs(vfs) => format!("{} vfs", vfs.len()),
        Step::Netdev(state) => format!("netdev {} {:?}", state.name, state.mac),
        Step::Driver { from, to, .. } => format!("driver {} -> {}", driver(from), driver(to)),
        Step::Vf { from, to, .. } => format!(
            "vf {} -> {to}",
            from.map_or("?".into(), |from| from.to_string())
        ),
        Step::Reload => "reload".into(),
        Step::Link { from, to, .. } => format!(
            "link {} -> {to}",
            from.as_ref().map_or("?".into(), ToString::to_string)
        ),
    }
}

fn lines(settings: Settings, observed: &Observed) -> String {
    steps_of(settings, observed)
        .iter()
        .map(line)
        .collect::<Vec<_>>()
        .join("\n")
}

fn everything() -> Settings {
    Settings {
        mac: Some(Mac([2, 0, 0, 0, 0, 9])),
        vlan: Some(100),
        vlan_qos: Some(3),
        vlan_proto: Some(VlanProto::Ieee8021Q),
        spoof_chk: Some(false),
        trust: Some(true),
        link_state: Some(LinkState::Enable),
        max_tx_rate: Some(200),
        ..Settings::default()
    }
}

#[test]
fn nothing_asked_nothing_touched_but_the_way_back_is_known() {
    insta::assert_snapshot!(lines(Settings::default(), &vf()), @r#"
    netdev enp1s0f0v0 Some(02:00:00:00:01:00)
    driver Some("igbvf")/None -> Some("igbvf")/None
    "#);
}

#[test]
fn a_netdev_with_everything() {
    insta::assert_snapshot!(lines(everything(), &vf()), @r#"
    netdev enp1s0f0v0 Some(02:00:00:00:01:00)
    driver Some("igbvf")/None -> Some("igbvf")/None
    vf trust off -> trust on
    vf mac none -> mac 02:00:00:00:00:09
    vf vlan 0 qos 0 proto 802.1q -> vlan 100 qos 3 proto 802.1q
    vf rate min 0 max 0 Mb/s -> rate min 0 max 200 Mb/s
    vf spoofchk on -> spoofchk off
    vf link-state auto -> link-state enable
    reload
    "#);
}

#[test]
fn vfio_reads_its_mac_itself() {
    let settings = Settings {
        driver: named("vfio-pci"),
        mac: everything().mac,
        ..Settings::default()
    };
    insta::assert_snapshot!(lines(settings, &vf()), @r#"
    netdev enp1s0f0v0 Some(02:00:00:00:01:00)
    driver Some("igbvf")/None -> Some("vfio-pci")/Some("vfio-pci")
    vf mac none -> mac 02:00:00:00:00:09
    "#);
}

#[test]
fn a_link_that_stays_on_the_host() {
    let settings = Settings {
        attach: Some(AttachMode::None),
        mtu: Some(9000),
        ..Settings::default()
    };
    insta::assert_snapshot!(lines(settings, &vf()), @r#"
    netdev enp1s0f0v0 Some(02:00:00:00:01:00)
    driver Some("igbvf")/None -> Some("igbvf")/None
    link mtu 1500 -> mtu 9000
    "#);
}

#[test]
fn a_mac_that_the_netdev_has_not_read_yet_is_what_it_returns_with() {
    let mut observed = vf();
    observed.vf.as_mut().unwrap().mac = everything().mac;
    let netdev = steps_of(Settings::default(), &observed).remove(0);
    assert_eq!(line(&netdev), "netdev enp1s0f0v0 Some(02:00:00:00:00:09)");
}

#[test]
fn what_the_kernel_does_not_report_is_unknown() {
    let mut observed = vf();
    observed.vf = Some(VfSettings::default());
    let steps = steps_of(everything(), &observed);
    let unknown = steps
        .iter()
        .filter(|step| matches!(step, Step::Vf { from: None, .. }))
        .count();
    assert_eq!(unknown, 6);
}

#[test]
fn refusals() {
    let mut no_pf = vf();
    (no_pf.function.kind, no_pf.vf) = (FunctionKind::Vf { address: None }, None);
    let mut unbound = vf();
    unbound.function.binding = Binding::default();
    let mut slow = vf();
    slow.vf.as_mut().unwrap().max_tx_rate = Some(10);
    let mut vfio = vf();
    vfio.function.binding = Binding {
        driver: Some("vfio-pci".into()),
        driver_override: None,
    };
    vfio.netdev = None;
    let default = || Settings {
        driver: Some(DriverChoice::Default),
        ..Settings::default()
    };
    let texts = [
        refusal(
            Settings {
                trust: Some(true),
                ..Settings::default()
            },
            &no_pf,
        ),
        refusal(Settings::default(), &unbound),
        refusal(
            Settings {
                min_tx_rate: Some(50),
                ..Settings::default()
            },
            &slow,
        ),
        refusal(default(), &vfio),
        refusal(
            Settings {
                attach: Some(AttachMode::Pod),
                ..Settings::default()
            },
            &vfio,
        ),
        refusal(
            Settings {
                mtu: Some(9000),
                ..Settings::default()
            },
            &vfio,
        ),
    ];
    insta::assert_snapshot!(texts.join("\n"), @r#"
    trust: can only be set on a VF whose PF is on this host and has a network interface; leave it out
    driver: none is bound, and none is asked; set driver, e.g. to default or vfio-pci
    minTxRate: 50 Mb/s is more than the VF's maxTxRate 10 Mb/s
    driver: default: the kernel's own driver for this function is not known; name it
    attach: there is no network interface with vfio-pci; leave attach out, or set driver: default
    mtu: there is no network interface with vfio-pci; leave mtu out, or set driver: default
    "#);
}

#[test]
fn a_mac_without_a_pf_is_the_netdevs_own() {
    let mut observed = vf();
    (observed.function.kind, observed.vf) = (FunctionKind::Vf { address: None }, None);
    let settings = Settings {
        mac: everything().mac,
        ..Settings::default()
    };
    let record = plan(&wanted(settings), &observed, &[], None).unwrap();
    assert_eq!(record.netdev.unwrap().mac, everything().mac);
    assert_eq!(record.steps.len(), 2);
}

#[test]
fn who_only_observes_changes_nothing() {
    let mut watching = wanted(everything());
    watching.result.admin_access = true;
    let record = plan(&watching, &vf(), &[], None).unwrap();
    assert_eq!((record.steps, record.netdev), (vec![], None));
}

#[test]
fn undone_the_pf_is_as_before_ere_the_driver_starts() {
    let settings = Settings {
        driver: named("vfio-pci"),
        ..everything()
    };
    let record = plan(&wanted(settings), &vf(), &[], None).unwrap();
    assert_eq!(crate::claim::values_before(&record).len(), 6);
    let kinds: Vec<_> = crate::claim::undo(&record)
        .iter()
        .map(|action| match action {
            crate::claim::Undo::Driver(_) => "driver",
            crate::claim::Undo::Netdev(_) => "netdev",
            crate::claim::Undo::Vfs(_) => "vfs",
        })
        .collect();
    assert_eq!(kinds, ["driver", "netdev"]);
}

#[test]
fn a_pfs_vfs_are_written_down_first_and_must_be_on_the_host() {
    let all = Recording::igb().functions;
    let pf = all
        .iter()
        .find(|observed| observed.function.id.name() == "0000-01-00-0")
        .unwrap();
    let mut vfs = vec![vf()];
    let record = plan(&wanted(Settings::default()), pf, &vfs, None).unwrap();
    assert!(
        matches!(&record.steps[0], Step::Vfs(vfs) if vfs[0].vf.index == 0 && vfs[0].netdev.is_some())
    );
    vfs[0].netdev = None;
    vfs[0].function.yields.netdev_elsewhere = true;
    let refused = plan(&wanted(Settings::default()), pf, &vfs, None).unwrap_err();
    insta::assert_snapshot!(refused, @r#"its VF 0000:02:10.0 cannot be made again: its network interface is not in the host's namespace: a pod or a program without a claim has it"#);
}

#[test]
fn a_vf_without_netdev_is_made_again_without_and_one_that_lacks_it_is_refused() {
    let all = Recording::igb().functions;
    let find = |name: &str| {
        let mut all = all.iter();
        let found = all.find(|observed| observed.function.id.name() == name);
        found.unwrap().clone()
    };
    let (pf, other, mut bare) = (find("0000-01-00-0"), find("0000-02-10-2"), vf());
    (bare.netdev, bare.function.netdev) = (None, None);
    let plan = |vfs: &[Observed]| plan(&wanted(Settings::default()), &pf, vfs, None);
    let record = plan(&[bare.clone()]).unwrap();
    assert!(matches!(&record.steps[0], Step::Vfs(vfs) if vfs[0].netdev.is_none()));
    insta::assert_snapshot!(plan(&[bare, other]).unwrap_err(), @r#"its VF 0000:02:10.0 cannot be made again: driver igbvf has made no network interface of it, as it has of others of its kind; the kernel's log says why"#);
}
