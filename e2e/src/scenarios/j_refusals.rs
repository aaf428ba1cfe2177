//! **Users** ask for what they may not or what makes no sense: an unknown field, VLAN 5000, a multicast MAC, a driver with
//! a path in it, too long a name, each setting that is the administrator's; and two pods ask for one netdev.
//!
//! **Must hold**: the API server refuses the claim and names the field; without that (an older server, a policy that is
//! switched off) the kubelet's event on the pod names it; nothing on the host changes. The second pod on a netdev is
//! refused with the name of the first, which goes on.

use anyhow::{Context, Result, ensure};

use super::{ANY, Scenario, VF_POD};
use crate::{configs, lab::Lab, log::Log, space::Space};

pub(super) const SCENARIO: Scenario = Scenario {
    letter: 'j',
    title: "refused with field and reason, at admission and in the pod's event",
    run,
};

/// A pod's name, what its claim asks for, and what every refusal must contain.
const REFUSED: [(&str, &str, &str, &[&str]); 16] = [
    ("unknown-field", "e2e-open", "vlanId: 7", &["vlanId"]),
    ("vlan-5000", "e2e-open", "vlan: 5000", &["vlan", "5000"]),
    (
        "multicast-mac",
        "e2e-blue",
        "mac: \"01:00:5e:00:00:01\"",
        &["mac", "01:00:5e:00:00:01"],
    ),
    (
        "driver-path",
        "e2e-open",
        "driver: ../x",
        &["driver", "../x"],
    ),
    (
        "long-name",
        "e2e-blue",
        "ifName: abcdefghijklmnop",
        &["ifName", "abcdefghijklmnop"],
    ),
    (
        "not-yet",
        "e2e-blue",
        "networkAttachmentDefinition: {name: x}",
        &["networkAttachmentDefinition"],
    ),
    (
        "may-not-driver",
        "e2e-blue",
        "driver: vfio-pci",
        &["driver", "e2e-blue"],
    ),
    (
        "may-not-mac",
        "e2e-open",
        "mac: \"02:00:00:00:00:01\"",
        &["mac", "e2e-open"],
    ),
    (
        "may-not-vlan",
        "e2e-blue",
        "vlan: 200",
        &["vlan", "e2e-blue"],
    ),
    (
        "may-not-vlanqos",
        "e2e-blue",
        "vlanQoS: 5",
        &["vlanQoS", "e2e-blue"],
    ),
    (
        "may-not-vlanproto",
        "e2e-blue",
        "vlanProto: 802.1ad",
        &["vlanProto", "e2e-blue"],
    ),
    (
        "may-not-spoofchk",
        "e2e-blue",
        "spoofChk: \"off\"",
        &["spoofChk", "e2e-blue"],
    ),
    (
        "may-not-trust",
        "e2e-blue",
        "trust: \"on\"",
        &["trust", "e2e-blue"],
    ),
    (
        "may-not-linkstate",
        "e2e-blue",
        "linkState: enable",
        &["linkState", "e2e-blue"],
    ),
    (
        "may-not-mintxrate",
        "e2e-blue",
        "minTxRate: 10",
        &["minTxRate", "e2e-blue"],
    ),
    (
        "may-not-maxtxrate",
        "e2e-blue",
        "maxTxRate: 10",
        &["maxTxRate", "e2e-blue"],
    ),
];

fn run(lab: &Lab, log: &Log) -> Result<()> {
    lab.space(log, "e2e-j", at_admission)?;
    let shown = configs::admission_follows_the_table()?;
    log.step(format!(
        "{shown} claims and classes of the parser's table are accepted or refused alike at admission"
    ));
    log.step("helm upgrade without the admission policy: the kubelet is asked");
    lab.release.without_admission()?;
    let result = lab.space(log, "e2e-j-events", |space| in_events(lab, space));
    result.and(lab.release.install())?;
    lab.on_each_node(log, "j", |node, space| {
        space.apply(include_str!("../../manifests/shared-claim.yaml"), &[])?;
        let pod = include_str!("../../manifests/shared-pod.yaml");
        let first = space.run(node, "first", pod, &[])?;
        first.ready()?;
        let container = first.container()?;
        let second = space.run(node, "second", pod, &[])?;
        let event = second.event(&["Failed", "first"])?;
        space.step(format!("a second pod on the netdev: {event}"));
        ensure!(!second.has_started()?, "the second pod runs");
        ensure!(
            first.container()? == container && first.link(node, "net1").is_ok(),
            "the first pod was hurt"
        );
        Ok(())
    })
}

/// What can be known of a claim alone; whether its class allows it, only the driver knows.
fn at_admission(space: &Space) -> Result<()> {
    for (name, class, config, words) in REFUSED
        .iter()
        .filter(|(name, ..)| !name.starts_with("may-not"))
    {
        let values = [
            ("pod", *name),
            ("node", "node1"),
            ("class", class),
            ("selector", ANY),
            ("config", config),
        ];
        let why = space
            .refused(VF_POD, &values)
            .with_context(|| format!("{name} at admission"))?;
        ensure!(why.contains(words[0]), "{name} at admission: {why}");
        space.step(format!(
            "{name}: {}",
            why.lines().next().unwrap_or_default()
        ));
        // The pod went through, since only claims are checked.
        space.pod(name).delete_soon()?;
    }
    Ok(())
}

fn in_events(lab: &Lab, space: &Space) -> Result<()> {
    let node = &lab.nodes[0];
    let before = node.dump()?;
    // At once, but no more than there are VFs.
    for some in REFUSED.chunks(8) {
        for (name, class, config, _) in some {
            space.run(
                node,
                name,
                VF_POD,
                &[("class", class), ("selector", ANY), ("config", config)],
            )?;
        }
        for (name, _, _, words) in some {
            let pod = space.pod(name);
            let event = pod.event(&[&["FailedPrepareDynamicResources"], *words].concat())?;
            space.step(format!("{name}: {event}"));
            ensure!(!pod.has_started()?, "{name} runs");
        }
        node.is(&before).context("while they are refused")?;
        some.iter()
            .try_for_each(|(name, ..)| space.pod(name).delete_soon())?;
    }
    Ok(())
}
