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

/// Runs all checks, from the hardware up to pods.
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
        "run it on the node, or set --root to where the node's file system is mounted",
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
            "no SR-IOV capable network device found",
            "enable SR-IOV in the BIOS/UEFI and in the firmware of the NIC",
        );
    };
    match vfs {
        0 => {
            let remedy = format!(
                "echo N > /sys/bus/pci/devices/{}/sriov_numvfs, in a systemd unit at boot",
                first.address
            );
            warning(
                CHECK,
                format!(
                    "{pfs} PFs without VFs, {} supports {}",
                    first.address, first.total_vfs
                ),
                remedy,
            )
        }
        _ => ok(CHECK, format!("{vfs} VFs on {pfs} PFs")),
    }
}

fn iommu(facts: &Facts) -> Vec<Finding> {
    const CHECK: &str = "IOMMU";
    match (facts.iommu_groups, &facts.command_line) {
        (Some(groups), _) if groups > 0 => ok(CHECK, format!("{groups} IOMMU groups")),
        (None, _) => unknown(CHECK, "cannot read sysfs"),
        (_, command_line) => {
            let given = |flag: &str| {
                command_line
                    .iter()
                    .any(|line| line.split_whitespace().any(|word| word == flag))
            };
            let remedy = match facts.processor.as_deref() {
                Some("GenuineIntel") if !given("intel_iommu=on") => {
                    "add intel_iommu=on iommu=pt to the kernel command line, and enable VT-d in the BIOS/UEFI"
                }
                Some("AuthenticAMD") if given("amd_iommu=off") => {
                    "remove amd_iommu=off from the kernel command line"
                }
                _ => "enable VT-d, AMD-Vi or SMMU in the BIOS/UEFI",
            };
            warning(CHECK, "no IOMMU groups: vfio-pci does not work", remedy)
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
            "kernel module not found",
            "install the kernel's extra modules package",
        ),
        None => unknown(name, "cannot read the kernel's modules"),
    };
    facts.modules.iter().flat_map(check).collect()
}

fn cdi(facts: &Facts) -> Vec<Finding> {
    const CHECK: &str = "CDI";
    let enable =
        "set enable_cdi = true in [plugins.\"io.containerd.grpc.v1.cri\"] and restart containerd";
    match facts.containerd.as_deref().map(runtime::cdi) {
        Some(Cdi::On) => ok(CHECK, "enabled in containerd"),
        Some(Cdi::Off) => error(CHECK, "disabled in containerd", enable),
        Some(Cdi::Default { version: 3.. }) => ok(CHECK, "enabled by default in containerd 2"),
        Some(Cdi::Default { version }) => {
            let found = format!(
                "not set in containerd's configuration (version {version}): disabled by default in containerd 1.7"
            );
            warning(CHECK, found, enable)
        }
        None if facts.crio => ok(CHECK, "enabled by default in CRI-O"),
        None if facts.cdi => unknown(CHECK, "no container runtime configuration found"),
        None => unknown(
            CHECK,
            "neither a container runtime configuration nor the CDI directory found",
        ),
    }
}

fn nri(facts: &Facts) -> Vec<Finding> {
    const CHECK: &str = "NRI";
    if facts.nri {
        return ok(CHECK, "socket found");
    }
    let remedy = match facts.containerd {
        Some(_) => {
            "set disable = false in [plugins.\"io.containerd.nri.v1.nri\"] and restart containerd"
        }
        None => {
            "enable NRI in the container runtime: containerd 1.7 needs disable = false, in CRI-O 1.30 it is enabled by default"
        }
    };
    error(
        CHECK,
        "NRI socket not found: netdevs cannot be attached to pods",
        remedy,
    )
}

fn kubelet(facts: &Facts) -> Vec<Finding> {
    const CHECK: &str = "kubelet";
    let Some(text) = &facts.kubelet else {
        return unknown(CHECK, "configuration not found");
    };
    let Ok(config) = serde_saphyr::from_str::<Value>(text) else {
        return unknown(CHECK, "cannot parse the configuration");
    };
    if config["featureGates"]["DynamicResourceAllocation"] == false {
        return error(
            CHECK,
            "feature gate DynamicResourceAllocation is disabled",
            "remove it from featureGates",
        );
    }
    match config["topologyManagerPolicy"].as_str() {
        None | Some("none") => ok(CHECK, "no topologyManagerPolicy that needs topology hints"),
        Some(policy) => warning(
            CHECK,
            format!("topologyManagerPolicy {policy} gets no topology hints for DRA devices"),
            "align devices with matchAttribute resource.kubernetes.io/numaNode in the claim",
        ),
    }
}

fn registry(facts: &Facts) -> Vec<Finding> {
    match facts.registry {
        true => ok(
            "registration",
            "the kubelet's plugins_registry directory exists",
        ),
        false => error(
            "registration",
            "the kubelet's plugins_registry directory does not exist",
            "set --kubelet-root (agent.kubeletRoot) to the kubelet's root directory",
        ),
    }
}

fn state(facts: &Facts) -> Vec<Finding> {
    const CHECK: &str = "state";
    match facts.state_in_memory {
        Some(true) => ok(CHECK, "on a tmpfs"),
        Some(false) => warning(
            CHECK,
            "on a disk: records from before a reboot are detected by their boot ID",
            "set --state-dir (agent.stateDir) to a directory on a tmpfs, such as /run",
        ),
        None => finding(
            CHECK,
            Verdict::Unknown,
            "the state directory does not exist: no agent has run here",
            "",
        ),
    }
}

fn other_allocators(facts: &Facts) -> Vec<Finding> {
    if facts.other_allocators.is_empty() {
        let found = format!(
            "no other allocator of these devices among {} processes",
            facts.processes
        );
        return ok("others", found);
    }
    let remedy = "separate the devices (agent.exclude, or the selectors of the other), or remove the other from this node";
    error(
        "others",
        format!(
            "running: {}: a device can be allocated twice",
            facts.other_allocators.join(", ")
        ),
        remedy,
    )
}

fn rdma(facts: &Facts) -> Vec<Finding> {
    const CHECK: &str = "RDMA";
    match facts.rdma_shared {
        None => Vec::new(),
        Some(true) => ok(
            CHECK,
            "shared mode, RDMA devices are usable in all network namespaces",
        ),
        Some(false) => warning(
            CHECK,
            "exclusive mode, RDMA devices are in the host's network namespace: pods have the device nodes but cannot use them",
            "rdma system set netns shared, before any pod has a network namespace; permanently: options ib_core netns_mode=1 in /etc/modprobe.d",
        ),
    }
}

fn network_manager(facts: &Facts) -> Vec<Finding> {
    match facts.network_manager {
        None => Vec::new(),
        Some(true) => ok(
            "NetworkManager",
            "running, with unmanaged devices configured",
        ),
        Some(false) => warning(
            "NetworkManager",
            "running, and manages every VF that is returned from a pod",
            "set unmanaged-devices=driver:iavf;driver:mlx5_core (the drivers of your VFs) in /etc/NetworkManager/conf.d",
        ),
    }
}
