//! The networks of a pod, as the agent writes them down for the CNI binary: one file per pod.
//!
//! ```text
//!  <run>/pods/<uid>.json     version, the pod, its networks: default network first, then in the
//!                            order of the annotation
//! ```
//!
//! Additions do not change the version, and a reader ignores what it does not know. The agent writes
//! the file anew when it looks at the pod again, so it preserves nothing of another version.

use std::{collections::BTreeSet, fmt, fs, io, net::IpAddr, path::PathBuf, str::FromStr};

use serde::{Deserialize, Serialize};

use super::NadRef;
use crate::{device::ParseError, files::Disk, ledger::is_file_name, paths::Paths};

/// The format's version.
pub const VERSION: u32 = 1;

/// A pod and its networks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodNetworks {
    /// Major version of the format.
    pub version: u32,
    /// `metadata.uid` of the pod.
    pub uid: PodUid,
    /// Its `metadata.namespace`.
    pub namespace: String,
    /// Its `metadata.name`.
    pub name: String,
    /// Names of the ResourceClaims that it uses, in its namespace. A claim that several pods share
    /// is prepared for the first of them only, so its record does not name the others.
    #[serde(default)]
    pub claims: BTreeSet<String>,
    /// Default network first, if it has its own, then in the order of the annotation.
    #[serde(default)]
    pub networks: Vec<Network>,
    /// Why its annotations could not be read; then no network is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// One network of a pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Network {
    /// Its NetworkAttachmentDefinition.
    pub nad: NadRef,
    /// The interface's name as the annotation requests it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// Whether it is the pod's default network.
    #[serde(default, rename = "default")]
    pub is_default: bool,
    /// The NetworkAttachmentDefinition's annotation `k8s.v1.cni.cncf.io/resourceName`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<String>,
    /// `name` that the plugin finds in its stdin; none: see `error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conf_name: Option<String>,
    /// `type` that the plugin finds in its stdin; none: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conf_type: Option<String>,
    /// Whether the plugin `bandwidth` is chained and has a rate to limit it to.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub limits_bandwidth: bool,
    /// Gateways of the default routes that the annotation asks for through this interface.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gateways: Vec<IpAddr>,
    /// Why its NetworkAttachmentDefinition could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl PodNetworks {
    /// The networks with the position by which Multus names interfaces: the first network after the
    /// default one is at 1.
    pub fn positions(&self) -> impl Iterator<Item = (usize, &Network)> {
        let mut last = 0;
        self.networks.iter().map(move |network| {
            last += usize::from(!network.is_default);
            (last, network)
        })
    }
}

/// A pod's UID. It names files, so only `[0-9A-Za-z._-]`, 1 to 128 of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PodUid(String);

impl PodUid {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PodUid {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if is_file_name(text, 128, plain) {
            return Ok(Self(text.to_owned()));
        }
        let right = "must be 1 to 128 of a-z, A-Z, 0-9, '.', '_' and '-'";
        Err(ParseError::new("pod UID", text, right))
    }
}

impl TryFrom<String> for PodUid {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl From<PodUid> for String {
    fn from(uid: PodUid) -> Self {
        uid.0
    }
}

impl fmt::Display for PodUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The files of all pods.
#[derive(Debug, Clone)]
pub struct PodFiles {
    dir: PathBuf,
    disk: Disk,
}

impl PodFiles {
    /// Those of this node.
    #[must_use]
    pub fn new(paths: &Paths, disk: Disk) -> Self {
        Self {
            dir: paths.pods(),
            disk,
        }
    }

    /// Writes a pod's file.
    ///
    /// # Errors
    /// The operating system's.
    pub fn write(&self, pod: &PodNetworks) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(pod)?;
        self.disk.write(&self.path(&pod.uid), &text, 0o600)
    }

