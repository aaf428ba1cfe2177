//! Looks after the CNI plugin on the node: others copy their own over it, and pods whose networks it
//! is to attach would be attached by a program that knows no claims.

use std::{sync::Arc, time::Duration};

use tokio::time::{sleep, timeout};

use super::{blocking, dir_events};
use crate::{
    args::{CniInstallArgs, CniPlace, NodeArgs},
    cluster::{Cluster, Event, Subject},
    cni_install::{Replaced, put_back, replaced},
    telemetry::Metrics,
};

/// The directory is looked at this often also without an event.
const PERIOD: Duration = Duration::from_mins(10);
/// A file is copied in many writes.
const SETTLE: Duration = Duration::from_secs(1);
/// Whoever copies again at once is not fought more often than this.
const REST: Duration = Duration::from_secs(30);

/// The plugin on this node.
pub(super) struct CniPlugin {
    /// How it was installed, but for what the record beside it says.
    args: CniInstallArgs,
    reinstall: bool,
    node: String,
    cluster: Arc<dyn Cluster>,
    metrics: Arc<Metrics>,
    reported: Vec<Replaced>,
}

impl CniPlugin {
    /// None: this agent has not installed one.
    pub(super) fn of(
        args: &NodeArgs,
        cluster: &Arc<dyn Cluster>,
        metrics: &Arc<Metrics>,
    ) -> Option<Self> {
        let place = CniPlace {
            bin_dir: args.cni_bin_dir.clone()?,
            config: crate::paths::AGENT_FILE.into(),
            pod_uid: args.pod_uid.clone(),
        };
        Some(Self {
            args: CniInstallArgs {
                place,
                plugin: None,
                infiniband: false,
                keep_original: false,
                state_dir: args.paths.state_dir.clone(),
                cdi_root: args.paths.cdi_root.clone(),
                driver_name: args.driver_name.clone(),
            },
            reinstall: args.cni_reinstall,
            node: args.node_name.clone(),
            cluster: Arc::clone(cluster),
            metrics: Arc::clone(metrics),
            reported: vec![],
        })
    }

    /// Runs until the task is dropped.
    pub(super) async fn run(mut self) {
        let events = dir_events::watch(&self.args.place.bin_dir, PERIOD);
        loop {
            if self.look().await {
                sleep(REST).await;
            }
            // Without an event it is time to look anyway.
            let _ = timeout(PERIOD, events.notified()).await;
            sleep(SETTLE).await;
        }
    }

    /// Reports what was replaced, and puts it back if it is to be; whether that was tried.
    async fn look(&mut self) -> bool {
        let place = self.args.place.clone();
        let now = match blocking(move || replaced(&place)).await {
            Ok(now) => now,
            Err(error) => {
                tracing::warn!("CNI plugin: {error:#}");
                return false;
            }
        };
        self.metrics.cni_plugins_replaced(now.len());
        let news: Vec<Replaced> = now
            .iter()
            .filter(|one| !self.reported.contains(one))
            .cloned()
            .collect();
        self.reported.clone_from(&now);
        for one in &news {
            let note = note(one, self.reinstall);
            tracing::warn!("{note}");
            self.event(true, "CNIPluginReplaced", note).await;
        }
        let puts_back = self.reinstall && !now.is_empty();
        if puts_back {
            self.install().await;
        }
        puts_back
    }

    async fn install(&mut self) {
        let args = self.args.clone();
        match blocking(move || put_back(&args)).await {
            Ok(text) => {
                let note = text.trim().replace('\n', "; ");
                tracing::info!("{note}");
                self.metrics.cni_plugins_replaced(0);
                self.reported.clear();
                self.event(false, "CNIPluginPutBack", note).await;
            }
            Err(error) => tracing::warn!("CNI plugin: cannot be put back: {error:#}"),
        }
    }

    async fn event(&self, warning: bool, reason: &'static str, note: String) {
        let event = Event {
            subject: Subject::Node(self.node.clone()),
            warning,
            reason,
            action: "WatchCNIPlugin",
            note,
        };
        if let Err(error) = self.cluster.event(&event).await {
            tracing::warn!(%error, "event");
        }
    }
}

