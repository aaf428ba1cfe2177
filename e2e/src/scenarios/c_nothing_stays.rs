//! **The tenant** is root on its interface: promiscuous, an XDP program, another MAC and MTU, an
//! alias, a second name, a queueing discipline, switched-off offloads, sysctls. Then its pod is
//! deleted.
//!
//! **Must hold**: every property of the VF is what it was before the pod, as a full dump shows, and
//! its MAC can still be changed. For three VFs at once:
//! * `plain` as it came with the boot;
//! * `past`, which the administrator had configured before, and for which the class sets everything
//!   else;
//! * `held`, whose pod's network namespace something outside keeps open.

use anyhow::{Context, Result, ensure};

use super::{Run, Scenario, VF_POD};
use crate::{
    device::Vf,
    dump::Dump,
    eventually::{SLOW, eventually},
    lab::Lab,
    node::Node,
    pod::Pod,
    space::Space,
};

pub(super) const SCENARIO: Scenario = Scenario {
    letter: 'c',
    title: "nothing of a tenant stays on the VF, held namespace or not",
    run: Run::Node(run),
};

fn run(_: &Lab, node: &Node, space: &Space) -> Result<()> {
    let past = node.vf(0, 4)?;
    give_a_past(&past)?;
    let result = tenants_come_and_go(node, space);
    result.and(remove_the_past(&past))
}

fn tenants_come_and_go(node: &Node, space: &Space) -> Result<()> {
    let tenants = [
        ("plain", "e2e-blue", 3),
        ("past", "e2e-all-settings", 4),
        ("held", "e2e-blue", 5),
    ];
    space.step("a full dump of three VFs, then a pod on each");
    let mut tenancies = Vec::new();
    for (name, class, index) in tenants {
        let vf = node.vf(0, index)?;
        let before = vf.dump()?;
        let values = [
            ("class", class),
            ("selector", &vf.selector()),
            ("config", ""),
        ];
        tenancies.push((space.run(node, name, VF_POD, &values)?, vf, before));
    }
    for (pod, vf, _) in &tenancies {
        pod.ready()?;
        misuse(node, pod)?;
        ensure!(
            pod.claim()?.vf(node)? == *vf,
            "pod {} has another VF than it asked for",
            pod.name
        );
    }
    space.step(
        "tenants have changed all that they can; the namespace of `held` is pinned from outside",
    );
    let pin = pin(node, &space.pod("held"))?;
    let result = leave(space, &tenancies);
    result.and(unpin(node, &pin))
}

fn leave(space: &Space, tenancies: &[(Pod, Vf, Dump)]) -> Result<()> {
    tenancies
        .iter()
        .try_for_each(|(pod, ..)| pod.delete_soon())?;
    tenancies.iter().try_for_each(|(pod, ..)| pod.gone())?;
    space.step("all pods are gone");
    for (pod, vf, before) in tenancies {
        vf.is_again(before)
            .with_context(|| format!("vf of pod {}", pod.name))?;
        space.step(format!("the VF of `{}` is as it was", pod.name));
    }
    Ok(())
}

fn misuse(node: &Node, pod: &Pod) -> Result<()> {
    let script = "
        ip link set dev net1 promisc on allmulticast on
        ip link set dev net1 xdpgeneric obj /usr/local/share/lab/xdp_pass.o sec xdp
        ip link set dev net1 mtu 1280 alias mine
        ip link property add dev net1 altname mine0
        tc qdisc add dev net1 clsact
        ethtool -K net1 gro off tx off
        echo 2 >/proc/sys/net/ipv4/conf/net1/rp_filter
        echo 1 >/proc/sys/net/ipv6/conf/net1/forwarding
    ";
    pod.with_its_network(node, script)?;
    let change = "ip link set net1 address 02:00:00:00:0c:66";
    let changed = pod.exec(change);
    // Where the class has set a MAC the PF refuses every other, to the tenant's credit or not.
    ensure!(
        changed.is_ok() != (pod.name == "past"),
        "a MAC of the tenant's own: {changed:?}"
    );
    let link = pod.link(node, "net1")?;
    ensure!(
        link["promiscuity"] != 0 && !link["xdp"].is_null(),
        "the tenant's changes did not work: {link}"
    );
    Ok(())
}

/// Something outside that holds the pod's namespace by an open file: its number on the node.
fn pin(node: &Node, pod: &Pod) -> Result<String> {
    let script = r#"exec 9</proc/$1/ns/net; setsid sleep 100000 >/dev/null 2>&1 & echo $!"#;
    Ok(node.exec(script, &[&pod.process(node)?])?.trim().to_owned())
}

fn unpin(node: &Node, pin: &str) -> Result<()> {
    node.exec("kill -KILL \"$1\"", &[pin]).map(drop)
}

fn give_a_past(vf: &Vf) -> Result<()> {
    let script = r#"
        ip link set dev "$1" mtu 1400 alias "kept for later"
        ip link property add dev "$1" altname e2epast
        ip link set dev "$1" up
        ip link set dev "$2" vf "$3" vlan 7 qos 1
        ip link set dev "$2" vf "$3" max_tx_rate 50
        ip link set dev "$2" vf "$3" trust on
        ip link set dev "$2" vf "$3" spoofchk off
    "#;
    vf.node
        .exec(script, &[&vf.netdev()?, &vf.pf, &vf.index.to_string()])?;
    Ok(())
}

fn remove_the_past(vf: &Vf) -> Result<()> {
    let name = eventually(
        "the VF with a past is in the host's network namespace",
        SLOW,
        || vf.netdev(),
    )?;
    let script = r#"
        ip link set dev "$1" down
        ip link set dev "$1" mtu 1500 alias ""
        ip link property del dev "$1" altname e2epast || true
        ip link set dev "$2" vf "$3" vlan 0
        ip link set dev "$2" vf "$3" max_tx_rate 0
        ip link set dev "$2" vf "$3" trust off
        ip link set dev "$2" vf "$3" spoofchk on
    "#;
    vf.node
        .exec(script, &[&name, &vf.pf, &vf.index.to_string()])?;
    Ok(())
}
