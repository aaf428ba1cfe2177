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

fn healthy() -> Facts {
    Facts {
        iommu_groups: Some(42),
        modules: vec![("vfio_pci", Some(Module::Loaded))],
        containerd: Some("version = 3\n".to_owned()),
        cdi: true,
        nri: true,
        kubelet: Some("topologyManagerPolicy: none\n".to_owned()),
        registry: true,
        state_in_memory: Some(true),
        pfs: vec![Pf {
            address: "0000:3b:00.0".to_owned(),
            num_vfs: 7,
            total_vfs: 8,
        }],
        ..Facts::default()
    }
}

#[test]
fn a_healthy_node_is_fine() {
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
fn everything_that_is_wrong_has_a_remedy() {
    let facts = Facts {
        iommu_groups: Some(0),
        command_line: Some("quiet".to_owned()),
        processor: Some("GenuineIntel".to_owned()),
        modules: vec![
            ("vfio_pci", Some(Module::Loadable)),
            ("vhost_net", Some(Module::Missing)),
        ],
        containerd: Some("version = 2\nenable_cdi = false\n".to_owned()),
        kubelet: Some("topologyManagerPolicy: single-numa-node\n".to_owned()),
        state_in_memory: Some(false),
        other_allocators: vec!["the SR-IOV network device plugin"],
        pfs: vec![Pf {
            address: "0000:3b:00.0".to_owned(),
            num_vfs: 0,
            total_vfs: 8,
        }],
        rdma_shared: Some(false),
        network_manager: Some(false),
        ..Facts::default()
    };
    insta::assert_snapshot!(lines(&facts), @r#"
    warning VFs: 1 PFs without VFs, 0000:3b:00.0 could have 8 -> echo N > /sys/bus/pci/devices/0000:3b:00.0/sriov_numvfs, by a boot unit
    warning IOMMU: no groups: vfio-pci does not work -> intel_iommu=on iommu=pt on the kernel's command line, and VT-d in the firmware
    warning vfio_pci: not loaded -> echo vfio_pci > /etc/modules-load.d/vfio_pci.conf; modprobe vfio_pci
    warning vhost_net: the kernel has no such module -> install the kernel's extra modules
    warning RDMA: each device is in one network namespace, the host's: pods have its nodes and cannot use it -> rdma system set netns shared, while no pod has a namespace yet; options ib_core netns_mode=1 in /etc/modprobe.d
    error CDI: off in containerd -> enable_cdi = true under [plugins."io.containerd.grpc.v1.cri"], then restart containerd
    error NRI: the runtime's socket is not there: no netdev gets into a pod -> disable = false under [plugins."io.containerd.nri.v1.nri"], then restart containerd
    warning kubelet: topologyManagerPolicy single-numa-node gets no hints of these devices -> align devices by matchAttribute resource.kubernetes.io/numaNode in the claim
    error registration: the kubelet's plugins_registry is not there -> name the kubelet's directory by --kubelet-root (agent.kubeletRoot)
    warning state: on a disk: guarded by the boot's id -> put --state-dir (agent.stateDir) on a tmpfs, as /run is
    error others: here is the SR-IOV network device plugin: a device may be given away twice -> keep their devices apart (agent.exclude, their selectors), or remove them from this node
    warning NetworkManager: runs, and takes every VF that comes back from a pod for its own -> unmanaged-devices=driver:iavf;driver:mlx5_core (your VFs' drivers) in /etc/NetworkManager/conf.d
    "#);
}

#[test]
fn what_is_not_seen_is_unknown_and_not_fine() {
    insta::assert_snapshot!(lines(&Facts::default()), @r#"
    warning VFs: no network card with SR-IOV -> switch SR-IOV on in the firmware, of card and machine
    unknown IOMMU: sysfs cannot be read -> run it on the node, or with --root where the node's files are mounted
    unknown CDI: neither a runtime's configuration nor the CDI directory is seen -> run it on the node, or with --root where the node's files are mounted
    error NRI: the runtime's socket is not there: no netdev gets into a pod -> switch NRI on in the runtime: containerd 1.7 needs disable = false, CRI-O 1.30 has it on
    unknown kubelet: its configuration is not seen -> run it on the node, or with --root where the node's files are mounted
    error registration: the kubelet's plugins_registry is not there -> name the kubelet's directory by --kubelet-root (agent.kubeletRoot)
    unknown state: the directory is not there: no agent has run here
    ok others: none that gives the same devices away, among the 0 processes here
    "#);
}

#[test]
fn the_iommu_may_be_off_in_the_firmware() {
    let remedy = |processor: &str, line: &str| {
        let (command_line, processor) = (Some(line.to_owned()), Some(processor.to_owned()));
        let findings = run_checks(&Facts {
            iommu_groups: Some(0),
            command_line,
            processor,
            ..Facts::default()
        });
        findings
            .into_iter()
            .find(|finding| finding.check == "IOMMU")
            .unwrap()
            .remedy
    };
    assert!(remedy("GenuineIntel", "ro intel_iommu=on").starts_with("switch on VT-d"));
    assert!(remedy("AuthenticAMD", "ro").starts_with("switch on VT-d"));
    assert!(remedy("AuthenticAMD", "ro amd_iommu=off").starts_with("take amd_iommu=off"));
}

#[test]
fn a_node_is_read_below_its_root() {
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
        (true, false, None)
    );
    assert!(facts.kubelet.is_some() && facts.containerd.is_some());
}
