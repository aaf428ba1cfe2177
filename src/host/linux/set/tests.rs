use super::*;
use crate::{
    device::NetdevState,
    host::{ErrorKind, linux::test_netns::TestNetns},
};

fn ns() -> TestNetns {
    TestNetns::new(&["link add dev0 type veth peer name dev1", "link set dev1 up"])
}

fn assign(ns: &TestNetns, setting: LinkSetting) -> crate::host::Result<()> {
    let link = ns.link("dev0");
    apply(&ns.socket(), &link, &setting).map_err(|error| error.at("dev0", format!("set {setting}")))
}

fn state(ns: &TestNetns, name: &str) -> NetdevState {
    ns.link(name).netdev(&ns.socket()).unwrap().state
}

#[test]
fn every_value_can_be_set_twice_and_reads_back() {
    let ns = ns();
    let settings = [
        LinkSetting::Mac(Mac([2, 0, 0, 0, 0, 7])),
        LinkSetting::Mtu(9000),
        LinkSetting::Altnames(vec!["a".into(), "a-very-long-alternative-name".into()]),
        LinkSetting::Alias("rack 7".into()),
        LinkSetting::Up(true),
    ];
    for setting in settings.iter().chain(&settings) {
        assign(&ns, setting.clone()).unwrap();
    }
    let altnames = vec!["a".into(), "a-very-long-alternative-name".into()];
    let mac = Some(Mac([2, 0, 0, 0, 0, 7]));
    let (name, alias) = ("dev0".parse().unwrap(), "rack 7".into());
    assert_eq!(
        state(&ns, "dev0"),
        NetdevState {
            name,
            altnames,
            alias,
            mac,
            mtu: 9000,
            up: true
        }
    );
    assign(&ns, LinkSetting::Alias(String::new())).unwrap();
    assert_eq!(state(&ns, "dev0").alias, "");
    assign(&ns, LinkSetting::Up(false)).unwrap();
    assert!(!state(&ns, "dev0").up);
}

#[test]
fn altnames_are_replaced_and_never_include_the_name_itself() {
    let ns = ns();
    assign(&ns, LinkSetting::Altnames(vec!["a".into(), "b".into()])).unwrap();
    assign(
        &ns,
        LinkSetting::Altnames(vec!["b".into(), "c".into(), "dev0".into()]),
    )
    .unwrap();
    assert_eq!(state(&ns, "dev0").altnames, ["b", "c"]);
    assign(&ns, LinkSetting::Altnames(vec![])).unwrap();
    assert!(state(&ns, "dev0").altnames.is_empty());
    let taken = assign(&ns, LinkSetting::Altnames(vec!["dev1".into()])).unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::Busy);
}

#[test]
fn a_link_can_be_renamed_to_15_bytes_and_to_its_own_altname() {
    let ns = ns();
    assign(&ns, LinkSetting::Up(true)).unwrap();
    assign(&ns, LinkSetting::Altnames(vec!["fifteen-bytes-x".into()])).unwrap();
    assign(&ns, LinkSetting::Name("fifteen-bytes-x".parse().unwrap())).unwrap();
    let state = state(&ns, "fifteen-bytes-x");
    assert_eq!(
        (state.name.as_str(), state.altnames.len(), state.up),
        ("fifteen-bytes-x", 0, true)
    );
    let taken = apply(
        &ns.socket(),
        &ns.link("dev1"),
        &LinkSetting::Name("fifteen-bytes-x".parse().unwrap()),
    );
    assert!(taken.unwrap_err().is(Errno::EXIST));
}

#[test]
fn errors_have_the_kernels_message() {
    let ns = ns();
    let error = assign(&ns, LinkSetting::Mtu(10)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "dev0: set mtu 10: mtu less than device minimum"
    );
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let error = assign(&ns, route("192.0.2.0/24", Some("198.51.100.1"))).unwrap_err();
    assert!(error.to_string().contains("exthop"), "{error}");
    let error = assign(&ns, LinkSetting::Mac(Mac([1, 0, 0, 0, 0, 0]))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "dev0: set address 01:00:00:00:00:00: cannot assign requested address"
    );
}

fn route(dst: &str, gw: Option<&str>) -> LinkSetting {
    LinkSetting::Route(Route {
        dst: dst.parse().unwrap(),
        gw: gw.map(|gw| gw.parse().unwrap()),
    })
}

#[test]
fn addresses_and_routes_are_added_once() {
    let ns = ns();
    assign(&ns, LinkSetting::Up(true)).unwrap();
    let settings = [
        LinkSetting::Address("10.1.0.7/24".parse().unwrap()),
        LinkSetting::Address("10.1.1.7/32".parse().unwrap()),
        LinkSetting::Address("fd00:1::7/64".parse().unwrap()),
        route("0.0.0.0/0", Some("10.1.0.1")),
        route("10.2.0.0/16", None),
        route("fd00:2::/64", Some("fd00:1::1")),
        route("fd00:3::/64", None),
    ];
    for setting in settings.iter().chain(&settings) {
        assign(&ns, setting.clone()).unwrap();
    }
    let v4 = ns.ip("-4 addr show dev dev0");
    assert!(
        v4.contains("inet 10.1.0.7/24 brd 10.1.0.255 scope global dev0")
            && v4.contains("inet 10.1.1.7/32 scope")
    );
    let v6 = ns.ip("-6 addr show dev dev0");
    assert!(
        v6.contains("fd00:1::7/64") && !v6.contains("fd00:1::7/64 scope global tentative"),
        "{v6}"
    );
    let routes = ns.ip("-4 route");
    assert!(
        routes.contains("default via 10.1.0.1 dev dev0") && routes.contains("10.2.0.0/16 dev dev0"),
        "{routes}"
    );
    let routes = ns.ip("-6 route");
    assert!(
        routes.contains("fd00:2::/64 via fd00:1::1 dev dev0"),
        "{routes}"
    );
    assert_eq!(routes.matches("fd00:3::/64").count(), 1, "{routes}");
}

#[test]
fn a_default_route_that_is_asked_for_wins_and_others_of_the_pod_are_kept() {
    let ns = ns();
    for command in [
        "addr add 10.9.0.2/24 dev dev1",
        "addr add fd00:9::2/64 dev dev1 nodad",
        "link set dev0 up",
        "link set dev1 up",
        "route add default via 10.9.0.1 dev dev1",
        "-6 route add default via fd00:9::1 dev dev1",
        "route add 10.8.0.0/16 via 10.9.0.1 dev dev1",
    ] {
        ns.ip(command);
    }
    for setting in [
        LinkSetting::Address("10.1.0.7/24".parse().unwrap()),
        LinkSetting::Address("fd00:1::7/64".parse().unwrap()),
        route("0.0.0.0/0", Some("10.1.0.1")),
        route("::/0", Some("fd00:1::1")),
        route("10.8.0.0/16", Some("10.1.0.1")),
    ] {
        assign(&ns, setting.clone()).unwrap();
        assign(&ns, setting).unwrap();
    }
    let through = |to: &str| ns.ip(&format!("route get {to}"));
    assert!(through("192.0.2.1").contains("via 10.1.0.1 dev dev0"));
    let v6 = through("2001:db8::1");
    assert!(v6.contains("via fd00:1::1 dev dev0"), "{v6}");
    assert!(through("10.8.0.1").contains("via 10.9.0.1 dev dev1"));
}
