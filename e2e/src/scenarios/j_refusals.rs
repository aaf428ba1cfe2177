//! **Users** request what they may not or what makes no sense: an unknown field, VLAN 5000, a
//! multicast MAC, a driver with a path in it, too long a name, each setting that is the
//! administrator's.
//!
//! **Must hold**: the API server refuses the claim and names the field; without that (an older
//! server, a policy that is switched off) the kubelet's event on the pod names it; nothing on the
//! host changes.

use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};

use super::{ANY, Run, Scenario, VF_POD};
use crate::{configs, lab::Lab, node::Node, space::Space};

pub(super) const SCENARIO: Scenario = Scenario {
    letter: 'j',
    title: "refused with field and reason, at admission and in the pod's event",
    run: Run::Node(run),
};

/// A pod's name, what its claim requests, and what every refusal must contain.
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
    ("not-yet", "e2e-blue", "vdpaType: vhost", &["vdpaType"]),
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

/// The admission policy is the cluster's, and both nodes may be at this scenario: the first
/// switches it off, the last on again.
static WITHOUT_ADMISSION: Mutex<Admission> = Mutex::new(Admission {
    checked: false,
    users: 0,
});

struct Admission {
    /// What it refuses was checked in this run.
    checked: bool,
    /// Nodes that need it to be off.
    users: u32,
}

fn run(lab: &Lab, node: &Node, space: &Space) -> Result<()> {
    switch_off(lab, node, space)?;
    let result = in_events(node, space);
    result.and(switch_on(lab))
}

fn switch_off(lab: &Lab, node: &Node, space: &Space) -> Result<()> {
    let mut admission = WITHOUT_ADMISSION
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if admission.users == 0 {
        if !std::mem::replace(&mut admission.checked, true) {
            at_admission(node, space)?;
        }
        space.step("helm upgrade without the admission policy: the kubelet is asked");
        lab.release.without_admission()?;
    }
    admission.users += 1;
    Ok(())
}

fn switch_on(lab: &Lab) -> Result<()> {
    let mut admission = WITHOUT_ADMISSION
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    admission.users -= 1;
    if admission.users == 0 {
        lab.release.install()?;
    }
    Ok(())
}

/// What can be known of a claim alone; whether its class allows it, only the driver knows.
fn at_admission(node: &Node, space: &Space) -> Result<()> {
    for (name, class, config, words) in REFUSED
        .iter()
        .filter(|(name, ..)| !name.starts_with("may-not"))
    {
        let values = [
            ("pod", *name),
            ("node", node.name.as_str()),
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
    let sent = configs::admission_follows_the_table()?;
    space.step(format!(
        "{sent} claims and classes of the parser's table are accepted or refused alike at admission"
    ));
    // Names are used again.
    REFUSED
        .iter()
        .filter(|(name, ..)| !name.starts_with("may-not"))
        .try_for_each(|(name, ..)| space.pod(name).gone())
}

fn in_events(node: &Node, space: &Space) -> Result<()> {
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
