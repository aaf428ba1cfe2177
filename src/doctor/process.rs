//! The processes of the node, and the flags of some.

use std::path::{Path, PathBuf};

use super::HostPaths;

/// A process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Process {
    pid: String,
    arguments: Vec<String>,
}

/// All processes that are visible.
pub(super) fn all(paths: &HostPaths) -> Vec<Process> {
    let names = paths.names("/proc").unwrap_or_default().into_iter();
    let pids = names.filter(|name| name.chars().all(|c| c.is_ascii_digit()));
    let process = |pid: String| {
        let line = paths.text(Path::new("/proc").join(&pid).join("cmdline"))?;
        let arguments = line.trim_end_matches('\0').split('\0');
        let arguments = arguments.map(str::to_owned).collect();
        Some(Process { pid, arguments })
    };
    pids.filter_map(process).collect()
}

impl Process {
    /// The name of its executable.
    pub(super) fn name(&self) -> &str {
        let path = self.arguments.first().map_or("", String::as_str);
        path.rsplit('/').next().unwrap_or_default()
    }

    /// Its executable, as on the node.
    pub(super) fn executable(&self, paths: &HostPaths) -> Option<PathBuf> {
        let link = paths.at("/proc").join(&self.pid).join("exe");
        std::fs::read_link(link).ok()
    }

    /// The value of a flag, `--config FILE` or `--config=FILE`, by any of its names.
    pub(super) fn flag(&self, names: &[&str]) -> Option<&str> {
        let mut arguments = self.arguments.iter().skip(1);
        while let Some(argument) = arguments.next() {
            let (name, value) = match argument.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (argument.as_str(), None),
            };
            if names.contains(&name) {
                return value.or_else(|| arguments.next().map(String::as_str));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_have_their_value_after_a_space_or_an_equals_sign() {
        let process = |line: &str| Process {
            pid: "1".to_owned(),
            arguments: line.split(' ').map(str::to_owned).collect(),
        };
        let flag = |line: &str| process(line).flag(&["--config", "-c"]).map(str::to_owned);
        for line in [
            "/usr/bin/containerd --config a",
            "containerd -l x -c a",
            "c --config=a",
        ] {
            assert_eq!(flag(line).as_deref(), Some("a"), "{line}");
        }
        assert_eq!(flag("containerd --root --config"), None);
        assert_eq!(process("/usr/bin/containerd -c a").name(), "containerd");
    }
}
