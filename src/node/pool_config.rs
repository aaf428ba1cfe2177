//! The node's pools: `config.json`, read again when it changes. A bad one is reported, and the last
//! good one stays.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::{sync::Notify, time::sleep};

use super::{changes::Changes, config_file::ConfigFile};
use crate::{
    device::{DeviceId, LinkType},
    inventory::Inventory,
    pool::{Assignment, Candidate, Config},
    publish::Published,
};

/// A ConfigMap's change takes the kubelet up to a minute; this is added to it.
const LOOK: Duration = Duration::from_secs(5);

/// The file, and what was last read of it.
#[derive(Debug)]
pub(super) struct PoolConfig {
    file: Option<ConfigFile>,
    prefix: String,
    read: Option<Result<String, String>>,
    good: Option<Config>,
    fault: Option<String>,
    logged: BTreeSet<String>,
    empty: Changes,
}

impl PoolConfig {
    /// Without a file there are no pools.
    pub(super) fn new(file: Option<ConfigFile>, prefix: &str) -> Self {
        let good = file.is_none().then(Config::default);
        Self {
            file,
            prefix: prefix.to_owned(),
            read: None,
            good,
            fault: None,
            logged: BTreeSet::new(),
            empty: Changes::default(),
        }
    }

    /// Reads the file if it has changed; returns what is wrong with it, once.
    pub(super) fn reload(&mut self) -> Option<String> {
        let file = self.file.as_ref()?;
        let text = file.read();
        if self.read.as_ref() == Some(&text) {
            return None;
        }
        self.read = Some(text.clone());
        self.fault = None;
        let config = text
            .and_then(|text| Config::read(&text, &self.prefix).map_err(|error| error.to_string()));
        match config {
            Ok((config, warnings)) => {
                warnings
                    .iter()
                    .for_each(|warning| tracing::warn!(%file, "{warning}"));
                tracing::info!(%file, pools = config.pools.len(), "pools");
                self.good = Some(config);
                None
            }
            Err(why) => {
                let fault = format!("{file}: {why}");
                let report = format!("{fault}; {}", self.instead());
                self.fault = Some(fault);
                Some(report)
            }
        }
    }

    fn instead(&self) -> &'static str {
        match self.good {
            Some(_) => "the last good configuration stays",
            None => "devices stay in the pools in which they are published",
        }
    }

    /// Whether the file is bad now.
    pub(super) fn is_bad(&self) -> bool {
        self.fault.is_some()
    }

    /// What is wrong with the file now.
    pub(super) fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// Which device is in which pool; none while no good configuration was ever read.
    pub(super) fn assign(&mut self, candidates: &[Candidate]) -> Option<Assignment> {
        let assignment = self.good.as_ref()?.assign(candidates);
        for warning in &assignment.warnings {
            if self.logged.insert(warning.to_string()) {
                tracing::warn!("{warning}");
            }
        }
        Some(assignment)
    }

    /// The pools that have begun to take no device. `withheld` are the devices that are not offered.
    pub(super) fn newly_empty(
        &mut self,
        candidates: &[Candidate],
        withheld: &[Candidate],
        assignment: &Assignment,
    ) -> Vec<String> {
        let empty = self.good.as_ref().map(|config| {
            let pools = config.empty_pools(candidates, withheld, assignment);
            pools.iter().map(ToString::to_string).collect::<Vec<_>>()
        });
        self.empty.new_ones(empty.unwrap_or_default())
    }
}

/// The devices as selectors see them.
pub(super) fn candidates(
    inventory: &Inventory,
    resting: impl Fn(&DeviceId) -> Option<String>,
    published: &Published,
) -> Vec<Candidate> {
    let candidate = |function| {
        let mut candidate = Candidate::of(
            function,
            &inventory.functions,
            resting(&function.id).as_deref(),
        );
        // A PF that is in a pod has no name and no link here.
        let last = |name| last(published, &function.id, name);
        candidate.pf_name = candidate.pf_name.take().or_else(|| last("pfName"));
        candidate.link_type = candidate
            .link_type
            .or_else(|| LinkType::named(&last("linkType")?));
        candidate
    };
    inventory.offered().map(candidate).collect()
}

/// The devices that are not offered: the host uses them, or they are excluded.
pub(super) fn withheld(inventory: &Inventory) -> Vec<Candidate> {
    let withheld = inventory.withheld();
    withheld
        .map(|function| Candidate::of(function, &inventory.functions, None))
        .collect()
}

