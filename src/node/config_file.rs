//! Where the node's config.json is: a file, or a directory (a mounted ConfigMap) with a file per
//! node.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use crate::args::NodeArgs;

/// The file for nodes that have none of their own.
const FOR_ALL: &str = "config.json";
/// What a node without a file in the directory has.
const NO_POOLS: &str = "{\"resourceList\": []}";

/// A place that may change at any time.
#[derive(Debug, Clone)]
pub(crate) struct ConfigFile {
    path: PathBuf,
    node: String,
}

/// The place that the flags name.
pub(super) fn of(args: &NodeArgs) -> Option<ConfigFile> {
    args.config_file
        .clone()
        .map(|path| ConfigFile::new(path, &args.node_name))
}

impl ConfigFile {
    pub(crate) fn new(path: PathBuf, node: &str) -> Self {
        Self {
            path,
            node: node.to_owned(),
        }
    }

    /// The text that is there now. A directory that has files for other nodes only gives this one
    /// no pools; an empty one says nothing.
    pub(crate) fn read(&self) -> Result<String, String> {
        if !self.path.is_dir() {
            return text(&self.path);
        }
        for name in [&*self.node, FOR_ALL] {
            let file = self.path.join(name);
            if file.exists() {
                return text(&file);
            }
        }
        // The kubelet's own links begin with two dots.
        let others = |entry: &fs::DirEntry| !entry.file_name().to_string_lossy().starts_with("..");
        match fs::read_dir(&self.path)
            .map_err(|error| error.to_string())?
            .flatten()
            .any(|entry| others(&entry))
        {
            true => Ok(NO_POOLS.to_owned()),
            false => Err("there is no file in it".to_owned()),
        }
    }
}

fn text(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => error.to_string(),
    })
}

impl fmt::Display for ConfigFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::write_atomic;

    #[test]
    fn a_directory_has_a_file_per_node_and_one_for_all() {
        let dir = tempfile::tempdir().unwrap();
        let file = ConfigFile::new(dir.path().to_owned(), "node-1");
        let write =
            |name: &str| write_atomic(&dir.path().join(name), name.as_bytes(), 0o600).unwrap();
        write("..data");
        assert_eq!(file.read(), Err("there is no file in it".to_owned()));
        write("node-2");
        assert_eq!(file.read().as_deref(), Ok(NO_POOLS));
        write("config.json");
        assert_eq!(file.read().as_deref(), Ok("config.json"));
        write("node-1");
        assert_eq!(file.read().as_deref(), Ok("node-1"));
    }
}
