//! **The user** creates three pods with VFs of one port by claim templates: two of a class on VLAN
//! 100 with priority 3, one of a class on VLAN 200. The claims choose the interface's name, its MAC
//! (the classes allow that) and its address.
//!
//! **Must hold**: each pod has the interface with this name, MAC and address; the PF shows the VF's
//! VLAN, priority and MAC; the two of VLAN 100 ping each other and the third nobody; the claim's
//! status and the metadata file in the container report name, MAC and address.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{Run, Scenario, VF_POD};
use crate::{
    eventually::{SOON, eventually},
    kube::{items, text},
    lab::Lab,
    node::Node,
    pod::Pod,
    space::Space,
};

pub(super) const SCENARIO: Scenario = Scenario {
    letter: 'b',
    title: "pods on VLANs by class and claim: settings, ping, status, metadata",
    run: Run::Node(run),
};

fn run(_: &Lab, node: &Node, space: &Space) -> Result<()> {
    let port = &node.pfs()?[0].name;
    space.step(format!(
        "three pods with VFs of {port}: one and two on VLAN 100, three on VLAN 200"
    ));
    let one = start(space, node, port, "one", "e2e-blue", 1)?;
    let two = start(space, node, port, "two", "e2e-blue", 2)?;
    let three = start(space, node, port, "three", "e2e-red", 3)?;
    for (pod, number, vlan) in [
        (&one, 1, (100, 3)),
        (&two, 2, (100, 3)),
        (&three, 3, (200, 0)),
    ] {
        pod.ready()?;
        space.step(format!("{} is ready", pod.name));
        looks_right(node, pod, number, vlan)?;
    }
    space.step("one and two ping each other, nobody pings three");
    pings(&one, 2)?;
    pings(&two, 1)?;
    ensure!(
        one.exec("! ping -c 3 -W 2 10.77.0.3").is_ok(),
        "one reaches three, which is on another VLAN"
    );
    ensure!(
        three.exec("! ping -c 3 -W 2 10.77.0.1").is_ok(),
        "three reaches one, which is on another VLAN"
    );
    Ok(())
}

fn start(
    space: &Space,
    node: &Node,
    port: &str,
    name: &str,
    class: &str,
    number: u8,
) -> Result<Pod> {
    let selector = format!(r#"device.attributes["sriov-dra.io"].pfName == "{port}""#);
    let config = format!(
        "ifName: blue0, mac: \"{}\", addresses: [{}]",
        mac(number),
        address(number)
    );
    space.run(
        node,
        name,
        VF_POD,
        &[
            ("class", class),
            ("selector", &selector),
            ("config", &config),
        ],
    )
}

fn mac(number: u8) -> String {
    format!("02:00:00:00:0b:0{number}")
}

fn address(number: u8) -> String {
    format!("10.77.0.{number}/24")
}

fn looks_right(node: &Node, pod: &Pod, number: u8, vlan: (u64, u64)) -> Result<()> {
    let link = pod.link(node, "blue0")?;
    ensure!(
        text(&link, "/address") == mac(number),
        "MAC in the pod: {}",
        text(&link, "/address")
    );
    let up = items(&link, "/flags").contains(&Value::from("UP"));
    ensure!(up, "blue0 of {} is not up: {}", pod.name, link["flags"]);
    let has = items(&link, "/addr_info")
        .iter()
        .any(|a| format!("{}/{}", text(a, "/local"), a["prefixlen"]) == address(number));
    ensure!(has, "addresses in the pod: {}", link["addr_info"]);

    let at_start = pod.exec("cat /at-start")?;
    ensure!(
        at_start.contains(&address(number)),
        "when the container started it saw only:\n{at_start}"
    );

    let vf = pod.claim()?.vf(node)?;
    ensure!(
        vf.vlan()? == vlan,
        "the PF shows VLAN and QoS {:?} instead of {vlan:?}",
        vf.vlan()?
    );
    ensure!(vf.mac()? == mac(number), "the PF shows MAC {}", vf.mac()?);
    status_reports(pod, number)?;
    metadata_reports(pod, &vf.pci)
}

fn status_reports(pod: &Pod, number: u8) -> Result<()> {
    let claim = pod.claim()?;
    eventually(
        "the claim's status reports name, MAC and address",
        SOON,
        || {
            let status = claim.status()?;
            let expected = json!({"interfaceName": "blue0", "hardwareAddress": mac(number), "ips": [address(number)]});
            ensure!(status["networkData"] == expected, "{status}");
            for kind in ["Ready", "NetworkReady"] {
                let holds = |c: &Value| text(c, "/type") == kind && text(c, "/status") == "True";
                ensure!(
                    items(&status, "/conditions").iter().any(holds),
                    "no condition {kind}: {status}"
                );
            }
            Ok(())
        },
    )
}

fn metadata_reports(pod: &Pod, pci: &str) -> Result<()> {
    // KEP-5304: by the name of the claim in the pod, and of the request.
    let path = "/var/run/kubernetes.io/dra-device-attributes/resourceclaimtemplates/net/vf/sriov-dra.io-metadata.json";
    let metadata = pod.exec(&format!("cat {path}"))?;
    for word in [pci, "blue0", "DeviceMetadata"] {
        ensure!(
            metadata.contains(word),
            "the metadata file does not name {word}: {metadata}"
        );
    }
    Ok(())
}

fn pings(from: &Pod, to: u8) -> Result<()> {
    // The first may be lost while the switch learns.
    eventually(&format!("{} reaches 10.77.0.{to}", from.name), SOON, || {
        from.exec(&format!("ping -c 1 -W 5 10.77.0.{to}")).map(drop)
    })
}
