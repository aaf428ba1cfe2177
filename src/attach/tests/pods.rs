//! What pods see.

use std::time::{Duration, Instant};

use serde_json::json;

use super::bench::{Bench, create, run};
use crate::{
    api::AttachMode,
    attach::{Change, ContainerView},
    deadline::Deadline,
    device::LinkSetting,
    host::{Kernel, fake::Fault},
    ledger::{Attachment, Phase},
};

#[test]
fn a_netdev_goes_into_its_pod_and_back_to_the_host() {
    let bench = Bench::new();
    bench.save(&bench.record("a", 1));
    let (before, attacher, (sandbox, netns)) =
        (bench.fake.dump(), bench.attacher(), bench.sandbox("a", 1));
    let refused = create(&attacher, &sandbox, &bench.container("a")).unwrap_err();
    assert_eq!(
        refused,
        "pod ns/a: claim ns/a: device 0000:02:10.0: is not attached to pod ns/a yet"
    );
    assert!(!bench.start_gate("a").exists());

    run(&attacher, &sandbox).unwrap();
    let link = bench.link(0, &netns).unwrap();
    let (mac, address) = (
        "02:00:00:00:aa:01".parse().unwrap(),
        "10.0.0.7/24".parse().unwrap(),
    );
    assert_eq!(
        (link.state.name.as_str(), link.state.mtu, link.state.up),
        ("net1", 9000, true)
    );
    assert_eq!(
        (link.state.mac, &link.addresses),
        (Some(mac), &vec![address])
    );
    assert!(bench.fake.dump().contains("10.1.0.0"), "the route is there");
    assert!(bench.attachment("a").unwrap().done);
    assert!(
        std::fs::read_to_string(bench.start_gate("a"))
            .unwrap()
            .contains(r#""interfaceName": "net1""#)
    );
    create(&attacher, &sandbox, &bench.container("a")).unwrap();
    let claim = bench.load("a").owner.claim.uid.clone();
    assert_eq!(bench.changes(), [Change::Attached(claim.clone())]);

    // Again (two agents, or a repeated call) is success, and writes nothing.
    let _ = bench.fake.take_log();
    run(&attacher, &sandbox).unwrap();
    assert_eq!(bench.fake.take_log(), [""; 0]);

    attacher.stop(&sandbox);
    attacher.remove(&sandbox);
    assert_eq!(bench.fake.dump(), before);
    assert_eq!(bench.attachment("a"), None);
    assert!(!bench.start_gate("a").exists());
    assert_eq!(bench.changes(), [Change::Detached(claim)]);
}

#[test]
fn assigned_addresses_survive_a_recreated_sandbox() {
    let bench = Bench::new();
    let mut record = bench.record("a", 1);
    let lease = json!({"claim": *record.owner.claim, "device": record.devices[0].id, "ifName": "0000-02-10-0",
        "netnsPath": "", "call": {"plugin": "host-local", "stdin": "{}", "args": "", "path": ""},
        "assigned": {"addresses": ["10.7.0.2/24"], "routes": [{"dst": "10.8.0.0/16", "gw": "10.7.0.1"}]}});
    record.devices[0].ipam = Some(serde_json::from_value(lease).unwrap());
    bench.save(&record);
    let attacher = bench.attacher();
    for number in [1, 2] {
        let (sandbox, netns) = bench.sandbox("a", number);
        run(&attacher, &sandbox).unwrap();
        let addresses = bench.link(0, &netns).unwrap().addresses;
        let texts: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["10.0.0.7/24", "10.7.0.2/24"], "sandbox {number}");
        assert!(bench.fake.dump().contains("10.8.0.0"), "the route is there");
        let gate = std::fs::read_to_string(bench.start_gate("a")).unwrap();
        assert!(gate.contains("10.7.0.2/24"), "{gate}");
        attacher.stop(&sandbox);
    }
}

