//! A ResourceClaim, as the API server has it.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::{
    device::{Vf, slice_name},
    kube::{self, items, text},
    node::Node,
};

/// By name.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Claim {
    /// The object.
    pub(crate) fn get(&self) -> Result<Value> {
        kube::get(&kube::path("resourceclaims", &self.namespace, &self.name))
    }

    /// Names of the allocated devices.
    pub(crate) fn devices(&self) -> Result<Vec<String>> {
        let claim = self.get()?;
        let results = items(&claim, "/status/allocation/devices/results");
        ensure!(!results.is_empty(), "claim {} is not allocated", self.name);
        Ok(results
            .iter()
            .map(|result| text(result, "/device").to_owned())
            .collect())
    }

    /// The VF that is allocated to it, the first of several.
    pub(crate) fn vf(&self, node: &Node) -> Result<Vf> {
        Ok(self.vfs(node)?.swap_remove(0))
    }

    /// The VFs that are allocated to it, in the order of its results.
    pub(crate) fn vfs(&self, node: &Node) -> Result<Vec<Vf>> {
        let own: Vec<Vf> = node.pfs()?.into_iter().flat_map(|pf| pf.vfs).collect();
        let vf = |device: &String| {
            let found = own.iter().find(|vf| slice_name(&vf.pci) == *device);
            found
                .cloned()
                .with_context(|| format!("{} has no VF {device}", node.name))
        };
        self.devices()?.iter().map(vf).collect()
    }

    /// What the driver says about its first device: `status.devices[0]`.
    pub(crate) fn status(&self) -> Result<Value> {
        match self.get()?.pointer("/status/devices/0") {
            Some(status) => Ok(status.clone()),
            None => bail!("claim {} has no status.devices", self.name),
        }
    }
}
