//! What is refused, with which message; nothing on the host changes.

use super::*;
use crate::ledger::Owner;

/// The message of a refusal, and that it changed nothing.
pub(super) fn refused(world: &World, claim: &AllocatedClaim) -> String {
    let (dump, files) = (world.fake.dump(), world.files());
    let error = world.prepare(claim).unwrap_err().to_string();
    assert_eq!((world.fake.dump(), world.files()), (dump, files), "{error}");
    error
}

fn asked(class: Value) -> String {
    refused(&World::new(), &claim("c", &["0000-02-10-0"], class))
}

#[test]
fn the_messages() {
    let mut user = claim("c", &["0000-02-10-0"], json!({}));
    user.configs = vec![config(ConfigSource::Claim, json!({"vlan": 5}))];
    let twice = claim("c", &["0000-02-10-0", "0000-02-10-0"], json!({}));
    let named = claim(
        "c",
        &["0000-02-10-0", "0000-02-10-1"],
        json!({"ifName": "net1"}),
    );
    let texts = [
        asked(json!({"vlan": 100, "vlanProto": "802.1ad"})),
        asked(json!({"linkState": "enable"})),
        asked(json!({"mtu": 9500})),
        asked(json!({"minTxRate": 5, "maxTxRate": 3})),
        asked(json!({"driver": "vfio-pci", "addresses": ["10.0.0.7/24"]})),
        asked(json!({"driver": "ixgbevf"})),
        refused(&World::new(), &user),
        refused(&World::new(), &twice),
        refused(&World::new(), &named),
        refused(&World::new(), &claim("c", &["0000-09-00-0"], json!({}))),
        refused(&World::new(), &claim("c", &["0000-02-10-0-sf4"], json!({}))),
        refused(&World::new(), &claim("c", &["eth0"], json!({}))),
    ];
    insta::assert_snapshot!(texts.join("\n"), @r#"
    prepare vf 0000:02:10.0: set vlan 100 qos 0 proto 802.1ad: protocol not supported (driver igb)
    prepare vf 0000:02:10.0: set link-state enable: operation not supported (driver igb)
    0000:02:10.0: mtu: 9500 is more than the PF's 9216
    config of DeviceClass vf: minTxRate: 5 Mb/s is more than maxTxRate 3 Mb/s
    0000:02:10.0: addresses: there is no network interface with vfio-pci; leave addresses out, or set driver: default
    0000:02:10.0: driver: "ixgbevf" is not allowed on this node, allowed are vfio-pci, iavf
    claim config: vlan: only the administrator may set it: DeviceClass vf does not list it in allowInClaims
    0000:02:10.0: is allocated twice to the same claim, which is not supported
    0000:02:10.1: ifName: net1 is asked for 0000:02:10.0 too; a request with count needs none, or one each
    prepare 0000:09:00.0: find: no such device
    0000:02:10.0/sf4: sub-functions are not supported yet
    claim web/claim-c: device name "eth0": must be like 0000-3b-02-1 or 0000-3b-00-0-sf4
    "#);
}

#[test]
fn a_device_of_another_claim_is_a_conflict_that_names_it() {
    let world = World::new();
    world.prepare(&vlan_and_mac()).unwrap();
    let error = world
        .prepare(&claim("late", &["0000-02-10-0"], json!({})))
        .unwrap_err();
    let ClaimError::Conflict(conflict) = &error else {
        panic!("{error}")
    };
    assert_eq!(conflict.other, vlan_and_mac().claim);
    insta::assert_snapshot!(error, @"0000:02:10.0: cannot go to claim web/claim-late: it is held by claim web/claim-c1 (c1)");
}

/// Another kind of owner holds the device.
fn hold<O: Owner>(store: &Store<O>, owner: O, device: &str) {
    let (world, claim) = (World::new(), claim("c", &[device], json!({})));
    world.prepare(&claim).unwrap();
    let Record {
        version,
        phase,
        devices,
        ..
    } = world.record(&claim).unwrap();
    let record = Record {
        releasing_since: None,
        version,
        owner,
        phase,
        devices,
        unknown: Default::default(),
    };
    store.save(&record).unwrap();
}

#[test]
fn a_device_that_an_attachment_or_a_port_holds_is_refused() {
    let world = World::new();
    let attachment = "5c0ffee.net1".parse().unwrap();
    let owner = AttachmentOwner {
        attachment,
        call: None,
    };
    hold(&world.engine.attachments, owner, "0000-02-10-0");
    let port = "0000:01:00.1".parse().unwrap();
    hold(&world.engine.ports, PortOwner { port }, "0000-01-00-1");
    let refusal = |device| refused(&world, &claim("c", &[device], json!({})));
    let texts = [
        refusal("0000-02-10-0"),
        refusal("0000-01-00-0"),
        refusal("0000-01-00-1"),
    ];
    insta::assert_snapshot!(texts.join("\n"), @r"
    0000:02:10.0: is held by attachment 5c0ffee.net1
    0000:01:00.0: is held by attachment 5c0ffee.net1, as 0000:02:10.0 of the same PF
    0000:01:00.1: is held by port 0000:01:00.1
    ");
    // The VFs of a provisioned port are there to be claimed.
    for vf in ["0000-02-10-1", "0000-02-10-2"] {
        world.prepare(&claim(vf, &[vf], json!({}))).unwrap();
    }
}

#[test]
fn a_pf_and_its_vfs_exclude_each_other() {
    let world = World::new();
    world.prepare(&vlan_and_mac()).unwrap();
    let error = world
        .prepare(&claim("pf", &["0000-01-00-0"], json!({})))
        .unwrap_err();
    insta::assert_snapshot!(error, @"0000:01:00.0: cannot go to claim web/claim-pf: 0000:02:10.0, of the same PF, is held by claim web/claim-c1 (c1)");
    world
        .prepare(&claim("pf", &["0000-01-00-1"], json!({})))
        .unwrap();
    let error = world
        .prepare(&claim("vf", &["0000-02-10-1"], json!({})))
        .unwrap_err();
    insta::assert_snapshot!(error, @"0000:02:10.1: cannot go to claim web/claim-vf: 0000:01:00.1, of the same PF, is held by claim web/claim-pf (pf)");
}

#[test]
fn a_pf_and_its_vf_are_not_for_one_claim_either() {
    let world = World::new();
    let error = refused(
        &world,
        &claim("both", &["0000-02-10-0", "0000-01-00-0"], json!({})),
    );
    insta::assert_snapshot!(error, @"0000:02:10.0: is allocated to the same claim as its PF 0000:01:00.0; claim the PF, or VFs and SFs of it");
    world
        .prepare(&claim(
            "other",
            &["0000-02-10-0", "0000-01-00-1"],
            json!({}),
        ))
        .unwrap();
}

#[test]
fn a_vf_of_a_pf_that_is_in_a_pod_is_refused_with_the_claim_that_has_the_pf() {
    let world = World::new();
    let port = claim("pf", &["0000-01-00-1"], json!({}));
    world.prepare(&port).unwrap();
    world.attach(&port, "net1");
    let vf = claim("vf", &["0000-02-10-1"], json!({}));
    assert!(
        world
            .fake
            .observe(&DeviceId::from_name(&vf.devices[0].device.device).unwrap())
            .is_err(),
        "VFs are read through their PF"
    );
    let error = world.prepare(&vf).unwrap_err();
    assert!(matches!(error, ClaimError::Conflict(_)), "{error}");
}

/// It passes its first look while nobody has the device, and is held up right before it enters
/// itself.
#[test]
fn who_enters_looks_again_under_the_lock() {
    let (world, late) = (World::new(), claim("late", &["0000-02-10-0"], json!({})));
    world.prepare(&vlan_and_mac()).unwrap();
    let other = world.record(&vlan_and_mac()).unwrap();
    world.unprepare(&vlan_and_mac()).unwrap();
    let pf = "0000:01:00.0".parse().unwrap();
    let gate = world.engine.locks.pf(&pf, "test", soon()).unwrap();
    let long = Deadline::after(Duration::from_secs(60));
    let outcome = std::thread::scope(|scope| {
        let prepare = scope.spawn(|| world.engine.prepare(&late, &world.pools, long));
        let device = other.devices[0].id;
        long.poll(|| Ok::<_, ()>(world.engine.busy_with(&device)))
            .unwrap()
            .expect("it locks the device");
        world.engine.store.save(&other).unwrap();
        drop(gate);
        prepare.join().unwrap()
    });
    assert!(
        matches!(outcome, Err(ClaimError::Conflict(_))),
        "{outcome:?}"
    );
}

#[test]
fn what_the_host_uses_is_nobodys() {
    let world = World::new();
    world
        .fake
        .use_by_host("0000:02:10.0".parse().unwrap(), true);
    insta::assert_snapshot!(refused(&world, &vlan_and_mac()), @r#"0000:02:10.0: is used by the host itself (default route, address, bond, bridge, Open vSwitch or VLAN)"#);
    insta::assert_snapshot!(refused(&world, &claim("pf", &["0000-01-00-0"], json!({}))), @"0000:01:00.0: its 0000:02:10.0 is used by the host itself, and would go with it");
}

#[test]
fn what_is_not_chosen_on_this_node_is_nobodys() {
    let choosing = |include: &[&str], exclude: &[&str]| {
        let read = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let choice = crate::inventory::DeviceFilter {
            include: read(include),
            exclude: read(exclude),
        };
        let world = World::with(Fake::igb());
        let engine = engine(&world.fake, world.dir.path()).choosing(choice);
        World { engine, ..world }
    };
    let (vf, pf) = (vlan_and_mac(), claim("pf", &["0000-01-00-0"], json!({})));
    let name = Fake::igb()
        .observe(&"0000:01:00.0".parse::<crate::device::Bdf>().unwrap().into())
        .unwrap();
    let name = name.function.netdev.unwrap().to_string();
    let texts = [
        refused(&choosing(&[], &["0000:02:10.0"]), &vf),
        refused(&choosing(&[], &["0000:01:00.0"]), &vf),
        refused(&choosing(&["0000:01:00.1"], &[]), &vf),
        refused(&choosing(&[], &["0000:02:10.0"]), &pf),
        refused(&choosing(&[], &[&name]), &vf).replace(&name, "NAME"),
    ];
    insta::assert_snapshot!(texts.join("\n"), @r#"
    0000:02:10.0: is excluded on this node by 0000:02:10.0 (--exclude, agent.exclude)
    0000:02:10.0: is excluded on this node by 0000:01:00.0 (--exclude, agent.exclude)
    0000:02:10.0: is not included on this node, only 0000:01:00.1 (--include, agent.include)
    0000:01:00.0: its 0000:02:10.0 is excluded on this node by 0000:02:10.0 (--exclude, agent.exclude), and would go with it
    0000:02:10.0: is excluded on this node by NAME (--exclude, agent.exclude)
    "#);
    choosing(&[&name], &["0000:02:10.2"]).prepare(&vf).unwrap();
    choosing(&["8086:*"], &[]).prepare(&pf).unwrap();
}

#[test]
fn a_netdev_that_a_stranger_has_is_not_taken_from_it() {
    let world = World::new();
    let pod = world.fake.add_netns(Path::new(POD));
    let host = crate::netdev::host_netns(&world.fake, &world.engine.paths).unwrap();
    let device = DeviceId::from_name("0000-02-10-0").unwrap();
    world
        .fake
        .move_link(&device, &host, &pod, &"net1".parse().unwrap())
        .unwrap();
    insta::assert_snapshot!(refused(&world, &vlan_and_mac()), @r#"0000:02:10.0: its network interface is not in the host's namespace: a pod or a program without a claim has it"#);
}

#[test]
fn a_record_that_cannot_be_read_keeps_its_devices() {
    let world = World::new();
    let path = world.engine.paths.records().join("old+0000-02-10-0.json");
    crate::files::write_atomic(&path, br#"{"version": 9}"#, 0o600).unwrap();
    insta::assert_snapshot!(refused(&world, &vlan_and_mac()), @r#"0000:02:10.0: is held by claim old, whose record cannot be read: format version 9 is newer than this program's 1"#);
    let error = world
        .engine
        .unprepare(&"old".parse().unwrap(), soon())
        .unwrap_err();
    insta::assert_snapshot!(error, @r#"record of claim old: format version 9 is newer than this program's 1; it is kept, and its devices stay out of use until it is released by hand"#);
    let damaged = world.engine.damaged().unwrap();
    assert_eq!(
        damaged[0].devices,
        [DeviceId::from_name("0000-02-10-0").unwrap()]
    );
    world.prepare(&vfio()).unwrap();
    world
        .engine
        .release(&"old".parse().unwrap(), soon())
        .unwrap();
    world.prepare(&vlan_and_mac()).unwrap();
}

#[test]
fn a_device_that_somebody_works_on_is_waited_for_and_said_so() {
    let world = World::new();
    let device = DeviceId::from_name("0000-02-10-0").unwrap();
    let _held = world
        .engine
        .locks
        .device(&device, "unbind 0000:02:10.0", soon())
        .unwrap();
    insta::assert_snapshot!(refused(&world, &vlan_and_mac()), @r#"busy: unbind 0000:02:10.0, 0 s"#);
}

#[test]
fn what_could_not_be_restored_is_said_and_kept() {
    let world = World::new();
    world.prepare(&vlan_and_mac()).unwrap();
    world.fake.refuse("rebind", 5);
    let error = world.unprepare(&vlan_and_mac()).unwrap_err().to_string();
    insta::assert_snapshot!(error, @r#"release claim web/claim-c1: restore 0000:02:10.0: rebind: input/output error"#);
    assert_eq!(world.engine.damaged().unwrap()[0].why, error);
    assert!(world.record(&vlan_and_mac()).is_some());
}
