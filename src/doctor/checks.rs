//! The checks, from facts to findings.

use serde_json::Value;

use super::{
    Facts, Finding, Module, Verdict,
    runtime::{self, Cdi},
};

type Check = fn(&Facts) -> Vec<Finding>;

const CHECKS: [Check; 11] = [
    functions,
    iommu,
    modules,
    rdma,
    cdi,
    nri,
    kubelet,
    registry,
    state,
    other_allocators,
    network_manager,
];

/// All findings, in the order in which a device's way goes.
#[must_use]
pub fn run_checks(facts: &Facts) -> Vec<Finding> {
    CHECKS.iter().flat_map(|check| check(facts)).collect()
}

fn finding(
    check: &'static str,
    verdict: Verdict,
    found: impl Into<String>,
    remedy: impl Into<String>,
) -> Vec<Finding> {
    vec![Finding {
        check,
        verdict,
        found: found.into(),
        remedy: remedy.into(),
    }]
}

fn ok(check: &'static str, found: impl Into<String>) -> Vec<Finding> {
    finding(check, Verdict::Ok, found, "")
}

fn warning(
    check: &'static str,
    found: impl Into<String>,
    remedy: impl Into<String>,
) -> Vec<Finding> {
    finding(check, Verdict::Warning, found, remedy)
}

