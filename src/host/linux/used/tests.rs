use std::os::fd::AsRawFd;

use netlink_packet_route::link::LinkAttribute;

use super::*;
use crate::host::linux::{set, test_netns::TestNetns};

/// Names of the links that the namespace uses.
fn names(ns: &TestNetns) -> Vec<String> {
    let socket = ns.socket();
    let links = link::all(&socket).unwrap();
    let used = used(
        &links,
        &link::addresses(&socket, None).unwrap(),
        &default_route_links(&socket).unwrap(),
    );
    let mut names: Vec<_> = links
        .into_iter()
        .filter(|link| used.contains(&link.index))
        .map(|link| link.name)
        .collect();
    names.sort();
    names
}

fn ns(commands: &[&str]) -> TestNetns {
    let pair = [
        "link add dev0 type veth peer name dev1",
        "link set dev0 up",
        "link set dev1 up",
    ];
    TestNetns::new(&[&pair[..], commands].concat())
}

#[test]
fn a_link_that_is_only_up_is_free() {
    let free = ns(&[]);
    assert!(
        free.ip("-6 addr show dev dev0").contains("fe80::"),
        "it has its automatic address"
    );
    assert!(names(&free).is_empty());
}

#[test]
fn an_address_a_bridge_and_an_upper_device_use_the_link() {
    assert_eq!(names(&ns(&["addr add 10.0.0.1/24 dev dev0"])), ["dev0"]);
    assert_eq!(names(&ns(&["addr add fd00::1/64 dev dev0"])), ["dev0"]);
    assert_eq!(
        names(&ns(&[
            "link add br0 type bridge",
            "link set dev0 master br0"
        ])),
        ["dev0"]
    );
    assert_eq!(
        names(&ns(&["link add link dev0 name upper type macvlan"])),
        ["dev0"]
    );
}

#[test]
fn default_routes_of_every_table_family_and_next_hop_use_their_link() {
    let v4 = "route add default dev dev0 table 77";
    let v6 = "-6 route add default dev dev0 table 78";
    let both = "route add default table 79 nexthop dev dev0 nexthop dev dev1";
    let both6 =
        "-6 route add default table 80 nexthop via fe80::1 dev dev0 nexthop via fe80::2 dev dev1";
    assert_eq!(names(&ns(&[v4])), ["dev0"]);
    assert_eq!(names(&ns(&[v6])), ["dev0"]);
    assert_eq!(names(&ns(&[both])), ["dev0", "dev1"]);
    assert_eq!(names(&ns(&[both6])), ["dev0", "dev1"]);
    assert!(
        names(&ns(&[
            "route add 10.0.0.0/8 dev dev0",
            "route add unreachable default"
        ]))
        .is_empty()
    );
}

#[test]
fn a_lower_device_in_another_namespace_is_not_mistaken_for_a_local_link() {
    let (host, pod) = (ns(&["link add link dev0 name upper type macvlan"]), ns(&[]));
    assert_eq!(
        host.link("dev0").index,
        pod.link("dev0").index,
        "equal ifindexes in both namespaces"
    );
    let file = pod.netns.file.as_ref().unwrap().as_raw_fd();
    set::change(
        &host.socket(),
        host.link("upper").index,
        LinkAttribute::NetNsFd(file),
    )
    .unwrap();
    assert_eq!(pod.link("upper").lower, None);
    assert!(names(&pod).is_empty());
}

#[test]
fn the_ends_of_a_pair_do_not_use_each_other() {
    let pair = Link {
        index: 9,
        lower: Some(3),
        kind: Some("veth".into()),
        ..Link::default()
    };
    assert!(used(&[pair], &[], &[]).is_empty());
}
