//! On temporary directories, as a node has them.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use tempfile::TempDir;

use super::{Replaced, install, replaced, uninstall};
use crate::{
    args::{CniInstallArgs, CniPlace, CniUninstallArgs},
    files::write_atomic,
    paths::AgentFile,
};

/// A node, and an image with a version of the plugin.
struct Node {
    dir: TempDir,
}

impl Node {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("bin")).unwrap();
        let node = Self { dir };
        node.image("ours 1");
        node
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn image(&self, plugin: &str) {
        self.put("image/sriov", plugin);
    }

    fn put(&self, name: &str, text: &str) {
        write_atomic(&self.path(name), text.as_bytes(), 0o755).unwrap();
    }

    fn place(&self, pod: &str) -> CniPlace {
        CniPlace {
            bin_dir: self.path("bin"),
            config: self.path("net.d/sriov-dra.d/config.json"),
            pod_uid: pod.to_owned(),
        }
    }

    fn args(&self) -> CniInstallArgs {
        CniInstallArgs {
            place: self.place("pod-1"),
            plugin: Some(self.path("image/sriov")),
            infiniband: false,
            keep_original: true,
            state_dir: "/run/sriov-dra".into(),
            cdi_root: "/var/run/cdi".into(),
            driver_name: "sriov-dra.io".to_owned(),
        }
    }

    fn install(&self) -> String {
        self.said(install(&self.args()).unwrap())
    }

    fn uninstall(&self, pod: &str, own: bool) -> String {
        let place = self.place(pod);
        self.said(uninstall(&CniUninstallArgs { place, own }).unwrap())
    }

    /// Without the temporary directory's name.
    fn said(&self, text: String) -> String {
        text.replace(self.dir.path().to_str().unwrap(), "")
    }

    /// Name and content of every file of the node's CNI directory, the record apart.
    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("bin")).unwrap();
        let mut files: Vec<String> = entries
            .map(|entry| {
                let entry = entry.unwrap();
                let text = fs::read_to_string(entry.path()).unwrap();
                format!("{} = {text}", entry.file_name().to_str().unwrap())
            })
            .filter(|file| !file.starts_with(".sriov-dra.json"))
            .collect();
        files.sort();
        files
    }

    fn config(&self) -> Option<AgentFile> {
        AgentFile::read(&self.place("").config).unwrap()
    }
}

#[test]
fn the_plugin_is_installed_with_the_file_that_leads_to_the_agent() {
    let node = Node::new();
    assert_eq!(node.install(), "/bin/sriov is installed\n");
    assert_eq!(node.files(), ["sriov = ours 1"]);
    let mode = fs::metadata(node.path("bin/sriov")).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o755);
    let config = node.config().unwrap();
    assert_eq!(config.socket, PathBuf::from("/run/sriov-dra/cni.sock"));
    assert_eq!(node.install(), "/bin/sriov is up to date\n");
    assert_eq!(node.files(), ["sriov = ours 1"]);
}

#[test]
fn the_original_is_kept_over_all_our_versions_and_put_back() {
    let node = Node::new();
    node.put("bin/sriov", "go");
    assert_eq!(
        node.install(),
        "/bin/sriov is kept as /bin/sriov.orig\n/bin/sriov is installed\n"
    );
    for version in 2..5 {
        node.image(&format!("ours {version}"));
        assert_eq!(node.install(), "/bin/sriov is installed\n");
    }
    assert_eq!(node.files(), ["sriov = ours 4", "sriov.orig = go"]);
    assert_eq!(
        node.uninstall("", false),
        "/bin/sriov is the original again\n"
    );
    assert_eq!(node.files(), ["sriov = go"]);
    assert_eq!(node.config(), None);
    assert_eq!(node.uninstall("", false), "/bin: not installed\n");
    assert_eq!(node.files(), ["sriov = go"]);
}

/// The operator's daemon copies its own at each start.
#[test]
fn a_plugin_that_replaced_ours_is_the_original_from_then_on() {
    let node = Node::new();
    node.put("bin/sriov", "go 1");
    node.install();
    node.put("bin/sriov", "go 2");
    node.install();
    assert_eq!(node.files(), ["sriov = ours 1", "sriov.orig = go 2"]);
    node.put("bin/sriov", "go 3");
    assert_eq!(
        node.uninstall("", false),
        "/bin/sriov is another's and stays\n"
    );
    assert_eq!(node.files(), ["sriov = go 3"]);
}

#[test]
fn without_an_original_nothing_is_left() {
    let node = Node::new();
    node.install();
    assert_eq!(node.uninstall("", false), "/bin/sriov is removed\n");
    assert_eq!(node.files(), Vec::<String>::new());
    assert_eq!(node.config(), None);
}

#[test]
fn an_original_is_not_kept_unless_asked() {
    let node = Node::new();
    node.put("bin/sriov", "go");
    let args = CniInstallArgs {
        keep_original: false,
        ..node.args()
    };
    install(&args).unwrap();
    assert_eq!(node.files(), ["sriov = ours 1"]);
}

