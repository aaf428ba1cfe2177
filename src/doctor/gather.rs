//! Gathers the facts from the node's file system.

use std::path::Path;

use super::{
    Facts, HostPaths, Kind, Module, Pf, Runtime, containerd, crio, kubelet, layout,
    process::{self, Process},
};

/// Where sysfs has the PCI devices.
const PCI: &str = "/sys/bus/pci/devices";

/// Kernel modules that claims can need.
const MODULES: [&str; 3] = ["vfio_pci", "vhost_net", "vhost_vdpa"];

/// Other programs that allocate VFs, by the name of their executable. An argument that has the word
/// is an editor's or a compiler's.
const OTHER_ALLOCATORS: [(&str, &str); 3] = [
    ("sriovdp", "the SR-IOV network device plugin"),
    (
        "network-resources-injector",
        "the network resources injector",
    ),
    ("dra-driver-sriov", "another DRA driver for SR-IOV"),
];

/// Gathers all facts. What cannot be read is `None` or empty.
#[must_use]
pub fn gather(paths: &HostPaths) -> Facts {
    let state = paths.at(&paths.state);
    let processes = process::all(paths);
    let functions = network_functions(paths);
    let run = paths.at("/run").is_dir() || paths.at("/var/run").is_dir();
    Facts {
        root: paths.root.display().to_string(),
        is_node: is_node(paths),
        iommu_groups: paths.at("/sys/kernel").is_dir().then(|| {
            paths
                .names("/sys/kernel/iommu_groups")
                .map_or(0, |groups| groups.len())
        }),
        command_line: paths.text("/proc/cmdline"),
        processor: processor(paths),
        modules: MODULES.map(|name| (name, module(paths, name))).to_vec(),
        runtime: runtime(paths, &processes),
        cdi: paths.cdi.display().to_string(),
        nri: run.then(|| paths.at(&paths.nri).exists()),
        nri_socket: paths.nri.display().to_string(),
        kubelet: kubelet::read(paths, &processes),
        registry: paths.at(paths.kubelet.join("plugins_registry")).is_dir(),
        kubelet_root: layout::kubelet_root(paths, &processes)
            .map(|root| root.display().to_string()),
        state_in_memory: state
            .is_dir()
            .then(|| crate::files::in_memory(&state).unwrap_or(false)),
        processes: processes.len(),
        other_allocators: other_allocators(&processes),
        plugin_resources: plugin_resources(paths, &functions),
        pfs: pfs(paths, &functions),
        rdma_shared: rdma_shared(paths),
        network_manager: network_manager(paths),
    }
}

/// Whether the root is a node's: an empty directory, or a wrong one, has none of these.
fn is_node(paths: &HostPaths) -> bool {
    let dirs = ["/etc", "/proc", "/sys", "/var/lib", "/run"];
    let has_some = |dir: &&str| paths.names(dir).is_some_and(|names| !names.is_empty());
    dirs.iter().any(has_some)
}

/// The container runtime that runs, or else that is configured.
fn runtime(paths: &HostPaths, processes: &[Process]) -> Option<Runtime> {
    let containerd = layout::containerd(paths, processes);
    let binary = layout::containerd_binary(paths, processes);
    if layout::is_crio(paths, processes, containerd.is_some()) {
        return Some(Runtime {
            kind: Kind::Crio,
            file: crio::DIR.to_owned(),
            version: None,
            settings: crio::settings(paths),
        });
    }
    let (version, settings) = match &containerd {
        Some(file) => containerd::settings(paths, file),
        None => Default::default(),
    };
    let major = binary
        .as_deref()
        .and_then(|binary| containerd::major_version(paths, binary));
    // Only containerd 2 reads version 3.
    let major = major.or(version.filter(|version| *version >= 3).map(|_| 2));
    // Before 2, there is no NRI socket unless the configuration says so.
    let has_nri = settings.nri.is_none() && paths.at(&paths.nri).exists();
    let major = major.or(has_nri.then_some(2));
    let file = containerd.or(binary.map(|_| "/etc/containerd/config.toml".into()))?;
    Some(Runtime {
        kind: Kind::Containerd(major),
        file: file.display().to_string(),
        version,
        settings,
    })
}