#[test]
fn default_routes_of_two_claims_of_a_pod_are_refused_by_name() {
    let bench = Bench::new();
    let default =
        |gateway: &str| serde_json::from_value(json!({"dst": "0.0.0.0/0", "gw": gateway})).unwrap();
    for (name, vf, gateway) in [("a", 0, "10.0.0.1"), ("b", 1, "10.0.0.2")] {
        let mut record = bench.record_of(name, &[vf]);
        record.owner.reserved_for = vec!["pod-a".into()];
        record.devices[0].netdev.as_mut().unwrap().routes = vec![default(gateway)];
        bench.save(&record);
    }
    let (attacher, before) = (bench.attacher(), bench.fake.dump());
    let (sandbox, netns) = bench.sandbox("a", 1);
    let refused = run(&attacher, &sandbox).unwrap_err();
    assert!(
        refused.ends_with(
            "routes: 0.0.0.0/0 via 10.0.0.2: device 0000:02:10.0 has a default route too, and only one of them \
             would be in effect; leave one out"
        ),
        "{refused}"
    );
    assert!(
        refused.starts_with("pod ns/a: claim ns/b: device 0000:02:10."),
        "{refused}"
    );
    assert_eq!((bench.link(0, &netns), bench.link(1, &netns)), (None, None));
    attacher.stop(&sandbox);
    assert_eq!(bench.fake.dump(), before);
}

#[test]
fn a_sandbox_that_no_hook_reported_is_attached_when_its_container_was_refused() {
    let bench = Bench::new();
    bench.save(&bench.record("a", 1));
    let (attacher, (sandbox, netns)) = (bench.attacher(), bench.sandbox("a", 1));
    assert!(create(&attacher, &sandbox, &bench.container("a")).is_err());
    attacher.refused(&sandbox);
    create(&attacher, &sandbox, &bench.container("a")).unwrap();
    assert!(bench.link(0, &netns).is_some());
}

#[test]
fn a_container_waits_for_an_attachment_that_outlives_its_call() {
    let bench = Bench::new();
    bench.save(&bench.record("a", 1));
    let (attacher, (sandbox, netns)) = (bench.attacher(), bench.sandbox("a", 1));
    let long = Deadline::after(Duration::from_secs(20));
    let busy = attacher
        .locks
        .claim(
            &bench.load("a").owner.claim.uid,
            "unbind 0000:02:10.0",
            long,
        )
        .unwrap();
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| run(&attacher, &sandbox));
        long.poll(|| Ok::<_, ()>(attacher.underway.is_at_work("a-1").then_some(())))
            .unwrap()
            .unwrap();
        let refused = create(&attacher, &sandbox, &bench.container("a")).unwrap_err();
        assert_eq!(
            refused,
            "pod ns/a: its devices are not all in it yet, the kernel is at work"
        );
        let other = ContainerView {
            name: "sidecar".into(),
            mounts: vec![],
        };
        assert_eq!(
            create(&attacher, &sandbox, &other),
            Err(refused.clone()),
            "the pod's network comes first"
        );
        let asked = Instant::now();
        let again = attacher.create_container(&sandbox, &bench.container("a"), long);
        assert_eq!(again, Err(refused), "refused, never started without it");
        assert!(
            asked.elapsed() < Duration::from_secs(2),
            "the node waits once"
        );
        drop(busy);
        slow.join().unwrap().unwrap();
    });
    create(&attacher, &sandbox, &bench.container("a")).unwrap();
    assert!(bench.link(0, &netns).is_some());
}

#[test]
fn the_first_container_waits_for_its_sandbox() {
    let bench = Bench::new();
    bench.save(&bench.record("a", 1));
    let (attacher, (sandbox, netns)) = (bench.attacher(), bench.sandbox("a", 1));
    let long = Deadline::after(Duration::from_secs(20));
    let uid = bench.load("a").owner.claim.uid.clone();
    let busy = attacher.locks.claim(&uid, "unbind", long).unwrap();
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| run(&attacher, &sandbox));
        long.poll(|| Ok::<_, ()>(attacher.underway.is_at_work("a-1").then_some(())))
            .unwrap()
            .unwrap();
        let waiting =
            scope.spawn(|| attacher.create_container(&sandbox, &bench.container("a"), long));
        drop(busy);
        waiting.join().unwrap().unwrap();
        slow.join().unwrap().unwrap();
    });
    assert!(bench.link(0, &netns).is_some());
}

#[test]
fn a_refused_container_says_why_the_attachment_failed() {
    let bench = Bench::new();
    bench.save(&bench.record("a", 1));
    bench.fake.refuse("set route", 101);
    let (attacher, (sandbox, _)) = (bench.attacher(), bench.sandbox("a", 1));
    run(&attacher, &sandbox).unwrap_err();
    let refused = create(&attacher, &sandbox, &bench.container("a")).unwrap_err();
    let failure =
        "link of 0000:02:10.0: set route 10.1.0.0/16 via 10.0.0.1: network is unreachable";
    assert!(
        refused.ends_with(&format!(
            "is not attached to pod ns/a yet: claim ns/a: {failure}"
        )),
        "{refused}"
    );
    attacher.stop(&sandbox);
    let refused = create(&attacher, &sandbox, &bench.container("a")).unwrap_err();
    assert!(
        refused.ends_with("is not attached to pod ns/a yet"),
        "{refused}"
    );
}

