//! Gathers the facts from the node's file system.

use std::path::Path;

use super::{Facts, HostPaths, Module, Pf};

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
    let processes = processes(paths);
    Facts {
        iommu_groups: paths.at("/sys/kernel").is_dir().then(|| {
            paths
                .names("/sys/kernel/iommu_groups")
                .map_or(0, |groups| groups.len())
        }),
        command_line: paths.text("/proc/cmdline"),
        processor: processor(paths),
        modules: MODULES.map(|name| (name, module(paths, name))).to_vec(),
        containerd: paths.text("/etc/containerd/config.toml"),
        crio: paths.at("/etc/crio").is_dir(),
        cdi: paths.at(&paths.cdi).is_dir(),
        nri: paths.at(&paths.nri).exists(),
        kubelet: paths.text(paths.kubelet.join("config.yaml")),
        registry: paths.at(paths.kubelet.join("plugins_registry")).is_dir(),
        state_in_memory: state
            .is_dir()
            .then(|| crate::files::in_memory(&state).unwrap_or(false)),
        processes: processes.len(),
        other_allocators: other_allocators(&processes),
        pfs: pfs(paths),
        rdma_shared: rdma_shared(paths),
        network_manager: network_manager(paths),
    }
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

/// The command lines of all processes.
fn processes(paths: &HostPaths) -> Vec<String> {
    let names = paths.names("/proc").unwrap_or_default();
    let pids = names
        .iter()
        .filter(|name| name.chars().all(|c| c.is_ascii_digit()));
    pids.filter_map(|pid| paths.text(Path::new("/proc").join(pid).join("cmdline")))
        .collect()
}

fn other_allocators(processes: &[String]) -> Vec<&'static str> {
    let runs = |word: &str| processes.iter().any(|line| executable(line) == Some(word));
    OTHER_ALLOCATORS
        .iter()
        .filter(|(word, _)| runs(word))
        .map(|(_, what)| *what)
        .collect()
}

/// The name of the program of a command line, whose arguments end in NUL.
fn executable(command_line: &str) -> Option<&str> {
    command_line.split('\0').next()?.rsplit('/').next()
}

fn pfs(paths: &HostPaths) -> Vec<Pf> {
    let devices = Path::new("/sys/bus/pci/devices");
    let number = |address: &str, file: &str| {
        paths
            .text(devices.join(address).join(file))?
            .trim()
            .parse()
            .ok()
    };
    // PCI base class 02: network controller.
    let is_network = |address: &str| {
        paths
            .text(devices.join(address).join("class"))
            .is_some_and(|class| class.starts_with("0x02"))
    };
    let pf = |address: String| {
        let total_vfs = number(&address, "sriov_totalvfs")?;
        let num_vfs = number(&address, "sriov_numvfs").unwrap_or(0);
        is_network(&address).then_some(Pf {
            address,
            num_vfs,
            total_vfs,
        })
    };
    paths
        .names(devices)
        .unwrap_or_default()
        .into_iter()
        .filter_map(pf)
        .collect()
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
