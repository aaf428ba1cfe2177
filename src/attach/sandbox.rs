//! A pod as the runtime sees it: what is attached to, and what wants to start.

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// A pod's sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sandbox {
    /// The runtime's id of it. A pod whose sandbox died gets another one with another id.
    pub id: String,
    /// The pod's UID.
    pub pod_uid: String,
    /// The pod's namespace.
    pub namespace: String,
    /// The pod's name.
    pub name: String,
    /// Path of its network namespace; none: the host's. When the sandbox ends it says nothing:
    /// containerd before 2.3 leaves it out.
    pub netns: Option<PathBuf>,
}

/// `namespace/name` of the pod.
impl fmt::Display for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// A container about to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerView {
    /// Its name in the pod.
    pub name: String,
    /// Sources and destinations of its mounts.
    pub mounts: Vec<(PathBuf, PathBuf)>,
}

impl ContainerView {
    /// Sources below a directory.
    pub fn sources_below<'a>(&'a self, dir: &'a Path) -> impl Iterator<Item = &'a Path> {
        self.mounts
            .iter()
            .map(|(source, _)| source.as_path())
            .filter(move |source| source.starts_with(dir))
    }
}
