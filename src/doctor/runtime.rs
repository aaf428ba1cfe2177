//! The container runtime's configuration, whichever runtime it is: what it says of CDI and NRI.

/// Which runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// containerd; the major version if it is known.
    Containerd(Option<u32>),
    /// CRI-O.
    Crio,
}

impl Kind {
    /// As it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Containerd(_) => "containerd",
            Self::Crio => "CRI-O",
        }
    }

    /// Whether CDI and NRI are enabled where the configuration does not say so. CRI-O has had CDI
    /// from 1.23 and NRI from 1.30 on; containerd has both from 2.0 on.
    #[must_use]
    pub fn default(self) -> Option<bool> {
        match self {
            Self::Containerd(major) => major.map(|major| major >= 2),
            Self::Crio => Some(true),
        }
    }
}

/// What the configuration says; `None`: nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// CDI is enabled.
    pub cdi: Option<bool>,
    /// The directories of CDI specs.
    pub cdi_dirs: Option<Vec<String>>,
    /// NRI is enabled.
    pub nri: Option<bool>,
    /// NRI's socket.
    pub nri_socket: Option<String>,
    /// Files that cannot be read, with the reason.
    pub faults: Vec<String>,
}

impl Settings {
    /// What a later file sets wins.
    pub(super) fn merge(&mut self, later: Self) {
        self.cdi = later.cdi.or(self.cdi);
        self.cdi_dirs = later.cdi_dirs.or(self.cdi_dirs.take());
        self.nri = later.nri.or(self.nri);
        self.nri_socket = later.nri_socket.or(self.nri_socket.take());
        self.faults.extend(later.faults);
    }
}

/// The runtime of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runtime {
    /// Which one.
    pub kind: Kind,
    /// Its main file, or the directory of all, as on the node.
    pub file: String,
    /// The version of containerd's configuration.
    pub version: Option<u32>,
    /// What it says.
    pub settings: Settings,
}
