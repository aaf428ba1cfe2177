//! Multus in both guests for as long as a scenario wants it, and the driver with its CNI plugin.
//!
//! It is the thin plugin, as its own manifest installs it: the runtime's first configuration is
//! Multus', with the default network as it was as delegate, and a kubeconfig with a token. What the
//! networks need is in [`BIN_DIR`], where nothing is otherwise.

use std::{env, fs};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{
    command, kube,
    lab::Lab,
    log::Log,
    manifest::fill,
    node::Node,
    programs::{self, BIN_DIR, Program, RUNTIME_BIN_DIR},
    release,
};

/// The networks of the READMEs.
pub(crate) const READMES: &str = include_str!("../manifests/multus/readmes.yaml");
/// More networks, as users have them.
pub(crate) const NETWORKS: &str = include_str!("../manifests/multus/networks.yaml");
/// A pod that asks by annotation and extended resource.
pub(crate) const POD: &str = include_str!("../manifests/multus/pod.yaml");
/// Pools by the device plugin's config.json: `ens1`, `ens2`, and what is bound to vfio-pci of `ens2`.
const POOLS: &str = include_str!("../manifests/multus/pools.json");
/// The first pool's resource.
pub(crate) const NETDEVICE: &str = "intel.com/intel_sriov_netdevice";
/// That of what is bound to vfio-pci.
pub(crate) const DPDK: &str = "intel.com/intel_sriov_dpdk";

/// The definition of networks, and Multus' rights.
pub(crate) const DEFINITIONS: &str = include_str!("../manifests/multus/multus.yaml");
const WHEREABOUTS: &str = include_str!("../manifests/multus/whereabouts.yaml");
const CONTROL_LOOP: &str = include_str!("../manifests/multus/control-loop.yaml");
/// Where the runtime looks for networks: the first by name is the default one.
const CONF_DIR: &str = "/etc/cni/net.d";
const OWN_DIR: &str = "/etc/cni/net.d/multus.d";
/// Whereabouts' plugin does nothing without its file there, whatever a network says.
const WHEREABOUTS_DIR: &str = "/etc/cni/net.d/whereabouts.d";
const SYSTEM: &str = "kube-system";

/// Puts Multus and these programs into both guests, and the driver's CNI plugin; does the work; and
/// leaves nothing of all this.
pub(crate) fn with(
    lab: &Lab,
    log: &Log,
    programs: &[Program],
    work: impl FnOnce() -> Result<()>,
) -> Result<()> {
    alone(lab, log, programs, || {
        install(lab, log).and_then(|()| work())
    })
}

/// [`with`], without the driver's part: that is [`install`].
pub(crate) fn alone(
    lab: &Lab,
    log: &Log,
    programs: &[Program],
    work: impl FnOnce() -> Result<()>,
) -> Result<()> {
    log.step("Multus goes into both guests");
    let result = put(lab, programs).and_then(|()| work());
    if lab.keep {
        return result;
    }
    result.and(take(lab).context("Multus could not be removed"))
}

/// Networks can be created from here on.
pub(crate) fn define_networks() -> Result<()> {
    kube::apply(SYSTEM, DEFINITIONS)?.ok("the objects of Multus")?;
    let definitions = [
        "wait",
        "--for=condition=established",
        "--timeout=300s",
        "crd",
    ];
    kube::kubectl(
        &[
            &definitions[..],
            &["network-attachment-definitions.k8s.cni.cncf.io"],
        ]
        .concat(),
    )
    .map(drop)
}

fn put(lab: &Lab, programs: &[Program]) -> Result<()> {
    define_networks()?;
    kube::apply(SYSTEM, WHEREABOUTS)?.ok("the objects of whereabouts")?;
    let token = [
        "create",
        "token",
        "e2e-multus",
        "-n",
        SYSTEM,
        "--duration=12h",
    ];
    let kubeconfig = kubeconfig(kube::kubectl(&token)?.trim())?;
    for node in &lab.nodes {
        for program in programs {
            program.put(node, BIN_DIR)?;
        }
        programs::MULTUS.put(node, RUNTIME_BIN_DIR)?;
        put_kubeconfig(node, &kubeconfig)?;
        switch_on(node).with_context(|| node.name.clone())?;
    }
    Ok(())
}

fn put_kubeconfig(node: &Node, kubeconfig: &Value) -> Result<()> {
    let ca = env::var("LAB_DIR").context("LAB_DIR is not set")? + "/pki/ca.crt";
    node.exec("mkdir -p \"$1\" \"$2\"", &[OWN_DIR, WHEREABOUTS_DIR])?;
    let token = json!({"kubeconfig": format!("{OWN_DIR}/multus.kubeconfig")});
    let whereabouts = json!({"datastore": "kubernetes", "kubernetes": token});
    node.write(
        &format!("{WHEREABOUTS_DIR}/whereabouts.conf"),
        &whereabouts.to_string(),
    )?;
    node.write(
        &format!("{OWN_DIR}/ca.crt"),
        &fs::read_to_string(&ca).context(ca)?,
    )?;
    node.write(
        &format!("{OWN_DIR}/multus.kubeconfig"),
        &kubeconfig.to_string(),
    )
}