#[test]
fn names_are_counted_in_order_past_those_asked_for() {
    let bench = Bench::new();
    let mut record = bench.record("a", 3);
    record.devices[2].netdev.as_mut().unwrap().if_name = Some("net1".parse().unwrap());
    bench.save(&record);
    let (sandbox, netns) = bench.sandbox("a", 1);
    run(&bench.attacher(), &sandbox).unwrap();
    let names = [0, 1, 2].map(|vf| bench.link(vf, &netns).unwrap().state.name.to_string());
    assert_eq!(names, ["net2", "net3", "net1"]);
}

#[test]
fn a_taken_name_is_refused_with_its_owner_and_all_is_undone() {
    let bench = Bench::new();
    let (before, attacher) = (bench.fake.dump(), bench.attacher());
    for (name, owner) in [
        ("eth0", "a link of the pod's own network"),
        ("net7", "device 0000:02:10.0 of claim ns/a"),
    ] {
        let mut record = bench.record("a", 2);
        record.devices[0].netdev.as_mut().unwrap().if_name = Some("net7".parse().unwrap());
        record.devices[1].netdev.as_mut().unwrap().if_name = Some(name.parse().unwrap());
        bench.save(&record);
        let (sandbox, _) = bench.sandbox("a", 1);
        let refused = run(&attacher, &sandbox).unwrap_err();
        let text =
            format!("device 0000:02:10.2: interface name {name} is taken in the pod by {owner}");
        assert_eq!(refused, format!("pod ns/a: claim ns/a: {text}"));
        assert_eq!(bench.fake.dump(), before);
        assert_eq!(bench.attachment("a"), None);
    }
}

#[test]
fn a_shared_claims_second_pod_is_refused_by_name_until_the_first_has_gone() {
    let bench = Bench::new();
    bench.save(&bench.record("a", 1));
    // Reserved later than it was prepared: only the watch knows.
    bench
        .pods
        .0
        .lock()
        .unwrap()
        .push(("pod-b".into(), "a".into()));
    let (attacher, (first, _), (second, netns)) = (
        bench.attacher(),
        bench.sandbox("a", 1),
        bench.sandbox("b", 1),
    );
    run(&attacher, &first).unwrap();
    let text = "pod ns/b: claim ns/a: device 0000:02:10.0: is in pod ns/a as net1, a netdev belongs to one pod at a time";
    assert_eq!(run(&attacher, &second).unwrap_err(), text);
    let refused = create(&attacher, &second, &bench.container("a")).unwrap_err();
    assert_eq!(
        refused,
        "pod ns/b: claim ns/a: device 0000:02:10.0: is not attached to pod ns/b but to pod ns/a"
    );
    attacher.stop(&second);
    assert!(
        bench.attachment("a").unwrap().done,
        "a stop of another sandbox does nothing"
    );
    attacher.stop(&first);
    run(&attacher, &second).unwrap();
    assert!(bench.link(0, &netns).is_some());
}

#[test]
fn a_pod_on_the_hosts_network_is_refused() {
    let bench = Bench::new();
    bench.save(&bench.record("a", 1));
    let (mut sandbox, _) = bench.sandbox("a", 1);
    sandbox.netns = None;
    let refused = run(&bench.attacher(), &sandbox).unwrap_err();
    assert!(
        refused.starts_with(
            "pod ns/a: claim ns/a: device 0000:02:10.0: pod ns/a is on the host's network"
        ),
        "{refused}"
    );
}

#[test]
fn what_is_not_for_the_hook_is_left_alone() {
    let bench = Bench::new();
    let mut record = bench.record("a", 1);
    record.devices[0].netdev.as_mut().unwrap().attach = AttachMode::None;
    bench.save(&record);
    let (mut sandbox, _) = bench.sandbox("a", 1);
    sandbox.netns = None;
    run(&bench.attacher(), &sandbox).unwrap();
    create(&bench.attacher(), &sandbox, &bench.container("a")).unwrap();
    let refused = create(&bench.attacher(), &sandbox, &bench.container("b")).unwrap_err();
    assert!(
        refused.ends_with("but no claim is prepared here for it"),
        "{refused}"
    );
}

