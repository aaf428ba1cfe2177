//! containerd's configuration: versions 1 to 3, with `imports`.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use toml::{Table, Value};

use super::{HostPaths, runtime::Settings, toml_file};

/// What the Go packages of containerd 2 are called in its binary.
const MODULE: &str = "github.com/containerd/containerd/";

/// The settings of a file and all that it imports, as containerd merges them.
pub(super) fn settings(paths: &HostPaths, file: &Path) -> (Option<u32>, Settings) {
    let mut reader = Reader {
        paths,
        read: BTreeSet::new(),
        settings: Settings::default(),
        version: None,
    };
    reader.file(file);
    (reader.version, reader.settings)
}

struct Reader<'p> {
    paths: &'p HostPaths,
    read: BTreeSet<PathBuf>,
    settings: Settings,
    /// Of the main file: those without one are of its version.
    version: Option<u32>,
}

impl Reader<'_> {
    fn file(&mut self, file: &Path) {
        // Files may import each other.
        if !self.read.insert(file.to_owned()) {
            return;
        }
        match toml_file::read(self.paths, file) {
            Some(Ok(table)) => self.table(file, &table),
            Some(Err(fault)) => self.settings.faults.push(fault),
            None => {}
        }
    }

    fn table(&mut self, file: &Path, table: &Table) {
        let version = table.get("version").and_then(Value::as_integer);
        let version = version.and_then(|version| u32::try_from(version).ok());
        let version = version.or(self.version).unwrap_or(1);
        self.version.get_or_insert(version);
        self.settings.merge(of_table(table, version));
        for pattern in toml_file::texts(table, &["imports"]).unwrap_or_default() {
            let dir = file.parent().unwrap_or(Path::new("/"));
            for import in self.paths.glob(&dir.join(pattern)) {
                self.file(&import);
            }
        }
    }
}

/// What one file sets. Each version has another name for the plugin.
fn of_table(table: &Table, version: u32) -> Settings {
    let cri = match version {
        ..=1 => "cri",
        2 => "io.containerd.grpc.v1.cri",
        3.. => "io.containerd.cri.v1.runtime",
    };
    let nri = match version {
        ..=1 => "nri",
        2.. => "io.containerd.nri.v1.nri",
    };
    let flag = |plugin: &str, key: &str| {
        toml_file::at(table, &["plugins", plugin, key]).and_then(Value::as_bool)
    };
    let disabled = toml_file::texts(table, &["disabled_plugins"]).unwrap_or_default();
    let is_off = disabled.iter().any(|plugin| plugin == nri);
    Settings {
        cdi: flag(cri, "enable_cdi"),
        cdi_dirs: toml_file::texts(table, &["plugins", cri, "cdi_spec_dirs"]),
        nri: match is_off {
            true => Some(false),
            false => flag(nri, "disable").map(|disabled| !disabled),
        },
        nri_socket: toml_file::text(table, &["plugins", nri, "socket_path"]),
        faults: Vec::new(),
    }
}

/// The major version of a binary, by the module that it is built from: from 2 on, Go has the major
/// version in the module's path.
pub(super) fn major_version(paths: &HostPaths, binary: &Path) -> Option<u32> {
    let bytes = std::fs::read(paths.at(binary)).ok()?;
    let module = MODULE.as_bytes();
    let after = |at: usize| bytes.get(at + module.len()..at + module.len() + 3);
    let found: Vec<&[u8]> = positions(&bytes, module).filter_map(after).collect();
    let major = |rest: &&[u8]| match rest {
        [b'v', digit @ b'2'..=b'9', b'/'] => Some(u32::from(digit - b'0')),
        _ => None,
    };
    found
        .iter()
        .find_map(major)
        .or_else(|| (!found.is_empty()).then_some(1))
}

fn positions<'b>(bytes: &'b [u8], word: &'b [u8]) -> impl Iterator<Item = usize> + 'b {
    // `g` alone is frequent in a binary of 50 MB: windows are compared only where it is.
    let first = word[0];
    let starts = bytes
        .iter()
        .enumerate()
        .filter(move |(_, byte)| **byte == first);
    starts
        .map(|(at, _)| at)
        .filter(move |at| bytes[*at..].starts_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, version: u32) -> Settings {
        of_table(&text.parse().unwrap(), version)
    }

    #[test]
    fn each_version_has_its_own_names() {
        let v2 = "[plugins.\"io.containerd.grpc.v1.cri\"]\nenable_cdi = true\n";
        assert_eq!((of(v2, 2).cdi, of(v2, 3).cdi), (Some(true), None));
        let v3 = "[plugins.'io.containerd.cri.v1.runtime']\nenable_cdi = false\ncdi_spec_dirs = ['/etc/cdi']\n";
        assert_eq!(of(v3, 3).cdi, Some(false));
        assert_eq!(of(v3, 3).cdi_dirs, Some(vec!["/etc/cdi".to_owned()]));
        let nri = "[plugins.\"io.containerd.nri.v1.nri\"]\ndisable = false\nsocket_path = '/run/nri.sock'\n";
        assert_eq!(of(nri, 2).nri, Some(true));
        assert_eq!(of(nri, 2).nri_socket.as_deref(), Some("/run/nri.sock"));
        assert_eq!(
            of("disabled_plugins = ['io.containerd.nri.v1.nri']", 3).nri,
            Some(false)
        );
    }

    #[test]
    fn a_key_of_another_table_is_another_setting() {
        let other = "# enable_cdi = true\n[plugins.other]\nenable_cdi = true\n";
        assert_eq!(of(other, 2), Settings::default());
    }
}