fn kubeconfig(token: &str) -> Result<Value> {
    let server = env::var("LAB_API").context("LAB_API is not set")?;
    let cluster = json!({"server": server, "certificate-authority": format!("{OWN_DIR}/ca.crt")});
    Ok(json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "lab", "cluster": cluster}],
        "users": [{"name": "multus", "user": {"token": token}}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "multus"}}],
        "current-context": "lab",
    }))
}

/// From here on the runtime calls Multus for each pod of the node.
pub(crate) fn switch_on(node: &Node) -> Result<()> {
    let default = node.exec("cat \"$1\"/10-lab.conflist", &[CONF_DIR])?;
    let configuration = json!({
        "cniVersion": "1.0.0",
        "name": "multus-cni-network",
        "type": "multus",
        "kubeconfig": format!("{OWN_DIR}/multus.kubeconfig"),
        "binDir": BIN_DIR,
        "cniDir": "/var/lib/cni/multus",
        "namespaceIsolation": false,
        "logLevel": "verbose",
        "logFile": "/var/log/multus.log",
        "delegates": [serde_json::from_str::<Value>(&default)?],
    });
    // At once, or the runtime may read half of it; from a name in the same directory, since containerd
    // does not look again when a file comes from elsewhere.
    node.write(
        &format!("{CONF_DIR}/.00-multus"),
        &configuration.to_string(),
    )?;
    node.exec("cd \"$1\" && mv .00-multus 00-multus.conf", &[CONF_DIR])
        .map(drop)
}

/// From here on the runtime makes the default network itself, as without Multus.
pub(crate) fn switch_off(node: &Node) -> Result<()> {
    node.exec("rm -f \"$1\"/00-multus.conf", &[CONF_DIR])
        .map(drop)
}

/// Whereabouts' control loop, on this node, until [`stop_control_loop`].
pub(crate) fn start_control_loop(node: &Node) -> Result<()> {
    programs::CONTROL_LOOP.put(node, BIN_DIR)?;
    let values = [("pod", LOOP), ("node", &*node.name), ("programs", BIN_DIR)];
    kube::apply(SYSTEM, &fill(CONTROL_LOOP, &values)?)?
        .ok("whereabouts' control loop")
        .map(drop)
}

const LOOP: &str = "e2e-whereabouts";

/// Ends it.
pub(crate) fn stop_control_loop() -> Result<()> {
    let gone = [
        "delete",
        "-n",
        SYSTEM,
        "pod,configmap",
        LOOP,
        "--ignore-not-found",
    ];
    kube::kubectl(&gone).map(drop)
}

/// The release with pools and the CNI plugin, which is there afterwards.
pub(crate) fn install(lab: &Lab, log: &Log) -> Result<()> {
    log.step("helm upgrade with the CNI plugin and pools");
    lab.release.with_cni(POOLS)?;
    for node in &lab.nodes {
        // The release may have been so already, with the plugin removed by an earlier scenario.
        in_agent(node, &["cni", "install", "--bin-dir", "/host/cni"])?;
        ensure!(
            node.has(&format!("{BIN_DIR}/sriov"))?,
            "{} has no {BIN_DIR}/sriov",
            node.name
        );
    }
    Ok(())
}

/// A subcommand of the driver in a node's agent.
fn in_agent(node: &Node, words: &[&str]) -> Result<String> {
    release::agent_is_ready(&node.name)?;
    let agents = release::agent_pods(&node.name)?;
    let agent = agents.first().map(|pod| kube::text(pod, "/metadata/name"));
    let agent = agent.context("no agent")?;
    let exec = [
        "exec",
        "-n",
        release::NAMESPACE,
        agent,
        "-c",
        "agent",
        "--",
        "/sriov-dra",
    ];
    kube::kubectl(&[&exec[..], words].concat())
}

fn take(lab: &Lab) -> Result<()> {
    for node in &lab.nodes {
        switch_off(node)?;
        // Nothing to be removed if the release never had it.
        let _ = in_agent(node, &["cni", "uninstall", "--bin-dir", "/host/cni"]);
        // The directory itself stays: agents may still have it mounted.
        let script = r#"
            mkdir -p "$2"
            left=$(ls "$2" | grep sriov || true)
            rm -rf "$1" "$4" "$2"/* "$3/multus" /var/lib/cni/multus /var/log/multus.log
            ip link delete e2e0 2>/dev/null || true
            find /var/lib/cni/networks -mindepth 1 -maxdepth 1 ! -name lab -exec rm -r {} +
            left="$left$(find /etc/cni -type f ! -name 10-lab.conflist)"
            [ -z "$left" ] || { echo "left: $left" >&2; exit 1; }
        "#;
        let dirs = [OWN_DIR, BIN_DIR, RUNTIME_BIN_DIR, WHEREABOUTS_DIR];
        node.exec(script, &dirs)?;
    }
    stop_control_loop()?;
    for objects in [DEFINITIONS, WHEREABOUTS] {
        command::run(
            "kubectl",
            &["delete", "--ignore-not-found", "-f", "-"],
            objects,
        )?;
    }
    Ok(())
}