fn processor(paths: &HostPaths) -> Option<String> {
    let text = paths.text("/proc/cpuinfo")?;
    let maker = text
        .lines()
        .find_map(|line| line.strip_prefix("vendor_id")?.split(':').nth(1));
    maker.map(|maker| maker.trim().to_owned())
}

/// `/sys/module` has all loaded modules, but built-in ones only if they have parameters: those are
/// looked up in `modules.builtin`.
fn module(paths: &HostPaths, name: &str) -> Option<Module> {
    if paths.at("/sys/module").join(name).is_dir() {
        return Some(Module::Loaded);
    }
    let release = paths.text("/proc/sys/kernel/osrelease")?;
    let list = |list: &str| paths.text(Path::new("/lib/modules").join(release.trim()).join(list));
    let file = |text: &str| text.lines().any(|line| is_module(line, name));
    match (
        list("modules.builtin").as_deref().map(file),
        list("modules.dep").as_deref().map(file),
    ) {
        (Some(true), _) => Some(Module::Loaded),
        (_, Some(true)) => Some(Module::Loadable),
        (None, None) => None,
        _ => Some(Module::Missing),
    }
}

/// Whether a line such as `kernel/drivers/vfio/pci/vfio-pci.ko.xz: …` is of the module `vfio_pci`.
fn is_module(line: &str, name: &str) -> bool {
    let path = line.split(':').next().unwrap_or_default();
    let file = path.rsplit('/').next().unwrap_or_default();
    file.split(".ko")
        .next()
        .unwrap_or_default()
        .replace('-', "_")
        == name
}

fn other_allocators(processes: &[Process]) -> Vec<&'static str> {
    let runs = |name: &str| processes.iter().any(|process| process.name() == name);
    let running = OTHER_ALLOCATORS.iter().filter(|(name, _)| runs(name));
    running.map(|(_, what)| *what).collect()
}

/// The resources of device plugins that consist of this node's network functions.
fn plugin_resources(paths: &HostPaths, functions: &[String]) -> Vec<(String, usize)> {
    let resources = kubelet::device_plugins(paths).into_iter();
    let own = resources.map(|(name, devices)| {
        let own = devices.iter().filter(|device| functions.contains(device));
        (name, own.count())
    });
    own.filter(|(_, own)| *own > 0).collect()
}

/// The addresses of the functions of PCI base class 02, network controllers.
fn network_functions(paths: &HostPaths) -> Vec<String> {
    let is_network = |address: &String| {
        let class = paths.text(Path::new(PCI).join(address).join("class"));
        class.is_some_and(|class| class.starts_with("0x02"))
    };
    let all = paths.names(PCI).unwrap_or_default().into_iter();
    all.filter(is_network).collect()
}

fn pfs(paths: &HostPaths, functions: &[String]) -> Vec<Pf> {
    let number = |address: &str, file: &str| {
        let text = paths.text(Path::new(PCI).join(address).join(file))?;
        text.trim().parse().ok()
    };
    let pf = |address: &String| {
        Some(Pf {
            address: address.clone(),
            total_vfs: number(address, "sriov_totalvfs")?,
            num_vfs: number(address, "sriov_numvfs").unwrap_or(0),
        })
    };
    functions.iter().filter_map(pf).collect()
}

/// The mode that `rdma system show` prints, from `ib_core`'s parameter
/// (drivers/infiniband/core/device.c).
fn rdma_shared(paths: &HostPaths) -> Option<bool> {
    Some(
        paths
            .text("/sys/module/ib_core/parameters/netns_mode")?
            .trim()
            == "Y",
    )
}

fn network_manager(paths: &HostPaths) -> Option<bool> {
    // The directory exists only while NetworkManager runs.
    if !paths.at("/run/NetworkManager/devices").is_dir() {
        return None;
    }
    let dirs = [
        "/etc/NetworkManager/conf.d",
        "/usr/lib/NetworkManager/conf.d",
        "/run/NetworkManager/conf.d",
    ];
    let files = dirs.iter().flat_map(|dir| {
        paths
            .names(dir)
            .unwrap_or_default()
            .into_iter()
            .map(move |name| Path::new(dir).join(name))
    });
    let all = files.chain(["/etc/NetworkManager/NetworkManager.conf".into()]);
    Some(
        all.filter_map(|file| paths.text(file))
            .any(|text| text.contains("unmanaged-devices")),
    )
}