    /// The pod's file; none if there is none.
    ///
    /// # Errors
    /// The operating system's, or that the content is not of this version, with the path.
    pub fn load(&self, uid: &PodUid) -> io::Result<Option<PodNetworks>> {
        let path = self.path(uid);
        let wrong = |reason: String| io::Error::other(format!("{}: {reason}", path.display()));
        let text = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|error| wrong(error.to_string()))?,
        };
        let pod: PodNetworks =
            serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        match pod.version {
            VERSION => Ok(Some(pod)),
            other => Err(wrong(format!("has version {other}, must be {VERSION}"))),
        }
    }

    /// UIDs of the pods that have a file. None have any while the directory does not exist.
    ///
    /// # Errors
    /// The operating system's.
    pub fn uids(&self) -> io::Result<Vec<PodUid>> {
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            read => read?,
        };
        let names: Vec<_> = entries
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect::<io::Result<_>>()?;
        let uid = |name: &std::ffi::OsString| name.to_str()?.strip_suffix(".json")?.parse().ok();
        let mut uids: Vec<PodUid> = names.iter().filter_map(uid).collect();
        uids.sort();
        Ok(uids)
    }

    /// The pods of that namespace and name: several if one was deleted and made again. Files that
    /// cannot be read are left out.
    ///
    /// # Errors
    /// The operating system's.
    pub fn named(&self, namespace: &str, name: &str) -> io::Result<Vec<PodNetworks>> {
        let pods = self
            .uids()?
            .into_iter()
            .filter_map(|uid| self.load(&uid).ok().flatten());
        Ok(pods
            .filter(|pod| pod.namespace == namespace && pod.name == name)
            .collect())
    }

    /// Removes a pod's file. Absent is success.
    ///
    /// # Errors
    /// The operating system's.
    pub fn remove(&self, uid: &PodUid) -> io::Result<()> {
        self.disk.remove(&self.path(uid))
    }

    fn path(&self, uid: &PodUid) -> PathBuf {
        self.dir.join(format!("{uid}.json"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(uid: &str, name: &str) -> PodNetworks {
        PodNetworks {
            version: VERSION,
            uid: uid.parse().unwrap(),
            namespace: "shop".to_owned(),
            name: name.to_owned(),
            claims: BTreeSet::new(),
            networks: Vec::new(),
            error: None,
        }
    }

    #[test]
    fn a_file_is_written_found_and_removed() {
        let root = tempfile::tempdir().unwrap();
        let files = PodFiles::new(&Paths::below(root.path()), Disk::default());
        assert_eq!(files.uids().unwrap(), []);
        assert_eq!(files.named("shop", "web").unwrap(), []);
        let (old, new) = (pod("old", "web"), pod("new", "web"));
        for pod in [&old, &new, &pod("x", "db")] {
            files.write(pod).unwrap();
        }
        assert_eq!(files.load(&old.uid).unwrap().as_ref(), Some(&old));
        assert_eq!(files.named("shop", "web").unwrap(), [new, old.clone()]);
        assert_eq!(files.named("other", "web").unwrap(), []);
        files.remove(&old.uid).unwrap();
        files.remove(&old.uid).unwrap();
        assert_eq!(files.load(&old.uid).unwrap(), None);
        assert_eq!(files.uids().unwrap().len(), 2);
    }

    #[test]
    fn a_later_version_may_add_but_not_change() {
        let root = tempfile::tempdir().unwrap();
        let paths = Paths::below(root.path());
        let files = PodFiles::new(&paths, Disk::default());
        let write = |text: &str| {
            let path = paths.pods().join("u.json");
            Disk::default()
                .write(&path, text.as_bytes(), 0o600)
                .unwrap();
            files.load(&"u".parse().unwrap())
        };
        let added = r#"{"version":1,"uid":"u","namespace":"shop","name":"web","later":1,
            "networks":[{"nad":{"namespace":"n","name":"a","later":2},"later":[]}]}"#;
        let read = write(added).unwrap().unwrap();
        assert_eq!(read.networks[0].nad.to_string(), "n/a");
        assert!(!read.networks[0].is_default);
        let changed = write(&added.replace("\"version\":1", "\"version\":2")).unwrap_err();
        assert!(
            changed
                .to_string()
                .ends_with("u.json: has version 2, must be 1"),
            "{changed}"
        );
        assert!(write("{").unwrap_err().to_string().contains("u.json: EOF"));
    }

    #[test]
    fn a_uid_cannot_leave_its_directory() {
        assert!(
            "5f0c7f0e-8e6f-4a44-9d3b-7f2f6a5f4f3e"
                .parse::<PodUid>()
                .is_ok()
        );
        for bad in ["", "..", "../x", "a/b", "-a", &"a".repeat(129)] {
            assert!(bad.parse::<PodUid>().is_err(), "{bad}");
        }
    }

    #[test]
    fn only_networks_after_the_default_one_are_counted() {
        let network = |is_default| Network {
            nad: NadRef {
                namespace: "n".to_owned(),
                name: "a".to_owned(),
            },
            interface: None,
            is_default,
            resource_name: None,
            conf_name: None,
            conf_type: None,
            limits_bandwidth: false,
            gateways: vec![],
            error: None,
        };
        let mut pod = pod("u", "web");
        pod.networks = [true, false, false].map(network).to_vec();
        let positions: Vec<usize> = pod.positions().map(|(position, _)| position).collect();
        assert_eq!(positions, [0, 1, 2]);
    }
}
