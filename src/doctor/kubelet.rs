//! The kubelet: its configuration, and the resources of device plugins that it knows.

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;

use super::{HostPaths, layout, process::Process};

/// The kubelet's configuration, as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kubelet {
    /// `topologyManagerPolicy`.
    pub topology_policy: Option<String>,
    /// The feature gate `DynamicResourceAllocation`.
    pub dra: Option<bool>,
    /// Files that cannot be read, with the reason.
    pub faults: Vec<String>,
}

/// The configuration from all files and the flags of the process; `None`: there is none.
pub(super) fn read(paths: &HostPaths, processes: &[Process]) -> Option<Kubelet> {
    let files = layout::kubelet(paths, processes);
    let mut kubelet = Kubelet::default();
    for file in &files {
        match paths.text(file).map(|text| parse(file, &text)) {
            Some(Ok(config)) => kubelet.take(&config),
            Some(Err(fault)) => kubelet.faults.push(fault),
            None => {}
        }
    }
    let mut running = processes.iter();
    let process = running.find(|process| process.name() == "kubelet");
    let policy = process.and_then(|it| it.flag(&["--topology-manager-policy"]));
    if let Some(policy) = policy {
        kubelet.topology_policy = Some(policy.to_owned());
    }
    (!files.is_empty() || policy.is_some()).then_some(kubelet)
}

/// JSON is YAML.
fn parse(file: &Path, text: &str) -> Result<Value, String> {
    serde_saphyr::from_str(text).map_err(|error| {
        let error = error.to_string();
        format!(
            "{}: {}",
            file.display(),
            error.lines().next().unwrap_or_default()
        )
    })
}

impl Kubelet {
    /// What a later file sets wins.
    fn take(&mut self, config: &Value) {
        if let Some(policy) = config["topologyManagerPolicy"].as_str() {
            self.topology_policy = Some(policy.to_owned());
        }
        if let Some(dra) = config["featureGates"]["DynamicResourceAllocation"].as_bool() {
            self.dra = Some(dra);
        }
    }
}

/// The resources of device plugins that the kubelet has registered, each with the PCI devices that
/// it consists of.
pub(super) fn device_plugins(paths: &HostPaths) -> BTreeMap<String, Vec<String>> {
    let file = paths
        .kubelet
        .join("device-plugins/kubelet_internal_checkpoint");
    let text = paths.text(file).unwrap_or_default();
    let checkpoint: Value = serde_json::from_str(&text).unwrap_or_default();
    let registered = checkpoint["Data"]["RegisteredDevices"].as_object().cloned();
    let devices = |ids: &Value| -> Vec<String> {
        let ids = ids
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        ids.map(str::to_owned).collect()
    };
    let registered = registered.unwrap_or_default().into_iter();
    registered
        .map(|(name, ids)| (name, devices(&ids)))
        .collect()
}