fn last(published: &Published, id: &DeviceId, name: &str) -> Option<String> {
    let text = published.devices.get(&id.name())?.text(name);
    (!text.is_empty()).then(|| text.to_owned())
}

/// Notifies when the file's content has changed. Runs until the task is dropped.
pub(super) async fn watch(file: Option<ConfigFile>, changed: Arc<Notify>) {
    let Some(file) = file else {
        return std::future::pending().await;
    };
    let mut last = file.read();
    loop {
        sleep(LOOK).await;
        let now = file.read();
        if now != last {
            last = now;
            changed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        files::write_atomic,
        host::{Kernel, fake::Fake},
        inventory,
        slice::Features,
    };

    const ALL: &str =
        r#"{"resourceList": [{"resourceName": "all", "selectors": {"vendors": ["8086"]}}]}"#;

    fn assigned(pools: &mut PoolConfig) -> Option<usize> {
        let kernel: &dyn Kernel = &Fake::igb();
        let inventory = inventory::observe(kernel).unwrap();
        let published = Published {
            devices: BTreeMap::new(),
            features: Features {
                counters: true,
                taints: true,
            },
        };
        pools
            .assign(&candidates(&inventory, |_| None, &published))
            .map(|assignment| assignment.devices.len())
    }

    #[test]
    fn a_bad_file_keeps_the_last_good_one_and_is_reported_once() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.json");
        let mut pools = PoolConfig::new(Some(ConfigFile::new(file.clone(), "node-1")), "intel.com");
        let missing = pools.reload().unwrap();
        assert!(missing.ends_with(
            "there is no such file; devices stay in the pools in which they are published"
        ));
        assert_eq!((assigned(&mut pools), pools.is_bad()), (None, true));

        write_atomic(&file, ALL.as_bytes(), 0o600).unwrap();
        assert_eq!((pools.reload(), pools.is_bad()), (None, false));
        let all = assigned(&mut pools);
        assert!(all > Some(0));

        write_atomic(&file, ALL.replace("\"all\"", "\"a b\"").as_bytes(), 0o600).unwrap();
        let bad = pools.reload().unwrap();
        assert!(
            bad.contains("resourceList[0].resourceName: \"a b\"")
                && bad.ends_with("the last good configuration stays")
        );
        assert_eq!(
            (pools.reload(), pools.is_bad(), assigned(&mut pools)),
            (None, true, all),
            "reported once, kept"
        );

        write_atomic(&file, br#"{"resourceList": []}"#, 0o600).unwrap();
        assert_eq!((pools.reload(), assigned(&mut pools)), (None, Some(0)));
    }

    #[test]
    fn a_pool_that_takes_no_device_is_reported_once_per_change() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.json");
        let mut pools = PoolConfig::new(Some(ConfigFile::new(file.clone(), "node-1")), "intel.com");
        let inventory = inventory::observe(&Fake::igb()).unwrap();
        let candidates: Vec<Candidate> = inventory
            .functions
            .iter()
            .map(|function| Candidate::of(function, &inventory.functions, None))
            .collect();
        let mut empty = |selectors: &str| {
            let text = format!(
                r#"{{"resourceList": [{{"resourceName": "upf", "selectors": {selectors}}}]}}"#
            );
            write_atomic(&file, text.as_bytes(), 0o600).unwrap();
            assert_eq!(pools.reload(), None);
            let assignment = pools.assign(&candidates).unwrap();
            pools.newly_empty(&candidates, &[], &assignment)
        };
        let wrong = r#"{"vendors": ["8086"], "devices": ["154c"]}"#;
        let line = "pool intel.com/upf takes no device; nearest 0000:02:10.0: devices is 10ca, wanted 154c";
        assert_eq!(empty(wrong), [line]);
        assert_eq!(empty(wrong), [""; 0], "once");
        assert_eq!(empty(r#"{"vendors": ["8086"]}"#), [""; 0]);
        assert_eq!(empty(wrong), [line], "it is empty again");
    }

    #[test]
    fn without_a_file_there_are_no_pools() {
        let mut pools = PoolConfig::new(None, "intel.com");
        assert_eq!(
            (pools.reload(), pools.is_bad(), assigned(&mut pools)),
            (None, false, Some(0))
        );
    }
}
