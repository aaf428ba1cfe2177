//! Where distributions of Kubernetes have their files, unless a process says so.

use std::path::{Path, PathBuf};

use super::{HostPaths, process::Process};

/// containerd's configuration: upstream (Debian, Ubuntu, EKS, Bottlerocket, GKE, AKS), k3s, RKE2,
/// Talos, k0s, MicroK8s.
const CONTAINERD: [&str; 6] = [
    "/var/lib/rancher/k3s/agent/etc/containerd/config.toml",
    "/var/lib/rancher/rke2/agent/etc/containerd/config.toml",
    "/var/snap/microk8s/current/args/containerd.toml",
    "/etc/k0s/containerd.toml",
    "/etc/cri/containerd.toml",
    "/etc/containerd/config.toml",
];

/// containerd's binary, for its version.
const BINARIES: [&str; 6] = [
    "/var/lib/rancher/k3s/data/current/bin/containerd",
    "/var/lib/rancher/rke2/bin/containerd",
    "/snap/microk8s/current/bin/containerd",
    "/var/lib/k0s/bin/containerd",
    "/usr/local/bin/containerd",
    "/usr/bin/containerd",
];

/// The kubelet's configuration: kubeadm (below the kubelet's root), EKS, Bottlerocket, OpenShift,
/// GKE, MicroK8s.
const KUBELET: [&str; 6] = [
    "/etc/kubernetes/kubelet/config.json",
    "/etc/kubernetes/kubelet/kubelet-config.json",
    "/etc/kubernetes/kubelet/config",
    "/etc/kubernetes/kubelet.conf",
    "/home/kubernetes/kubelet-config.yaml",
    "/var/snap/microk8s/current/args/kubelet-config.yaml",
];

/// Directories of drop-ins of the kubelet: EKS, k3s, RKE2, kubeadm.
const KUBELET_DROP_INS: [&str; 4] = [
    "/etc/kubernetes/kubelet/config.json.d",
    "/var/lib/rancher/k3s/agent/etc/kubelet.conf.d",
    "/var/lib/rancher/rke2/agent/etc/kubelet.conf.d",
    "/etc/kubernetes/kubelet.conf.d",
];

/// The kubelet's root directory: everywhere else, it is the default.
const KUBELET_ROOTS: [&str; 5] = [
    "/var/lib/kubelet",
    "/var/lib/k0s/kubelet",
    "/var/snap/microk8s/common/var/lib/kubelet",
    "/var/lib/rancher/k3s/agent/kubelet",
    "/var/lib/rancher/rke2/agent/kubelet",
];

fn exists(paths: &HostPaths, path: impl AsRef<Path>) -> bool {
    paths.at(path).exists()
}

fn first(paths: &HostPaths, all: &[&str]) -> Option<PathBuf> {
    let mut existing = all.iter().filter(|path| exists(paths, path));
    existing.next().map(PathBuf::from)
}

fn running<'p>(processes: &'p [Process], name: &str) -> Option<&'p Process> {
    processes.iter().find(|process| process.name() == name)
}

/// containerd's configuration file.
pub(super) fn containerd(paths: &HostPaths, processes: &[Process]) -> Option<PathBuf> {
    let flag = running(processes, "containerd").and_then(|it| it.flag(&["--config", "-c"]));
    let flag = flag.map(PathBuf::from).filter(|file| exists(paths, file));
    flag.or_else(|| first(paths, &CONTAINERD))
}

/// containerd's binary.
pub(super) fn containerd_binary(paths: &HostPaths, processes: &[Process]) -> Option<PathBuf> {
    let running = running(processes, "containerd").and_then(|it| it.executable(paths));
    let running = running.filter(|file| exists(paths, file));
    running.or_else(|| first(paths, &BINARIES))
}

/// Whether the node runs CRI-O: by its process, else by its socket or its configuration.
pub(super) fn is_crio(paths: &HostPaths, processes: &[Process], containerd: bool) -> bool {
    if running(processes, "containerd").is_some() {
        return false;
    }
    let socket = exists(paths, "/var/run/crio/crio.sock") || exists(paths, "/run/crio/crio.sock");
    let configured = exists(paths, "/etc/crio") && !containerd;
    running(processes, "crio").is_some() || socket || configured
}

/// The kubelet's configuration: its file, and the drop-ins in the order in which they are merged.
pub(super) fn kubelet(paths: &HostPaths, processes: &[Process]) -> Vec<PathBuf> {
    let process = running(processes, "kubelet");
    let flag = |name: &str| process.and_then(|it| it.flag(&[name])).map(PathBuf::from);
    let default = || Some(paths.kubelet.join("config.yaml")).filter(|file| exists(paths, file));
    let main = flag("--config").filter(|file| exists(paths, file));
    let main = main.or_else(default).or_else(|| first(paths, &KUBELET));
    let dirs = flag("--config-dir").into_iter();
    let dirs: Vec<PathBuf> = match process.is_some() {
        true => dirs.collect(),
        false => KUBELET_DROP_INS.iter().map(PathBuf::from).collect(),
    };
    let drop_ins = dirs.iter().flat_map(|dir| {
        let names = paths.names(dir).unwrap_or_default().into_iter();
        // The kubelet takes nothing else.
        let names = names.filter(|name| name.ends_with(".conf"));
        names.map(move |name| dir.join(name))
    });
    main.into_iter().chain(drop_ins).collect()
}

/// The kubelet's root directory, if it is not the one that was given.
pub(super) fn kubelet_root(paths: &HostPaths, processes: &[Process]) -> Option<PathBuf> {
    let flag = running(processes, "kubelet").and_then(|it| it.flag(&["--root-dir"]));
    let known = flag.into_iter().chain(KUBELET_ROOTS).map(PathBuf::from);
    let registry = |root: &PathBuf| paths.at(root.join("plugins_registry")).is_dir();
    known.filter(|root| *root != paths.kubelet).find(registry)
}
