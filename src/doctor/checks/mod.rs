//! The checks, from facts to findings.

mod kubelet;
mod runtime;

use super::{Facts, Finding, Module, Verdict};
use kubelet::{kubelet, registry};
use runtime::{cdi, nri};

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
    if !facts.is_node {
        return error(
            "root",
            format!("no node files here: {}", facts.root),
            "run it on the node, or set --root to where the node's file system is mounted",
        );
    }
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
    const CHECK: &str = "others";
    let remedy = "separate the devices (agent.exclude, or the selectors of the other), or remove the other from this node";
    if !facts.other_allocators.is_empty() {
        let running = facts.other_allocators.join(", ");
        let found = format!("running: {running}: a device can be allocated twice");
        return error(CHECK, found, remedy);
    }
    let resource = |(name, count): &(String, usize)| format!("{name} ({count} functions)");
    let resources: Vec<String> = facts.plugin_resources.iter().map(resource).collect();
    if !resources.is_empty() {
        let found = format!(
            "device plugins registered network functions of this node as {}: a device can be allocated twice",
            resources.join(", ")
        );
        return warning(CHECK, found, remedy);
    }
    let found = format!(
        "no other allocator of these devices among {} processes and the kubelet's device plugins",
        facts.processes
    );
    ok(CHECK, found)
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