/// A kill between the file with the checksums and the plugin: the older one is still ours.
#[test]
fn an_install_that_was_killed_makes_no_original_of_ours() {
    let node = Node::new();
    node.put("bin/sriov", "go");
    node.install();
    node.image("ours 2");
    node.install();
    node.put("bin/sriov", "ours 1");
    node.install();
    assert_eq!(node.files(), ["sriov = ours 2", "sriov.orig = go"]);
}

/// The agent of an update installs before the one that it replaces ends.
#[test]
fn an_agent_that_was_replaced_leaves_the_plugin_of_the_next() {
    let node = Node::new();
    node.install();
    assert_eq!(
        node.uninstall("pod-0", true),
        "/bin: pod pod-1 has installed it since\n"
    );
    assert_eq!(node.files(), ["sriov = ours 1"]);
    assert_eq!(node.uninstall("pod-1", true), "/bin/sriov is removed\n");
}

#[test]
fn what_is_missing_is_named() {
    let node = Node::new();
    let mut args = node.args();
    args.place.bin_dir = node.path("nowhere");
    let error = node.said(install(&args).unwrap_err().to_string());
    assert_eq!(
        error,
        "--bin-dir /nowhere: no such directory; it must be where the container runtime finds CNI plugins"
    );
    fs::remove_file(node.path("image/sriov")).unwrap();
    let error = node.said(install(&node.args()).unwrap_err().to_string());
    assert_eq!(error, "/image/sriov: no such file: the CNI plugin");
    assert_eq!(node.files(), Vec::<String>::new());
}

/// A node that lost the record, as after a restore of some of its files: whatever was kept stays.
#[test]
fn without_its_record_what_was_kept_stays() {
    let node = Node::new();
    node.put("bin/sriov", "go");
    node.install();
    node.put("bin/.sriov-dra.json", "{");
    node.image("ours 2");
    assert_eq!(node.install(), "/bin/sriov is installed\n");
    assert_eq!(node.files(), ["sriov = ours 2", "sriov.orig = go"]);
    node.uninstall("", false);
    assert_eq!(node.files(), ["sriov = go"]);
}

/// Only our own of the newest versions are remembered, and never is one of them the original.
#[test]
fn many_versions_of_ours_are_still_ours() {
    let node = Node::new();
    for version in 0..18 {
        node.image(&format!("ours {version}"));
        node.install();
    }
    assert_eq!(node.files(), ["sriov = ours 17"]);
    node.uninstall("", false);
    assert!(fs::read_dir(node.path("bin")).unwrap().next().is_none());
}

#[test]
fn the_plugin_of_infiniband_is_a_file_of_its_own_with_an_original_of_its_own() {
    let node = Node::new();
    node.put("bin/ib-sriov", "go ib");
    let infiniband = CniInstallArgs {
        infiniband: true,
        ..node.args()
    };
    assert_eq!(
        node.said(install(&infiniband).unwrap()),
        "/bin/ib-sriov is kept as /bin/ib-sriov.orig\n/bin/sriov is installed\n/bin/ib-sriov is installed\n"
    );
    let both = [
        "ib-sriov = ours 1",
        "ib-sriov.orig = go ib",
        "sriov = ours 1",
    ];
    assert_eq!(node.files(), both);
    // Nobody who writes to the one changes the other.
    node.put("bin/ib-sriov", "go ib 2");
    assert_eq!(node.files()[2], "sriov = ours 1");
    install(&infiniband).unwrap();
    assert_eq!(node.files()[1], "ib-sriov.orig = go ib 2");
    // Not wanted any more.
    assert_eq!(
        node.install(),
        "/bin/ib-sriov is the original again\n/bin/sriov is up to date\n"
    );
    assert_eq!(node.files(), ["ib-sriov = go ib 2", "sriov = ours 1"]);
    install(&infiniband).unwrap();
    node.uninstall("", false);
    assert_eq!(node.files(), ["ib-sriov = go ib 2"]);
}

#[test]
fn what_an_earlier_version_installed_is_known() {
    let node = Node::new();
    node.put("bin/ib-sriov", "go ib");
    node.install();
    let record = fs::read_to_string(node.path("bin/.sriov-dra.json")).unwrap();
    let earlier = record.replace(r#","plugins":["sriov"],"keepOriginal":true"#, "");
    assert_ne!(record, earlier);
    node.put("bin/.sriov-dra.json", &earlier);
    assert_eq!(node.uninstall("", false), "/bin/sriov is removed\n");
    assert_eq!(node.files(), ["ib-sriov = go ib"]);
}

#[test]
fn a_plugin_that_is_replaced_or_removed_is_noticed() {
    let node = Node::new();
    let seen = || replaced(&node.place("pod-1")).unwrap();
    assert_eq!(seen(), [], "nothing is installed");
    node.install();
    assert_eq!(seen(), []);
    let other = |by_another| Replaced {
        file: node.path("bin/sriov"),
        by_another,
    };
    node.put("bin/sriov", "go");
    assert_eq!(seen(), [other(true)]);
    fs::remove_file(node.path("bin/sriov")).unwrap();
    assert_eq!(seen(), [other(false)]);
    node.install();
    node.image("ours 2");
    node.install();
    assert_eq!(seen(), [], "an agent that takes over has installed its own");
    node.uninstall("", false);
    assert_eq!(seen(), []);
}
