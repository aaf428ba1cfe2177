//! Every path on the host that the driver reads or writes: no other module names one.

mod agent_file;

use std::path::{Path, PathBuf};

pub use agent_file::{AGENT_FILE, AgentFile};

/// Roots and directories. Tests and the demo use a temporary directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// sysfs.
    pub sys: PathBuf,
    /// procfs.
    pub proc: PathBuf,
    /// udev's runtime directory; without its `control` socket there is no udev.
    pub udev: PathBuf,
    /// Device nodes.
    pub dev: PathBuf,
    /// State that does not survive a reboot: records, metadata of attached devices. A tmpfs.
    pub run: PathBuf,
    /// CDI specs that the runtime reads.
    pub cdi: PathBuf,
    /// The kubelet's root directory.
    pub kubelet: PathBuf,
    /// Locks of devices, shared with the Go SR-IOV CNI plugin.
    pub vf_locks: PathBuf,
    /// State of the Go SR-IOV CNI plugin: what it has attached.
    pub go_cache: PathBuf,
    /// State that survives a reboot.
    pub lib: PathBuf,
    /// NRI's socket.
    pub nri: PathBuf,
    /// Device information for Multus: its root.
    pub devinfo: PathBuf,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            sys: "/sys".into(),
            proc: "/proc".into(),
            udev: "/run/udev".into(),
            dev: "/dev".into(),
            run: "/run/sriov-dra".into(),
            cdi: "/var/run/cdi".into(),
            kubelet: "/var/lib/kubelet".into(),
            vf_locks: "/var/lib/cni/sriov/pci/vf_lock".into(),
            go_cache: "/var/lib/cni/sriov".into(),
            lib: "/var/lib/cni/sriov-dra".into(),
            nri: "/var/run/nri/nri.sock".into(),
            devinfo: "/var/run/k8s.cni.cncf.io/devinfo".into(),
        }
    }
}

impl Paths {
    /// All below one directory, for tests and the demo.
    #[must_use]
    pub fn below(root: &Path) -> Self {
        let plain = Self::default();
        let below = |path: &Path| root.join(path.strip_prefix("/").unwrap_or(path));
        Self {
            sys: below(&plain.sys),
            proc: below(&plain.proc),
            udev: below(&plain.udev),
            dev: below(&plain.dev),
            run: below(&plain.run),
            cdi: below(&plain.cdi),
            kubelet: below(&plain.kubelet),
            vf_locks: below(&plain.vf_locks),
            go_cache: below(&plain.go_cache),
            lib: below(&plain.lib),
            nri: below(&plain.nri),
            devinfo: below(&plain.devinfo),
        }
    }

    /// One record per claim.
    #[must_use]
    pub fn records(&self) -> PathBuf {
        self.run.join("claims")
    }

    /// What IPAM plugins have assigned to claims, or may have.
    #[must_use]
    pub fn leases(&self) -> PathBuf {
        self.lib.join("leases")
    }

    /// One record per attachment that is no claim's.
    #[must_use]
    pub fn attachments(&self) -> PathBuf {
        self.run.join("attachments")
    }

    /// One record per provisioned port.
    #[must_use]
    pub fn ports(&self) -> PathBuf {
        self.run.join("ports")
    }

    /// Start gates: files that exist only while a claim's netdev is in its pod; containers of the
    /// claim mount them.
    #[must_use]
    pub fn attached(&self) -> PathBuf {
        self.run.join("attached")
    }

    /// Notes about devices that outlive claims.
    #[must_use]
    pub fn notes(&self) -> PathBuf {
        self.run.join("devices")
    }

    /// The networks of pods, for the CNI binary.
    #[must_use]
    pub fn pods(&self) -> PathBuf {
        self.run.join("pods")
    }

    /// Device information files, this driver's and those of device plugins.
    #[must_use]
    pub fn device_info(&self) -> PathBuf {
        self.devinfo.join("dp")
    }

    /// One list per claim: which of these files are its.
    #[must_use]
    pub fn device_info_lists(&self) -> PathBuf {
        self.run.join("device-info")
    }

    /// Locks of claims, PFs and the agent itself.
    #[must_use]
    pub fn locks(&self) -> PathBuf {
        self.run.join("locks")
    }

    /// The agent's socket for the CNI plugin.
    #[must_use]
    pub fn cni_socket(&self) -> PathBuf {
        self.run.join("cni.sock")
    }

    /// The lock of the agent that writes this node's slices.
    #[must_use]
    pub fn slices_lock(&self) -> PathBuf {
        self.run.join("slices.lock")
    }

    /// The lock of the agent that sets containers' variables.
    #[must_use]
    pub fn env_lock(&self) -> PathBuf {
        self.run.join("env.lock")
    }

    /// The lock of the agent that is to write them next.
    #[must_use]
    pub fn slices_next(&self) -> PathBuf {
        self.run.join("slices.next")
    }
}