#[test]
fn a_claim_on_its_way_is_refused() {
    let bench = Bench::new();
    let mut record = bench.record("a", 1);
    record.phase = Phase::Unpreparing;
    bench.save(&record);
    let (sandbox, _) = bench.sandbox("a", 1);
    let refused = run(&bench.attacher(), &sandbox).unwrap_err();
    assert_eq!(
        refused,
        "pod ns/a: claim ns/a: is not prepared (it is Unpreparing)"
    );
}

#[test]
fn another_device_at_the_address_is_not_touched() {
    let bench = Bench::new();
    bench.save(&bench.record("a", 1));
    bench.fake.plug(&Bench::vf(0));
    let (before, (sandbox, _)) = (bench.fake.dump(), bench.sandbox("a", 1));
    let refused = run(&bench.attacher(), &sandbox).unwrap_err();
    assert!(
        refused.ends_with("another device is at this address since the claim was prepared"),
        "{refused}"
    );
    assert_eq!(bench.fake.dump(), before);
}

#[test]
fn a_busy_claim_is_an_error_that_says_by_what() {
    let bench = Bench::new();
    bench.save(&bench.record("a", 1));
    let (attacher, (sandbox, _)) = (bench.attacher(), bench.sandbox("a", 1));
    let long = Deadline::after(Duration::from_secs(20));
    let _held = attacher
        .locks
        .claim(
            &bench.load("a").owner.claim.uid,
            "unbind 0000:02:10.0",
            long,
        )
        .unwrap();
    let refused = attacher
        .run(&sandbox, Deadline::after(Duration::ZERO))
        .unwrap_err();
    assert_eq!(
        refused,
        "pod ns/a: claim ns/a: busy: unbind 0000:02:10.0, 0 s"
    );
}

#[test]
fn a_recreated_sandbox_gets_the_netdev_wherever_it_is() {
    let ends: [fn(&Bench); 4] = [
        // It is still in the old one.
        |_| {},
        // The old one died, and the netdev came back to the host under the pod's name.
        |bench| bench.fake.destroy_netns(&bench.path("a-1")),
        // Somebody keeps the old one alive.
        |bench| bench.fake.leak_netns(&bench.path("a-1")),
        // It was stopped in order.
        |bench| bench.attacher().stop(&bench.sandbox("a", 1).0),
    ];
    for (number, end) in ends.into_iter().enumerate() {
        let bench = Bench::new();
        bench.save(&bench.record("a", 1));
        let (attacher, (first, _)) = (bench.attacher(), bench.sandbox("a", 1));
        run(&attacher, &first).unwrap();
        end(&bench);
        let (second, netns) = bench.sandbox("a", 2);
        attacher
            .run(&second, Deadline::after(Duration::from_secs(2)))
            .unwrap();
        assert_eq!(
            bench.link(0, &netns).unwrap().state.name.as_str(),
            "net1",
            "{number}"
        );
        attacher.stop(&first);
        assert!(
            bench.attachment("a").unwrap().done,
            "a late stop of the first does nothing"
        );
        create(&attacher, &second, &bench.container("a")).unwrap();
        assert!(create(&attacher, &first, &bench.container("a")).is_err());
    }
}

#[test]
fn a_dead_namespace_is_forgotten_and_the_name_on_the_host_restored() {
    let bench = Bench::new();
    let (before, attacher) = (bench.fake.dump(), bench.attacher());
    bench.save(&bench.record("a", 1));
    let (sandbox, _) = bench.sandbox("a", 1);
    run(&attacher, &sandbox).unwrap();
    bench.fake.destroy_netns(&bench.path("a-1"));
    assert_eq!(
        bench.link(0, &bench.host()).unwrap().state.name.as_str(),
        "net1"
    );
    attacher.stop(&sandbox);
    assert_eq!(bench.fake.dump(), before);
    assert_eq!(bench.attachment("a"), None);
}

#[test]
fn a_taken_name_on_the_host_does_not_hold_the_netdev_in_the_pod() {
    let bench = Bench::new();
    bench.save(&bench.record("a", 1));
    let (attacher, (sandbox, netns), host) =
        (bench.attacher(), bench.sandbox("a", 1), bench.host());
    let name = bench.link(0, &host).unwrap().state.name;
    run(&attacher, &sandbox).unwrap();
    bench
        .fake
        .set_link(&Bench::vf(1), &host, &LinkSetting::Name(name))
        .unwrap();
    attacher.stop(&sandbox);
    assert!(bench.link(0, &netns).is_none());
    assert!(bench.link(0, &host).is_some());
    assert_eq!(bench.attachment("a"), None);
}