fn note(replaced: &Replaced, reinstall: bool) -> String {
    let name = replaced.file.file_name().unwrap_or_default().display();
    let what = match replaced.by_another {
        true => "another program has replaced",
        false => "somebody has removed",
    };
    let remedy = match reinstall {
        true => "it is put back",
        false => {
            "stop whatever did it, such as the SR-IOV operator's daemon, and restart this node's agent, \
             or set cni.reinstall"
        }
    };
    format!(
        "{what} the CNI plugin {name} of this node: pods with networks of that type do not get the devices of \
         their claims; {remedy}"
    )
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::{cluster::Memory, cni_install::install, files::write_atomic, slice::Features};

    struct Node {
        dir: tempfile::TempDir,
        cluster: Arc<Memory>,
        plugin: CniPlugin,
    }

    impl Node {
        fn new(reinstall: bool) -> Self {
            let dir = tempfile::tempdir().unwrap();
            fs::create_dir(dir.path().join("bin")).unwrap();
            write_atomic(&dir.path().join("sriov"), b"ours", 0o755).unwrap();
            let place = CniPlace {
                bin_dir: dir.path().join("bin"),
                config: dir.path().join("config.json"),
                pod_uid: "pod-1".to_owned(),
            };
            let cluster = Arc::new(Memory::with(Features {
                counters: true,
                taints: true,
            }));
            let plugin = CniPlugin {
                args: CniInstallArgs {
                    place,
                    plugin: Some(dir.path().join("sriov")),
                    infiniband: false,
                    keep_original: true,
                    state_dir: "/run/sriov-dra".into(),
                    cdi_root: "/var/run/cdi".into(),
                    driver_name: "sriov-dra.io".to_owned(),
                },
                reinstall,
                node: "node".to_owned(),
                cluster: Arc::clone(&cluster) as Arc<dyn Cluster>,
                metrics: Arc::default(),
                reported: vec![],
            };
            let node = Self {
                dir,
                cluster,
                plugin,
            };
            node.install();
            node
        }

        fn install(&self) {
            install(&self.plugin.args).unwrap();
        }

        fn file(&self, name: &str) -> String {
            fs::read_to_string(self.dir.path().join("bin").join(name)).unwrap_or_default()
        }

        fn copy(&self, text: &str) {
            let file: &Path = &self.dir.path().join("bin/sriov");
            write_atomic(file, text.as_bytes(), 0o755).unwrap();
        }

        fn is_replaced(&self) -> bool {
            let text = self.plugin.metrics.text();
            text.contains("\nsriov_dra_cni_plugins_replaced 1\n")
        }

        fn reasons(&self) -> Vec<&'static str> {
            let events = self.cluster.events();
            events.iter().map(|event| event.reason).collect()
        }
    }

    #[tokio::test]
    async fn a_plugin_that_was_replaced_is_reported_once_and_stays() {
        let mut node = Node::new(false);
        assert!(!node.plugin.look().await && !node.is_replaced());
        node.copy("go");
        for _ in 0..2 {
            assert!(!node.plugin.look().await);
            assert!(node.is_replaced());
            assert_eq!(node.reasons(), ["CNIPluginReplaced"]);
        }
        assert_eq!(node.file("sriov"), "go");
        let note = &node.cluster.events()[0].note;
        assert!(
            note.starts_with("another program has replaced the CNI plugin sriov of this node"),
            "{note}"
        );
        // Whoever repairs it is believed, and the next time is another one.
        node.install();
        assert!(!node.plugin.look().await && !node.is_replaced());
        fs::remove_file(node.dir.path().join("bin/sriov")).unwrap();
        node.plugin.look().await;
        assert_eq!(node.reasons(), ["CNIPluginReplaced", "CNIPluginReplaced"]);
        assert!(
            node.cluster.events()[1]
                .note
                .starts_with("somebody has removed")
        );
    }

    #[tokio::test]
    async fn it_is_put_back_where_the_administrator_wants_it() {
        let mut node = Node::new(true);
        node.copy("go 2");
        assert!(node.plugin.look().await);
        assert_eq!(
            (node.file("sriov"), node.file("sriov.orig")),
            ("ours".into(), "go 2".into())
        );
        assert!(!node.is_replaced());
        assert_eq!(node.reasons(), ["CNIPluginReplaced", "CNIPluginPutBack"]);
        assert!(!node.plugin.look().await);
    }
}
