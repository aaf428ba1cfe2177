//! The facts, from the node's files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Facts, Module, Pf};

/// What claims may ask of the kernel.
const MODULES: [&str; 3] = ["vfio_pci", "vhost_net", "vhost_vdpa"];

/// Programs that give VFs away, by a word of their command line.
const RIVALS: [(&str, &str); 3] = [
    ("sriovdp", "the SR-IOV network device plugin"),
    (
        "network-resources-injector",
        "the network resources injector",
    ),
    ("dra-driver-sriov", "another DRA driver for SR-IOV"),
];

/// Where to look.
#[derive(Debug, Clone)]
pub struct Places {
    /// Where the node's `/` is.
    pub root: PathBuf,
    /// The kubelet's root directory.
    pub kubelet: PathBuf,
    /// CDI specs.
    pub cdi: PathBuf,
    /// Records of claims.
    pub state: PathBuf,
    /// NRI's socket.
    pub nri: PathBuf,
}

impl Places {
    fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    fn text(&self, path: impl AsRef<Path>) -> Option<String> {
        fs::read_to_string(self.at(path)).ok()
    }

    fn names(&self, path: impl AsRef<Path>) -> Option<Vec<String>> {
        let entries = fs::read_dir(self.at(path)).ok()?;
        let mut names: Vec<String> = entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        Some(names)
    }
}

/// Looks at everything. What cannot be read is left out.
#[must_use]
pub fn gather(places: &Places) -> Facts {
    let state = places.at(&places.state);
    let processes = processes(places);
    Facts {
        iommu_groups: places.at("/sys/kernel").is_dir().then(|| {
            places
                .names("/sys/kernel/iommu_groups")
                .map_or(0, |groups| groups.len())
        }),
        command_line: places.text("/proc/cmdline"),
        processor: processor(places),
        modules: MODULES.map(|name| (name, module(places, name))).to_vec(),
        containerd: places.text("/etc/containerd/config.toml"),
        crio: places.at("/etc/crio").is_dir(),
        cdi: places.at(&places.cdi).is_dir(),
        nri: places.at(&places.nri).exists(),
        kubelet: places.text(places.kubelet.join("config.yaml")),
        registry: places.at(places.kubelet.join("plugins_registry")).is_dir(),
        state_in_memory: state
            .is_dir()
            .then(|| crate::files::in_memory(&state).unwrap_or(false)),
        processes: processes.len(),
        rivals: rivals(&processes),
        pfs: pfs(places),
        rdma_shared: rdma_shared(places),
        network_manager: network_manager(places),
    }
}

fn processor(places: &Places) -> Option<String> {
    let text = places.text("/proc/cpuinfo")?;
    let maker = text
        .lines()
        .find_map(|line| line.strip_prefix("vendor_id")?.split(':').nth(1));
    maker.map(|maker| maker.trim().to_owned())
}

/// `/sys/module` has what is loaded; what is built in is there only if it has parameters.
fn module(places: &Places, name: &str) -> Option<Module> {
    if places.at("/sys/module").join(name).is_dir() {
        return Some(Module::There);
    }
    let release = places.text("/proc/sys/kernel/osrelease")?;
    let list = |list: &str| places.text(Path::new("/lib/modules").join(release.trim()).join(list));
    let file = |text: &str| text.lines().any(|line| is_module(line, name));
    match (
        list("modules.builtin").as_deref().map(file),
        list("modules.dep").as_deref().map(file),
    ) {
        (Some(true), _) => Some(Module::There),
        (_, Some(true)) => Some(Module::Loadable),
        (None, None) => None,
        _ => Some(Module::Missing),
    }
}

/// `kernel/drivers/vfio/pci/vfio-pci.ko.xz: …` is `vfio_pci`.
fn is_module(line: &str, name: &str) -> bool {
    let path = line.split(':').next().unwrap_or_default();
    let file = path.rsplit('/').next().unwrap_or_default();
    file.split(".ko")
        .next()
        .unwrap_or_default()
        .replace('-', "_")
        == name
}

/// Their command lines.
fn processes(places: &Places) -> Vec<String> {
    let names = places.names("/proc").unwrap_or_default();
    let pids = names
        .iter()
        .filter(|name| name.chars().all(|c| c.is_ascii_digit()));
    pids.filter_map(|pid| places.text(Path::new("/proc").join(pid).join("cmdline")))
        .collect()
}

fn rivals(processes: &[String]) -> Vec<&'static str> {
    let runs = |word: &str| {
        processes
            .iter()
            .any(|line| line.split(['\0', '/']).any(|part| part == word))
    };
    RIVALS
        .iter()
        .filter(|(word, _)| runs(word))
        .map(|(_, what)| *what)
        .collect()
}

fn pfs(places: &Places) -> Vec<Pf> {
    let devices = Path::new("/sys/bus/pci/devices");
    let number = |address: &str, file: &str| {
        places
            .text(devices.join(address).join(file))?
            .trim()
            .parse()
            .ok()
    };
    let is_network = |address: &str| {
        places
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
    places
        .names(devices)
        .unwrap_or_default()
        .into_iter()
        .filter_map(pf)
        .collect()
}

/// What `rdma system show` tells (drivers/infiniband/core/device.c).
fn rdma_shared(places: &Places) -> Option<bool> {
    Some(
        places
            .text("/sys/module/ib_core/parameters/netns_mode")?
            .trim()
            == "Y",
    )
}

fn network_manager(places: &Places) -> Option<bool> {
    if !places.at("/run/NetworkManager/devices").is_dir() {
        return None;
    }
    let dirs = [
        "/etc/NetworkManager/conf.d",
        "/usr/lib/NetworkManager/conf.d",
        "/run/NetworkManager/conf.d",
    ];
    let files = dirs.iter().flat_map(|dir| {
        places
            .names(dir)
            .unwrap_or_default()
            .into_iter()
            .map(move |name| Path::new(dir).join(name))
    });
    let all = files.chain(["/etc/NetworkManager/NetworkManager.conf".into()]);
    Some(
        all.filter_map(|file| places.text(file))
            .any(|text| text.contains("unmanaged-devices")),
    )
}
