use super::*;
use crate::host::linux::test_netns::TestNetns;

fn veth() -> TestNetns {
    TestNetns::new(&[
        "link add dev0 type veth peer name dev1",
        "link property add dev dev0 altname net1",
        "link set dev0 up",
    ])
}

fn move_to(from: &TestNetns, to: &TestNetns, link: &Link, name: &str) -> NetlinkResult<()> {
    let file = |ns: &TestNetns| ns.netns.file.clone().unwrap();
    let target = Target {
        socket: &to.socket(),
        file: &file(to),
    };
    to_netns(
        &from.socket(),
        &file(from),
        link,
        &target,
        &name.parse().unwrap(),
    )
}

#[test]
fn a_link_moves_under_a_new_name_and_back() {
    let (host, pod) = (veth(), TestNetns::new(&[]));
    move_to(&host, &pod, &host.link("dev0"), "net1").unwrap();
    let moved = pod.link("net1");
    assert_eq!(
        (moved.name.as_str(), moved.up),
        ("net1", false),
        "its own altname is no conflict"
    );
    assert!(
        link::all(&host.socket())
            .unwrap()
            .iter()
            .all(|link| !link.is_called("dev0"))
    );
    move_to(&pod, &host, &moved, "dev0").unwrap();
    assert_eq!(host.link("dev0").mac, moved.mac);
}

#[test]
fn a_name_in_use_in_the_target_is_an_error_that_names_its_owner() {
    for existing in [
        "link add net1 type veth peer name x",
        "link add eth0 type veth peer name x",
    ] {
        let (host, pod) = (veth(), TestNetns::new(&[existing]));
        if existing.contains("eth0") {
            pod.ip("link property add dev eth0 altname net1");
        }
        let refused = move_to(&host, &pod, &host.link("dev0"), "net1").unwrap_err();
        assert!(refused.is(Errno::EXIST));
        assert!(
            refused
                .text
                .unwrap()
                .starts_with("the name net1 is in use there by link ")
        );
        assert_eq!(host.link("dev0").altnames, ["net1"], "unchanged");
    }
}

#[test]
fn a_link_that_the_kernel_moved_despite_an_error_can_be_moved_back() {
    let (host, pod) = (
        veth(),
        TestNetns::new(&["link add net9 type veth peer name x"]),
    );
    let link = host.link("dev0");
    // As if net9 had been created after the check: what the kernel does with a name in use.
    let file = pod.netns.file.clone().unwrap();
    let request = vec![
        LinkAttribute::NetNsFd(file.as_raw_fd()),
        LinkAttribute::IfName("net9".into()),
    ];
    assert!(
        set::change(&host.socket(), link.index, request)
            .unwrap_err()
            .is(Errno::EXIST)
    );
    let moved = link::all(&pod.socket())
        .unwrap()
        .into_iter()
        .find(|other| is_same(&link, other));
    if let Some(moved) = moved {
        move_to(&pod, &host, &moved, "dev0").unwrap();
    }
    assert_eq!(host.link("dev0").mac, link.mac);
}
