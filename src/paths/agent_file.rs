//! Where a node's agent is, for programs that are started by others: the CNI plugin, which has only
//! the environment and the configuration that the runtime gives it.
//!
//! `sriov-dra cni install` writes it with the plugin, `cni uninstall` removes it with it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::files::write_durable;

/// Where the plugin looks for it. Not configurable: whoever starts the plugin passes nothing of
/// ours.
pub const AGENT_FILE: &str = "/etc/cni/net.d/sriov-dra.d/config.json";

/// The file's content. Fields that a reader does not know are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentFile {
    /// Directory of the agent's state, as [`super::Paths::run`].
    pub state_dir: PathBuf,
    /// The agent's socket for the plugin.
    pub socket: PathBuf,
    /// Name of the driver.
    pub driver_name: String,
    /// Directory of CDI specs, as [`super::Paths::cdi`].
    pub cdi_root: PathBuf,
}

impl AgentFile {
    /// The file at a path, if there is one.
    ///
    /// # Errors
    /// The operating system's, and invalid JSON.
    pub fn read(path: &Path) -> io::Result<Option<Self>> {
        match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => Ok(Some(serde_json::from_slice(&read?)?)),
        }
    }

    /// Writes it, readable for all: it has no secret.
    ///
    /// # Errors
    /// The operating system's.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        write_durable(path, &text, 0o644)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sriov-dra.d/config.json");
        assert_eq!(AgentFile::read(&path).unwrap(), None);
        let file = AgentFile {
            state_dir: "/run/sriov-dra".into(),
            socket: "/run/sriov-dra/cni.sock".into(),
            driver_name: "sriov-dra.io".to_owned(),
            cdi_root: "/var/run/cdi".into(),
        };
        file.write(&path).unwrap();
        assert_eq!(AgentFile::read(&path).unwrap(), Some(file));
        insta::assert_snapshot!(fs::read_to_string(&path).unwrap(), @r#"
        {
          "stateDir": "/run/sriov-dra",
          "socket": "/run/sriov-dra/cni.sock",
          "driverName": "sriov-dra.io",
          "cdiRoot": "/var/run/cdi"
        }
        "#);
    }

    #[test]
    fn fields_of_a_newer_version_are_ignored() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.json");
        let newer =
            r#"{"stateDir": "/a", "socket": "/b", "driverName": "c", "cdiRoot": "/d", "more": 1}"#;
        crate::files::write_atomic(&path, newer.as_bytes(), 0o644).unwrap();
        let file = AgentFile::read(&path).unwrap().unwrap();
        assert_eq!(file.driver_name, "c");
    }
}
