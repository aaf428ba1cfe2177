mod layouts;

use std::fs;

use super::*;
use crate::files::write_atomic;

fn lines(facts: &Facts) -> String {
    let line = |finding: &Finding| {
        let remedy = if finding.remedy.is_empty() {
            String::new()
        } else {
            format!(" -> {}", finding.remedy)
        };
        format!(
            "{} {}: {}{remedy}",
            finding.verdict.as_str(),
            finding.check,
            finding.found
        )
    };
    run_checks(facts)
        .iter()
        .map(line)
        .collect::<Vec<_>>()
        .join("\n")
}

fn containerd(major: Option<u32>, settings: Settings) -> Option<Runtime> {
    Some(Runtime {
        kind: Kind::Containerd(major),
        file: "/etc/containerd/config.toml".to_owned(),
        version: Some(2),
        settings,
    })
}

fn kubelet(policy: &str) -> Option<Kubelet> {
    Some(Kubelet {
        topology_policy: Some(policy.to_owned()),
        ..Kubelet::default()
    })
}

fn node() -> Facts {
    Facts {
        is_node: true,
        cdi: "/var/run/cdi".to_owned(),
        nri_socket: "/var/run/nri/nri.sock".to_owned(),
        ..Facts::default()
    }
}

fn healthy() -> Facts {
    Facts {
        iommu_groups: Some(42),
        modules: vec![("vfio_pci", Some(Module::Loaded))],
        runtime: containerd(Some(2), Settings::default()),
        nri: Some(true),
        kubelet: kubelet("none"),
        registry: true,
        state_in_memory: Some(true),
        pfs: vec![Pf {
            address: "0000:3b:00.0".to_owned(),
            num_vfs: 7,
            total_vfs: 8,
        }],
        ..node()
    }
}

#[test]
fn a_healthy_node_is_ok() {
    let findings = run_checks(&healthy());
    assert!(
        findings
            .iter()
            .all(|finding| finding.verdict == Verdict::Ok),
        "{findings:?}"
    );
    assert!(
        findings.iter().all(|finding| finding.remedy.is_empty()),
        "{findings:?}"
    );
}