fn error(check: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Vec<Finding> {
    finding(check, Verdict::Error, found, remedy)
}

fn unknown(check: &'static str, found: impl Into<String>) -> Vec<Finding> {
    finding(
        check,
        Verdict::Unknown,
        found,
        "run it on the node, or with --root where the node's files are mounted",
    )
}

fn functions(facts: &Facts) -> Vec<Finding> {
    const CHECK: &str = "VFs";
    let (pfs, vfs) = (
        facts.pfs.len(),
        facts.pfs.iter().map(|pf| pf.num_vfs).sum::<u32>(),
    );
    let Some(first) = facts.pfs.first() else {
        return warning(
            CHECK,
            "no network card with SR-IOV",
            "switch SR-IOV on in the firmware, of card and machine",
        );
    };
    match vfs {
        0 => {
            let remedy = format!(
                "echo N > /sys/bus/pci/devices/{}/sriov_numvfs, by a boot unit",
                first.address
            );
            warning(
                CHECK,
                format!(
                    "{pfs} PFs without VFs, {} could have {}",
                    first.address, first.total_vfs
                ),
                remedy,
            )
        }
        _ => ok(CHECK, format!("{vfs} on {pfs} PFs")),
    }
}

fn iommu(facts: &Facts) -> Vec<Finding> {
    const CHECK: &str = "IOMMU";
    match (facts.iommu_groups, &facts.command_line) {
        (Some(groups), _) if groups > 0 => ok(CHECK, format!("{groups} groups")),
        (None, _) => unknown(CHECK, "sysfs cannot be read"),
        (_, command_line) => {
            let given = |flag: &str| {
                command_line
                    .iter()
                    .any(|line| line.split_whitespace().any(|word| word == flag))
            };
            let remedy = match facts.processor.as_deref() {
                Some("GenuineIntel") if !given("intel_iommu=on") => {
                    "intel_iommu=on iommu=pt on the kernel's command line, and VT-d in the firmware"
                }
                Some("AuthenticAMD") if given("amd_iommu=off") => {
                    "take amd_iommu=off off the kernel's command line"
                }
                _ => "switch on VT-d, AMD-Vi or SMMU in the machine's firmware",
            };
            warning(CHECK, "no groups: vfio-pci does not work", remedy)
        }
    }
}

fn modules(facts: &Facts) -> Vec<Finding> {
    let check = |(name, module): &(&'static str, Option<Module>)| match module {
        Some(Module::Loaded) => ok(name, "loaded or built in"),
        Some(Module::Loadable) => warning(
            name,
            "not loaded",
            format!("echo {name} > /etc/modules-load.d/{name}.conf; modprobe {name}"),
        ),
        Some(Module::Missing) => warning(
            name,
            "the kernel has no such module",
            "install the kernel's extra modules",
        ),
        None => unknown(name, "modules cannot be seen"),
    };
    facts.modules.iter().flat_map(check).collect()
}

fn cdi(facts: &Facts) -> Vec<Finding> {
    const CHECK: &str = "CDI";
    let on =
        "enable_cdi = true under [plugins.\"io.containerd.grpc.v1.cri\"], then restart containerd";
    match facts.containerd.as_deref().map(runtime::cdi) {
        Some(Cdi::On) => ok(CHECK, "on in containerd"),
        Some(Cdi::Off) => error(CHECK, "off in containerd", on),
        Some(Cdi::Default { version: 3.. }) => ok(CHECK, "on in containerd 2 by default"),
        Some(Cdi::Default { version }) => {
            let found = format!(
                "containerd's configuration (version {version}) says nothing: off in containerd 1.7"
            );
            warning(CHECK, found, on)
        }
        None if facts.crio => ok(CHECK, "on in CRI-O by default"),
        None if facts.cdi => unknown(CHECK, "no runtime's configuration is seen"),
        None => unknown(
            CHECK,
            "neither a runtime's configuration nor the CDI directory is seen",
        ),
    }
}

fn nri(facts: &Facts) -> Vec<Finding> {
    const CHECK: &str = "NRI";
    if facts.nri {
        return ok(CHECK, "the runtime's socket is there");
    }
    let remedy = match facts.containerd {
        Some(_) => {
            "disable = false under [plugins.\"io.containerd.nri.v1.nri\"], then restart containerd"
        }
        None => {
            "switch NRI on in the runtime: containerd 1.7 needs disable = false, CRI-O 1.30 has it on"
        }
    };
    error(
        CHECK,
        "the runtime's socket is not there: no netdev gets into a pod",
        remedy,
    )
}

fn kubelet(facts: &Facts) -> Vec<Finding> {
    const CHECK: &str = "kubelet";
    let Some(text) = &facts.kubelet else {
        return unknown(CHECK, "its configuration is not seen");
    };
    let Ok(config) = serde_saphyr::from_str::<Value>(text) else {
        return unknown(CHECK, "its configuration cannot be read");
    };
    if config["featureGates"]["DynamicResourceAllocation"] == false {
        return error(
            CHECK,
            "the feature gate DynamicResourceAllocation is off",
            "take it out of featureGates",
        );
    }
    match config["topologyManagerPolicy"].as_str() {
        None | Some("none") => ok(CHECK, "no topologyManagerPolicy that would want hints"),
        Some(policy) => warning(
            CHECK,
            format!("topologyManagerPolicy {policy} gets no hints of these devices"),
            "align devices by matchAttribute resource.kubernetes.io/numaNode in the claim",
        ),
    }
}

fn registry(facts: &Facts) -> Vec<Finding> {
    match facts.registry {
        true => ok("registration", "the kubelet's plugins_registry is there"),
        false => error(
            "registration",
            "the kubelet's plugins_registry is not there",
            "name the kubelet's directory by --kubelet-root (agent.kubeletRoot)",
        ),
    }
}

fn state(facts: &Facts) -> Vec<Finding> {
    const CHECK: &str = "state";
    match facts.state_in_memory {
        Some(true) => ok(CHECK, "in memory"),
        Some(false) => warning(
            CHECK,
            "on a disk: guarded by the boot's id",
            "put --state-dir (agent.stateDir) on a tmpfs, as /run is",
        ),
        None => finding(
            CHECK,
            Verdict::Unknown,
            "the directory is not there: no agent has run here",
            "",
        ),
    }
}

fn other_allocators(facts: &Facts) -> Vec<Finding> {
    if facts.other_allocators.is_empty() {
        let found = format!(
            "none that gives the same devices away, among the {} processes here",
            facts.processes
        );
        return ok("others", found);
    }
    let remedy =
        "keep their devices apart (agent.exclude, their selectors), or remove them from this node";
    error(
        "others",
        format!(
            "here is {}: a device may be given away twice",
            facts.other_allocators.join(", ")
        ),
        remedy,
    )
}

fn rdma(facts: &Facts) -> Vec<Finding> {
    const CHECK: &str = "RDMA";
    match facts.rdma_shared {
        None => Vec::new(),
        Some(true) => ok(CHECK, "devices are shared by all network namespaces"),
        Some(false) => warning(
            CHECK,
            "each device is in one network namespace, the host's: pods have its nodes and cannot use it",
            "rdma system set netns shared, while no pod has a namespace yet; options ib_core netns_mode=1 in /etc/modprobe.d",
        ),
    }
}

fn network_manager(facts: &Facts) -> Vec<Finding> {
    match facts.network_manager {
        None => Vec::new(),
        Some(true) => ok("NetworkManager", "leaves some devices alone"),
        Some(false) => warning(
            "NetworkManager",
            "runs, and takes every VF that comes back from a pod for its own",
            "unmanaged-devices=driver:iavf;driver:mlx5_core (your VFs' drivers) in /etc/NetworkManager/conf.d",
        ),
    }
}
