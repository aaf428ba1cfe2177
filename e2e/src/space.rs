//! A namespace of its own for what one scenario creates.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::{
    eventually::{SLOW, eventually},
    kube,
    log::Log,
    manifest::fill,
    node::Node,
    pod::Pod,
};

/// The namespace, the node that its pods are to run on, and its log.
#[derive(Debug, Clone)]
pub(crate) struct Space {
    /// The namespace's name.
    pub(crate) name: String,
    /// Whose step lines these are.
    pub(crate) log: Log,
}

impl Space {
    pub(crate) fn make(name: &str, log: &Log) -> Result<Self> {
        let space = Self {
            name: name.to_owned(),
            log: log.clone(),
        };
        space.remove().context("what an earlier run left")?;
        kube::kubectl(&["create", "namespace", name])?;
        Ok(space)
    }

    /// Deletes all and waits until it is gone, as a user would: a pod that cannot be deleted is a
    /// failure.
    pub(crate) fn remove(&self) -> Result<()> {
        let path = format!("/api/v1/namespaces/{}", self.name);
        kube::delete(&path)?;
        eventually(&format!("namespace {} is gone", self.name), SLOW, || {
            ensure!(kube::find(&path)?.is_none(), "it is there");
            Ok(())
        })
        .with_context(|| self.leftovers())
    }

    fn leftovers(&self) -> String {
        kube::kubectl(&["get", "pods,resourceclaims", "-n", &self.name, "-o", "wide"])
            .unwrap_or_default()
    }

    /// Prints what is done next.
    pub(crate) fn step(&self, text: impl AsRef<str>) {
        self.log.step(text);
    }

    /// `kubectl apply` of a manifest with these values.
    pub(crate) fn apply(&self, yaml: &str, values: &[(&str, &str)]) -> Result<()> {
        kube::apply(&self.name, &fill(yaml, values)?)?
            .ok("kubectl apply")
            .map(drop)
    }

    /// `kubectl apply` that the API server must refuse; returns its message.
    pub(crate) fn refused(&self, yaml: &str, values: &[(&str, &str)]) -> Result<String> {
        let answer = kube::apply(&self.name, &fill(yaml, values)?)?;
        if answer.code == 0 {
            bail!("was let through: {}", answer.out.trim())
        } else {
            Ok(answer.err)
        }
    }

    /// Applies a manifest that creates the pod `name`, on this node.
    pub(crate) fn run(
        &self,
        node: &Node,
        name: &str,
        yaml: &str,
        values: &[(&str, &str)],
    ) -> Result<Pod> {
        let own = [("pod", name), ("node", node.name.as_str())];
        self.apply(yaml, &[&own, values].concat())?;
        Ok(self.pod(name))
    }

    /// A pod of this namespace, whether it is there or not.
    pub(crate) fn pod(&self, name: &str) -> Pod {
        Pod {
            namespace: self.name.clone(),
            name: name.to_owned(),
        }
    }
}

pub(crate) fn event_text(event: &Value) -> String {
    format!(
        "{}: {}",
        kube::text(event, "/reason"),
        kube::text(event, "/message")
    )
}
