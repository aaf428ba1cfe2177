use super::*;
use crate::host::linux::test_netns::TestNetns;

#[test]
fn all_attributes_of_a_link_are_read() {
    let ns = TestNetns::new(&[
        "link add dev0 address 02:00:00:00:00:01 mtu 1400 type veth peer name dev1",
        "link property add dev dev0 altname enp1s0f0-a-name-longer-than-15-bytes altname b",
        "link set dev0 alias kept",
        "addr add 10.0.0.7/24 dev dev0",
        "addr add fd00::7/64 dev dev0",
        "link set dev0 up",
    ]);
    let socket = ns.socket();
    let link = ns.link("b");
    assert_eq!(
        (link.name.as_str(), link.kind.as_deref()),
        ("dev0", Some("veth"))
    );
    let netdev = link.netdev(&socket).unwrap();
    assert_eq!(
        netdev.state.altnames,
        ["b", "enp1s0f0-a-name-longer-than-15-bytes"]
    );
    assert_eq!(netdev.state.alias, "kept");
    assert_eq!(netdev.state.mac, Some(Mac([2, 0, 0, 0, 0, 1])));
    assert_eq!(
        (netdev.state.mtu, netdev.state.up, netdev.carrier),
        (1400, true, Some(false))
    );
    let addresses: Vec<_> = netdev.addresses.iter().map(ToString::to_string).collect();
    assert_eq!(addresses, ["10.0.0.7/24", "fd00::7/64"]);

    ns.ip("link set dev1 up");
    assert_eq!(
        by_index(&socket, link.index)
            .unwrap()
            .unwrap()
            .netdev(&socket)
            .unwrap()
            .carrier,
        Some(true)
    );
    ns.ip("link set dev0 down");
    assert_eq!(
        ns.link("dev0").netdev(&socket).unwrap().carrier,
        None,
        "down: unknown"
    );
    assert_eq!(by_index(&socket, 4711).unwrap(), None);
}

#[test]
fn a_device_is_found_by_its_parent_despite_a_wrong_hint() {
    let ns = TestNetns::new(&["link add dev0 type veth peer name dev1"]);
    let hint = ns.link("dev0").index;
    assert_eq!(
        of_device(&ns.socket(), "0000:01:10.0", &[hint, 4711]).unwrap(),
        None
    );
    let representor = Link {
        parent: Some("0000:01:00.0".into()),
        port_name: Some("pf0vf1".into()),
        ..Link::default()
    };
    let uplink = Link {
        port_name: Some("p0".into()),
        ..representor.clone()
    };
    assert!(
        uplink.is_of("0000:01:00.0")
            && !representor.is_of("0000:01:00.0")
            && !uplink.is_of("0000:01:00.1")
    );
}

#[test]
fn a_dump_of_hundreds_of_links_is_complete() {
    let ns = TestNetns::new(&[]);
    for pair in 0..150 {
        ns.ip(&format!("link add a{pair} type veth peer name b{pair}"));
    }
    assert_eq!(
        all(&ns.socket())
            .unwrap()
            .iter()
            .filter(|link| link.kind.as_deref() == Some("veth"))
            .count(),
        300
    );
}

/// A tenant may call its interface what it likes; the netdev comes back to the host under that name
/// when the pod ends, and has to be found there.
#[test]
fn whatever_the_kernel_calls_a_link_can_be_read_and_recorded() {
    for name in ["all", "default", "a%b", "\u{1}x", &"\u{fffd}".repeat(15)] {
        let link = Link {
            name: name.to_owned(),
            ..Link::default()
        };
        let state = link.state();
        assert_eq!(state.name.as_str(), name);
        let text = serde_json::to_string(&state).unwrap();
        let read: crate::device::NetdevState = serde_json::from_str(&text).unwrap();
        assert_eq!(read, state);
    }
}
