//! The node's files, below the directory where its root file system is mounted.

use std::{
    ffi::OsString,
    fs,
    path::{Component, Path, PathBuf},
};

/// As many links as the kernel follows in one path (`MAXSYMLINKS` of include/linux/namei.h).
const MAX_LINKS: u32 = 40;

/// Where the node's files are.
#[derive(Debug, Clone)]
pub struct HostPaths {
    /// The node's root file system.
    pub root: PathBuf,
    /// The kubelet's root directory.
    pub kubelet: PathBuf,
    /// The directory of CDI specs.
    pub cdi: PathBuf,
    /// The agent's state directory.
    pub state: PathBuf,
    /// The NRI socket.
    pub nri: PathBuf,
}

impl HostPaths {
    /// The path below the root. Symbolic links are followed as the node follows them: an absolute
    /// one, such as `/var/run -> /run`, starts at the root again and not at ours.
    pub(super) fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        let mut at = PathBuf::new();
        let mut pending = components(path.as_ref());
        let mut links = 0;
        while let Some(name) = pending.pop() {
            if name == ".." {
                at.pop();
                continue;
            }
            let next = at.join(&name);
            match fs::read_link(self.root.join(&next)) {
                Ok(target) if links < MAX_LINKS => {
                    links += 1;
                    if target.is_absolute() {
                        at.clear();
                    }
                    pending.extend(components(&target));
                }
                _ => at = next,
            }
        }
        self.root.join(at)
    }

    pub(super) fn text(&self, path: impl AsRef<Path>) -> Option<String> {
        fs::read_to_string(self.at(path)).ok()
    }

    /// The files that match a pattern with `*` and `?` in its last name, sorted.
    pub(super) fn glob(&self, pattern: &Path) -> Vec<PathBuf> {
        let name = pattern.file_name().unwrap_or_default().to_string_lossy();
        let Some(dir) = pattern.parent().filter(|_| name.contains(['*', '?'])) else {
            return vec![pattern.to_owned()];
        };
        let names = self.names(dir).unwrap_or_default().into_iter();
        let matching = names.filter(|found| matches(name.as_bytes(), found.as_bytes()));
        matching.map(|name| dir.join(name)).collect()
    }

    pub(super) fn names(&self, path: impl AsRef<Path>) -> Option<Vec<String>> {
        let entries = fs::read_dir(self.at(path)).ok()?;
        let mut names: Vec<String> = entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        Some(names)
    }
}

fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => (0..=name.len()).any(|at| matches(rest, &name[at..])),
        ([b'?', rest @ ..], [_, others @ ..]) => matches(rest, others),
        ([one, rest @ ..], [other, others @ ..]) => one == other && matches(rest, others),
        _ => false,
    }
}

/// The names of a path, the last one first.
fn components(path: &Path) -> Vec<OsString> {
    let name = |component: Component<'_>| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    };
    path.components().rev().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_do_not_leave_the_root() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        fs::create_dir_all(root.join("run/nri")).unwrap();
        fs::create_dir_all(root.join("var")).unwrap();
        symlink("/run", root.join("var/run")).unwrap();
        symlink("../../../run/nri", root.join("var/above")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        let paths = HostPaths {
            root: root.to_owned(),
            kubelet: PathBuf::new(),
            cdi: PathBuf::new(),
            state: PathBuf::new(),
            nri: PathBuf::new(),
        };
        for (path, at) in [
            ("/var/run/nri/nri.sock", "run/nri/nri.sock"),
            ("/var/above/x", "run/nri/x"),
            ("/../etc/./crio", "etc/crio"),
            ("/loop", "loop"),
            ("/missing/file", "missing/file"),
        ] {
            assert_eq!(paths.at(path), root.join(at), "{path}");
        }
    }
}