#[test]
fn every_warning_and_error_has_a_remedy() {
    let facts = Facts {
        iommu_groups: Some(0),
        command_line: Some("quiet".to_owned()),
        processor: Some("GenuineIntel".to_owned()),
        modules: vec![
            ("vfio_pci", Some(Module::Loadable)),
            ("vhost_net", Some(Module::Missing)),
        ],
        runtime: containerd(
            None,
            Settings {
                cdi: Some(false),
                ..Settings::default()
            },
        ),
        nri: Some(false),
        kubelet: kubelet("single-numa-node"),
        state_in_memory: Some(false),
        other_allocators: vec!["the SR-IOV network device plugin"],
        pfs: vec![Pf {
            address: "0000:3b:00.0".to_owned(),
            num_vfs: 0,
            total_vfs: 8,
        }],
        rdma_shared: Some(false),
        network_manager: Some(false),
        ..node()
    };
    insta::assert_snapshot!(lines(&facts), @r#"
    warning VFs: 1 PFs without VFs, 0000:3b:00.0 supports 8 -> echo N > /sys/bus/pci/devices/0000:3b:00.0/sriov_numvfs, in a systemd unit at boot
    warning IOMMU: no IOMMU groups: vfio-pci does not work -> add intel_iommu=on iommu=pt to the kernel command line, and enable VT-d in the BIOS/UEFI
    warning vfio_pci: not loaded -> echo vfio_pci > /etc/modules-load.d/vfio_pci.conf; modprobe vfio_pci
    warning vhost_net: kernel module not found -> install the kernel's extra modules package
    warning RDMA: exclusive mode, RDMA devices are in the host's network namespace: pods have the device nodes but cannot use them -> rdma system set netns shared, before any pod has a network namespace; permanently: options ib_core netns_mode=1 in /etc/modprobe.d
    error CDI: disabled in /etc/containerd/config.toml -> set enable_cdi = true in [plugins."io.containerd.grpc.v1.cri"] of /etc/containerd/config.toml and restart containerd
    error NRI: socket /var/run/nri/nri.sock not found: netdevs cannot be attached to pods -> set disable = false in [plugins."io.containerd.nri.v1.nri"] of /etc/containerd/config.toml and restart containerd
    warning kubelet: topologyManagerPolicy single-numa-node gets no topology hints for DRA devices -> align devices with matchAttribute resource.kubernetes.io/numaNode in the claim
    error registration: the kubelet's plugins_registry directory does not exist -> set --kubelet-root (agent.kubeletRoot) to the kubelet's root directory
    warning state: on a disk: records from before a reboot are detected by their boot ID -> set --state-dir (agent.stateDir) to a directory on a tmpfs, such as /run
    error others: running: the SR-IOV network device plugin: a device can be allocated twice -> separate the devices (agent.exclude, or the selectors of the other), or remove the other from this node
    warning NetworkManager: running, and manages every VF that is returned from a pod -> set unmanaged-devices=driver:iavf;driver:mlx5_core (the drivers of your VFs) in /etc/NetworkManager/conf.d
    "#);
}

#[test]
fn what_cannot_be_read_is_unknown_and_not_ok() {
    insta::assert_snapshot!(lines(&node()), @r#"
    warning VFs: no SR-IOV capable network device found -> enable SR-IOV in the BIOS/UEFI and in the firmware of the NIC
    unknown IOMMU: cannot read sysfs -> run it on the node, or set --root to where the node's file system is mounted
    unknown CDI: no container runtime configuration found -> run it on the node, or set --root to where the node's file system is mounted
    unknown NRI: cannot read /run -> run it on the node, or set --root to where the node's file system is mounted
    unknown kubelet: configuration not found -> run it on the node, or set --root to where the node's file system is mounted
    error registration: the kubelet's plugins_registry directory does not exist -> set --kubelet-root (agent.kubeletRoot) to the kubelet's root directory
    unknown state: the state directory does not exist: no agent has run here
    ok others: no other allocator of these devices among 0 processes and the kubelet's device plugins
    "#);
}

#[test]
fn the_iommu_can_be_disabled_in_the_firmware() {
    let remedy = |processor: &str, line: &str| {
        let (command_line, processor) = (Some(line.to_owned()), Some(processor.to_owned()));
        let findings = run_checks(&Facts {
            iommu_groups: Some(0),
            command_line,
            processor,
            ..node()
        });
        findings
            .into_iter()
            .find(|finding| finding.check == "IOMMU")
            .unwrap()
            .remedy
    };
    assert!(remedy("GenuineIntel", "ro intel_iommu=on").starts_with("enable VT-d"));
    assert!(remedy("AuthenticAMD", "ro").starts_with("enable VT-d"));
    assert!(remedy("AuthenticAMD", "ro amd_iommu=off").starts_with("remove amd_iommu=off"));
}

#[test]
fn facts_are_gathered_below_the_root() {
    let root = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        write_atomic(&root.path().join(path), text.as_bytes(), 0o644).unwrap()
    };
    write("proc/cmdline", "quiet");
    write(
        "proc/cpuinfo",
        "processor\t: 0\nvendor_id\t: GenuineIntel\n",
    );
    write("proc/sys/kernel/osrelease", "6.1.0\n");
    write("proc/17/cmdline", "/usr/bin/sriovdp\0--v=10\0");
    write("proc/18/cmdline", "/usr/bin/vi\0/src/dra-driver-sriov\0");
    write(
        "lib/modules/6.1.0/modules.builtin",
        "kernel/drivers/vhost/vhost_net.ko\n",
    );
    write(
        "lib/modules/6.1.0/modules.dep",
        "kernel/drivers/vfio/pci/vfio-pci.ko.xz: kernel/a.ko\n",
    );
    write("etc/containerd/config.toml", "version = 2\n");
    write(
        "var/lib/kubelet/config.yaml",
        "topologyManagerPolicy: restricted\n",
    );
    write("sys/bus/pci/devices/0000:3b:00.0/sriov_totalvfs", "8\n");
    write("sys/bus/pci/devices/0000:3b:00.0/sriov_numvfs", "2\n");
    write("sys/bus/pci/devices/0000:3b:00.0/class", "0x020000\n");
    write("sys/bus/pci/devices/0000:3c:00.0/sriov_totalvfs", "8\n");
    write("sys/bus/pci/devices/0000:3c:00.0/class", "0x120000\n");
    write("sys/module/ib_core/parameters/netns_mode", "N\n");
    write("run/NetworkManager/devices/2", "");
    write(
        "etc/NetworkManager/conf.d/a.conf",
        "[keyfile]\nunmanaged-devices=driver:iavf\n",
    );
    fs::create_dir_all(root.path().join("sys/kernel/iommu_groups/0")).unwrap();
    fs::create_dir_all(root.path().join("var/lib/kubelet/plugins_registry")).unwrap();
    let facts = gather(&HostPaths {
        root: root.path().to_owned(),
        kubelet: "/var/lib/kubelet".into(),
        cdi: "/var/run/cdi".into(),
        state: "/run/sriov-dra".into(),
        nri: "/var/run/nri/nri.sock".into(),
    });
    let modules = [
        Some(Module::Loadable),
        Some(Module::Loaded),
        Some(Module::Missing),
    ];
    assert_eq!(
        facts
            .modules
            .iter()
            .map(|(_, module)| *module)
            .collect::<Vec<_>>(),
        modules
    );
    assert_eq!(
        facts.pfs,
        [Pf {
            address: "0000:3b:00.0".to_owned(),
            num_vfs: 2,
            total_vfs: 8
        }]
    );
    assert_eq!(
        (facts.iommu_groups, facts.processor.as_deref()),
        (Some(1), Some("GenuineIntel"))
    );
    assert_eq!(
        (facts.other_allocators, facts.network_manager),
        (vec!["the SR-IOV network device plugin"], Some(true))
    );
    assert_eq!(facts.rdma_shared, Some(false));
    assert_eq!(
        (facts.registry, facts.nri, facts.state_in_memory),
        (true, Some(false), None)
    );
    assert!(facts.is_node && facts.runtime.is_some());
    assert_eq!(facts.kubelet, kubelet("restricted"));
}
