//! The files of the distributions of Kubernetes, and what is found in them.

use std::{fs, os::unix::fs::symlink, path::Path};

use super::*;

/// Go's name of a package in a binary of containerd 1 and 2.
const V1: &str =
    "\x7fELF...github.com/containerd/containerd/pkg/cri\0github.com/containerd/containerd/api";
const V2: &str =
    "\x7fELF...github.com/containerd/containerd/api\0github.com/containerd/containerd/v2/pkg/cri";
const CRI: &str = "[plugins.\"io.containerd.grpc.v1.cri\"]\n";
const NRI: &str = "[plugins.\"io.containerd.nri.v1.nri\"]\n";

/// A root with these files; a text that begins with `->` is a link.
fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match text.strip_prefix("-> ") {
            Some(target) => symlink(target, path).unwrap(),
            None if path.to_string_lossy().ends_with('/') => fs::create_dir_all(path).unwrap(),
            None => write_atomic(&path, text.as_bytes(), 0o644).unwrap(),
        }
    }
    root
}

fn facts(root: &Path) -> Facts {
    gather(&HostPaths {
        root: root.to_owned(),
        kubelet: "/var/lib/kubelet".into(),
        cdi: "/var/run/cdi".into(),
        state: "/run/sriov-dra".into(),
        nri: "/var/run/nri/nri.sock".into(),
    })
}

/// What is said of the runtime and the kubelet.
fn found(files: &[(&str, &str)]) -> String {
    let root = root(files);
    let all = lines(&facts(root.path()));
    let of = |line: &&str| {
        let checks = ["CDI", "NRI", "kubelet", "registration"];
        checks.iter().any(|check| {
            line.split_once(": ")
                .is_some_and(|(name, _)| name.ends_with(check))
        })
    };
    all.lines().filter(of).collect::<Vec<_>>().join("\n")
}

const REGISTRY: (&str, &str) = ("var/lib/kubelet/plugins_registry/x", "");
const SOCKET: (&str, &str) = ("run/nri/nri.sock", "");
const VAR_RUN: (&str, &str) = ("var/run", "-> /run");