#[test]
fn whatever_the_kernel_refuses_all_is_undone_and_reported() {
    let bench = Bench::new();
    let before = bench.fake.dump();
    bench.fake.refuse("set route", 101);
    bench.save(&bench.record("a", 1));
    let (attacher, (sandbox, _)) = (bench.attacher(), bench.sandbox("a", 1));
    let refused = run(&attacher, &sandbox).unwrap_err();
    let text = "link of 0000:02:10.0: set route 10.1.0.0/16 via 10.0.0.1: network is unreachable";
    assert_eq!(refused, format!("pod ns/a: claim ns/a: {text}"));
    assert_eq!(bench.fake.dump(), before);
    assert!(!bench.start_gate("a").exists());
    assert_eq!(bench.attachment("a"), None);
}

#[test]
fn what_cannot_be_undone_stays_in_the_record() {
    let bench = Bench::new();
    bench.save(&bench.record("a", 1));
    let (attacher, (sandbox, netns)) = (bench.attacher(), bench.sandbox("a", 1));
    run(&attacher, &sandbox).unwrap();
    bench.fake.arm(Fault::FailFrom(2));
    attacher.stop(&sandbox);
    bench.fake.restart();
    assert!(bench.attachment("a").is_some());
    assert!(bench.link(0, &netns).is_some());
    assert!(
        !bench.start_gate("a").exists(),
        "the start gate is closed first"
    );
    attacher.remove(&sandbox);
    assert_eq!(bench.attachment("a"), None);
}

#[test]
fn a_sandbox_that_was_stopped_while_nobody_looked_is_let_go_and_a_living_one_kept() {
    let bench = Bench::new();
    let before = bench.fake.dump();
    bench.save(&bench.record("a", 1));
    let (attacher, (mut sandbox, netns)) = (bench.attacher(), bench.sandbox("a", 1));
    run(&attacher, &sandbox).unwrap();
    // A runtime lists stopped sandboxes too, without their namespace.
    sandbox.netns = None;
    attacher.synchronize(vec![sandbox.clone()], vec![]);
    assert!(bench.link(0, &netns).is_some(), "its namespace lives");
    bench.fake.destroy_netns(&bench.path("a-1"));
    attacher.synchronize(vec![sandbox], vec![]);
    assert_eq!(bench.attachment("a"), None);
    assert_eq!(bench.fake.dump(), before);
}

#[test]
fn a_netdev_leaves_its_pod_under_its_devices_lock() {
    let bench = Bench::new();
    bench.save(&bench.record("a", 1));
    let (attacher, (sandbox, netns)) = (bench.attacher(), bench.sandbox("a", 1));
    run(&attacher, &sandbox).unwrap();
    let soon = || Deadline::after(Duration::from_millis(200));
    let other = crate::ledger::Locks::new(&bench.paths);
    let held = other.device(&Bench::vf(0), "restore", soon()).unwrap();
    let refused = attacher.release(&sandbox.id, soon()).unwrap_err();
    assert!(refused.to_string().contains("busy: restore"), "{refused}");
    assert!(bench.link(0, &netns).is_some());
    drop(held);
    attacher.release(&sandbox.id, soon()).unwrap();
    assert!(bench.link(0, &netns).is_none());
}

/// Nothing is at work that would bring it.
#[test]
fn a_container_whose_netdev_no_cni_plugin_attached_is_refused_with_what_to_look_at() {
    let bench = Bench::new();
    let mut record = bench.record("a", 1);
    record.devices[0].netdev.as_mut().unwrap().attach = AttachMode::Cni;
    bench.save(&record);
    let (attacher, (sandbox, netns)) = (bench.attacher(), bench.sandbox("a", 1));
    run(&attacher, &sandbox).unwrap();
    let refused = create(&attacher, &sandbox, &bench.container("a")).unwrap_err();
    assert!(refused.contains("is Multus on this node?"), "{refused}");
    record.devices[0].attachment = Some(Attachment {
        sandbox: sandbox.id.clone(),
        pod_uid: sandbox.pod_uid.clone(),
        pod: sandbox.to_string(),
        netns_path: sandbox.netns.as_ref().unwrap().display().to_string(),
        netns: netns.inode,
        if_name: "net1".parse().unwrap(),
        mac: None,
        done: true,
        unknown: Default::default(),
    });
    bench.save(&record);
    create(&attacher, &sandbox, &bench.container("a")).unwrap();
}