#[test]
fn debian_has_containerd_1_and_ubuntu_2_with_a_configuration_of_version_2() {
    let config = ("etc/containerd/config.toml", "version = 2\n");
    let kubelet = (
        "var/lib/kubelet/config.yaml",
        "topologyManagerPolicy: none\n",
    );
    let with = |binary: &str, more: &[(&str, &str)]| {
        let files = [
            VAR_RUN,
            REGISTRY,
            config,
            kubelet,
            ("usr/bin/containerd", binary),
        ];
        found(&[&files, more].concat())
    };
    insta::assert_snapshot!(with(V1, &[("run/x", "")]), @r#"
    error CDI: not enabled in /etc/containerd/config.toml: disabled by default in containerd 1.7 -> set enable_cdi = true in [plugins."io.containerd.grpc.v1.cri"] of /etc/containerd/config.toml and restart containerd
    error NRI: socket /var/run/nri/nri.sock not found: netdevs cannot be attached to pods -> set disable = false in [plugins."io.containerd.nri.v1.nri"] of /etc/containerd/config.toml and restart containerd
    ok kubelet: no topologyManagerPolicy that needs topology hints
    ok registration: the kubelet's plugins_registry directory exists
    "#);
    insta::assert_snapshot!(with(V2, &[SOCKET]), @r#"
    ok CDI: enabled by default in containerd 2
    ok NRI: socket found
    ok kubelet: no topologyManagerPolicy that needs topology hints
    ok registration: the kubelet's plugins_registry directory exists
    "#);
    insta::assert_snapshot!(with("no Go binary", &[SOCKET]), @r#"
    ok CDI: enabled by default in containerd 2
    ok NRI: socket found
    ok kubelet: no topologyManagerPolicy that needs topology hints
    ok registration: the kubelet's plugins_registry directory exists
    "#);
}

#[test]
fn settings_are_found_in_imports() {
    let main = format!(
        "version = 2\nimports = [\"/etc/containerd/conf.d/*.toml\", \"more.toml\"]\n{CRI}enable_cdi = false\n"
    );
    let drop_in = format!(
        "version = 2\nimports = [\"/etc/containerd/config.toml\"]\n{CRI}enable_cdi = true\n"
    );
    let nri = format!("{NRI}disable = false\nsocket_path = \"/run/other.sock\"\n");
    let files = [
        REGISTRY,
        ("run/x", ""),
        ("etc/containerd/config.toml", &*main),
        ("etc/containerd/conf.d/10-cdi.toml", &*drop_in),
        ("etc/containerd/conf.d/ignored.txt", "enable_cdi = \n"),
        ("etc/containerd/more.toml", &*nri),
        ("usr/bin/containerd", V1),
    ];
    insta::assert_snapshot!(found(&files), @r#"
    ok CDI: enabled in /etc/containerd/config.toml
    error NRI: socket /var/run/nri/nri.sock not found: netdevs cannot be attached to pods -> set --nri-socket (agent.nriSocket) to /run/other.sock, as in /etc/containerd/config.toml
    unknown kubelet: configuration not found -> run it on the node, or set --root to where the node's file system is mounted
    ok registration: the kubelet's plugins_registry directory exists
    "#);
}

#[test]
fn k3s_and_rke2_have_their_own_directories() {
    let of = |name: &str, version: &str, binary: &str| {
        let agent = format!("var/lib/rancher/{name}/agent/etc");
        let config = format!("{agent}/containerd/config.toml");
        let drop_in = format!("{agent}/kubelet.conf.d/00-defaults.conf");
        let data = match name {
            "k3s" => "var/lib/rancher/k3s/data/current/bin/containerd",
            _ => "var/lib/rancher/rke2/bin/containerd",
        };
        let policy = "kind: KubeletConfiguration\ntopologyManagerPolicy: best-effort\n";
        found(&[
            VAR_RUN,
            REGISTRY,
            ("run/x", ""),
            (&config, version),
            (&drop_in, policy),
            (data, binary),
            // Another containerd that is installed beside it.
            (
                "etc/containerd/config.toml",
                "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\"]\nenable_cdi = false\n",
            ),
        ])
    };
    insta::assert_snapshot!(of("k3s", "version = 3\n", V2), @r#"
    ok CDI: enabled by default in containerd 2
    error NRI: socket /var/run/nri/nri.sock not found: netdevs cannot be attached to pods -> NRI is enabled in containerd: restart k3s, and see its log
    warning kubelet: topologyManagerPolicy best-effort gets no topology hints for DRA devices -> align devices with matchAttribute resource.kubernetes.io/numaNode in the claim
    ok registration: the kubelet's plugins_registry directory exists
    "#);
    insta::assert_snapshot!(of("rke2", "version = 2\n", V1), @r#"
    error CDI: not enabled in /var/lib/rancher/rke2/agent/etc/containerd/config.toml: disabled by default in containerd 1.7 -> set enable_cdi = true in [plugins."io.containerd.grpc.v1.cri"] of /var/lib/rancher/rke2/agent/etc/containerd/config.toml.tmpl, a copy of the file and restart rke2
    error NRI: socket /var/run/nri/nri.sock not found: netdevs cannot be attached to pods -> set disable = false in [plugins."io.containerd.nri.v1.nri"] of /var/lib/rancher/rke2/agent/etc/containerd/config.toml.tmpl, a copy of the file and restart rke2
    warning kubelet: topologyManagerPolicy best-effort gets no topology hints for DRA devices -> align devices with matchAttribute resource.kubernetes.io/numaNode in the claim
    ok registration: the kubelet's plugins_registry directory exists
    "#);
}

#[test]
fn eks_has_the_kubelets_configuration_elsewhere() {
    let al2023 = [
        VAR_RUN,
        REGISTRY,
        SOCKET,
        ("etc/containerd/config.toml", "version = 3\n"),
        (
            "etc/kubernetes/kubelet/config.json",
            "{\"topologyManagerPolicy\": \"none\"}",
        ),
        (
            "etc/kubernetes/kubelet/config.json.d/40-user.conf",
            "{\"topologyManagerPolicy\": \"restricted\"}",
        ),
        ("etc/kubernetes/kubelet/config.json.d/README", "no JSON: ["),
    ];
    insta::assert_snapshot!(found(&al2023), @r#"
    ok CDI: enabled by default in containerd 2
    ok NRI: socket found
    warning kubelet: topologyManagerPolicy restricted gets no topology hints for DRA devices -> align devices with matchAttribute resource.kubernetes.io/numaNode in the claim
    ok registration: the kubelet's plugins_registry directory exists
    "#);
    let bottlerocket = [
        VAR_RUN,
        REGISTRY,
        SOCKET,
        ("etc/containerd/config.toml", "version = 2\n"),
        (
            "etc/kubernetes/kubelet/config",
            "topologyManagerPolicy: none\n",
        ),
        (
            "proc/7/cmdline",
            "/usr/bin/containerd\0--config\0/etc/containerd/config.toml\0",
        ),
        ("proc/7/exe", "-> /usr/libexec/containerd"),
        ("usr/libexec/containerd", V2),
        (
            "proc/8/cmdline",
            "/usr/bin/kubelet\0--config=/etc/kubernetes/kubelet/config\0--topology-manager-policy=single-numa-node\0",
        ),
    ];
    insta::assert_snapshot!(found(&bottlerocket), @r#"
    ok CDI: enabled by default in containerd 2
    ok NRI: socket found
    warning kubelet: topologyManagerPolicy single-numa-node gets no topology hints for DRA devices -> align devices with matchAttribute resource.kubernetes.io/numaNode in the claim
    ok registration: the kubelet's plugins_registry directory exists
    "#);
}

#[test]
fn openshift_has_drop_ins_of_crio() {
    let with = |drop_in: &str, more: &[(&str, &str)]| {
        let files = [
            VAR_RUN,
            REGISTRY,
            ("run/x", ""),
            (
                "etc/crio/crio.conf.d/00-default",
                "[crio.runtime]\nlog_level = \"info\"\n",
            ),
            ("etc/crio/crio.conf.d/01-nri", drop_in),
            (
                "etc/kubernetes/kubelet.conf",
                "{\"topologyManagerPolicy\": \"single-numa-node\"}",
            ),
        ];
        found(&[&files, more].concat())
    };
    insta::assert_snapshot!(with("[crio.nri]\nenable_nri = false\n", &[]), @r#"
    ok CDI: enabled by default in CRI-O
    error NRI: socket /var/run/nri/nri.sock not found: netdevs cannot be attached to pods -> set enable_nri = true in [crio.nri] of a file in /etc/crio/crio.conf.d and restart CRI-O
    warning kubelet: topologyManagerPolicy single-numa-node gets no topology hints for DRA devices -> align devices with matchAttribute resource.kubernetes.io/numaNode in the claim
    ok registration: the kubelet's plugins_registry directory exists
    "#);
    insta::assert_snapshot!(with("[crio.nri]\nenable_nri = true\n", &[SOCKET]), @r#"
    ok CDI: enabled by default in CRI-O
    ok NRI: socket found
    warning kubelet: topologyManagerPolicy single-numa-node gets no topology hints for DRA devices -> align devices with matchAttribute resource.kubernetes.io/numaNode in the claim
    ok registration: the kubelet's plugins_registry directory exists
    "#);
    let socket = "[crio.nri]\nnri_listen = \"/run/crio/nri.sock\"\n[crio.runtime]\ncdi_spec_dirs = [\"/etc/cdi\"]\n";
    // A containerd beside it that does not run.
    let beside = [
        ("proc/9/cmdline", "/usr/bin/crio\0"),
        ("etc/containerd/config.toml", "version = 1\n"),
    ];
    insta::assert_snapshot!(with(socket, &beside), @r#"
    error CDI: /etc/crio has cdi_spec_dirs /etc/cdi, without /var/run/cdi -> add /var/run/cdi to cdi_spec_dirs and restart CRI-O, or set --cdi-root (agent.cdiRoot) to one of them
    error NRI: socket /var/run/nri/nri.sock not found: netdevs cannot be attached to pods -> set --nri-socket (agent.nriSocket) to /run/crio/nri.sock, as in /etc/crio
    warning kubelet: topologyManagerPolicy single-numa-node gets no topology hints for DRA devices -> align devices with matchAttribute resource.kubernetes.io/numaNode in the claim
    ok registration: the kubelet's plugins_registry directory exists
    "#);
}

#[test]
fn another_root_directory_of_the_kubelet_is_named() {
    let k0s = [
        VAR_RUN,
        SOCKET,
        ("var/lib/k0s/kubelet/plugins_registry/x", ""),
        ("etc/k0s/containerd.toml", "version = 3\n"),
    ];
    insta::assert_snapshot!(found(&k0s), @r#"
    ok CDI: enabled by default in containerd 2
    ok NRI: socket found
    unknown kubelet: configuration not found -> run it on the node, or set --root to where the node's file system is mounted
    error registration: the kubelet's plugins_registry directory does not exist -> set --kubelet-root (agent.kubeletRoot) to /var/lib/k0s/kubelet, the kubelet's root directory of this node
    "#);
    let flag = [
        VAR_RUN,
        SOCKET,
        ("data/kubelet/plugins_registry/x", ""),
        (
            "proc/8/cmdline",
            "/usr/bin/kubelet\0--root-dir\0/data/kubelet\0",
        ),
    ];
    assert!(found(&flag).contains("set --kubelet-root (agent.kubeletRoot) to /data/kubelet,"));
}

#[test]
fn a_file_that_cannot_be_parsed_is_not_ok() {
    let files = [
        VAR_RUN,
        REGISTRY,
        SOCKET,
        ("etc/containerd/config.toml", "version = 3\nversion = 2\n"),
        ("var/lib/kubelet/config.yaml", "a: ["),
    ];
    insta::assert_snapshot!(found(&files), @r#"
    unknown CDI: cannot parse the configuration of containerd: /etc/containerd/config.toml: duplicate key -> correct the file
    ok NRI: socket found
    unknown kubelet: cannot parse the configuration: /var/lib/kubelet/config.yaml: error: line 1 column 4: unclosed bracket '[' -> correct the file
    ok registration: the kubelet's plugins_registry directory exists
    "#);
}

#[test]
fn an_empty_root_has_no_node_files() {
    let root = tempfile::tempdir().unwrap();
    let findings = run_checks(&facts(root.path()));
    assert_eq!(findings.len(), 1);
    let expected = format!("no node files here: {}", root.path().display());
    assert_eq!(
        (findings[0].verdict, &findings[0].found),
        (Verdict::Error, &expected)
    );
    let missing = run_checks(&facts(&root.path().join("missing")));
    assert!(missing[0].found.starts_with("no node files here: "));
    // What is not mounted there is unknown.
    let etc = super::layouts::root(&[("etc/os-release", "")]);
    let all = lines(&facts(etc.path()));
    assert!(all.contains("unknown NRI: cannot read /run"), "{all}");
}

#[test]
fn resources_of_device_plugins_with_functions_of_the_node_are_found() {
    let checkpoint = r#"{"Data": {"PodDeviceEntries": null, "RegisteredDevices": {
        "intel.com/sriov": ["0000:3b:02.0", "0000:3b:02.1"], "nvidia.com/gpu": ["GPU-1"], "x.com/fpga": ["0000:5e:00.0"]}}, "Checksum": 1}"#;
    let files = [
        (
            "var/lib/kubelet/device-plugins/kubelet_internal_checkpoint",
            checkpoint,
        ),
        ("sys/bus/pci/devices/0000:3b:02.0/class", "0x020000\n"),
        ("sys/bus/pci/devices/0000:3b:02.1/class", "0x020000\n"),
        ("sys/bus/pci/devices/0000:5e:00.0/class", "0x120000\n"),
        // Not the device plugin: a compiler.
        ("proc/9/cmdline", "/usr/bin/go\0build\0./cmd/sriovdp\0"),
    ];
    let root = root(&files);
    let findings = run_checks(&facts(root.path()));
    let others = findings
        .iter()
        .find(|finding| finding.check == "others")
        .unwrap();
    assert_eq!(others.verdict, Verdict::Warning);
    assert_eq!(
        others.found,
        "device plugins registered network functions of this node as intel.com/sriov (2 functions): a device can be allocated twice"
    );
}
