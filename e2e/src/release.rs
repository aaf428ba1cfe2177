//! The driver's installation by Helm.

use std::{
    env,
    sync::{Mutex, PoisonError},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{
    command::{self, Answer},
    eventually::{SLOW, eventually},
    kube::{self, text},
};

/// Where it is installed.
pub(crate) const NAMESPACE: &str = "sriov-dra";
/// The agents' pods.
pub(crate) const AGENTS: &str = "app.kubernetes.io/name=sriov-dra";
const NAME: &str = "sriov-dra";
const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../charts/sriov-dra");

/// An image: its reference, and its archive if it is still to be imported into the nodes.
#[derive(Debug, Clone)]
struct Image {
    repository: String,
    tag: String,
    archive: Option<String>,
}

impl Image {
    /// From `X` and `X_ARCHIVE`; what is empty is not set.
    fn from_env(variable: &str) -> Result<Option<Self>> {
        let value = |variable: &str| env::var(variable).ok().filter(|value| !value.is_empty());
        let Some(reference) = value(variable) else {
            return Ok(None);
        };
        let (repository, tag) = reference
            .rsplit_once(':')
            .with_context(|| format!("{variable}={reference} has no tag"))?;
        let archive = value(&format!("{variable}_ARCHIVE"));
        Ok(Some(Self {
            repository: repository.to_owned(),
            tag: tag.to_owned(),
            archive,
        }))
    }

    fn import(&self) -> Result<()> {
        let Some(archive) = &self.archive else {
            return Ok(());
        };
        command::run("lab", &["load-image", archive], "").map(drop)
    }
}

/// The release under test.
#[derive(Debug)]
pub(crate) struct Release {
    image: Image,
    fuse: Option<Image>,
    /// Helm's last arguments and values of this run, if they went through: the same need no second
    /// upgrade.
    applied: Mutex<Option<(Vec<String>, String)>>,
}

impl Release {
    pub(crate) fn from_env() -> Result<Self> {
        let image =
            Image::from_env("IMAGE")?.context("IMAGE is not set: the release image's reference")?;
        Ok(Self {
            image,
            fuse: Image::from_env("FUSE_IMAGE")?,
            applied: Mutex::default(),
        })
    }

    /// Puts the images into the nodes.
    pub(crate) fn import(&self) -> Result<()> {
        self.image.import()?;
        self.fuse.iter().try_for_each(Image::import)
    }

    /// `helm upgrade --install` and waits for the agents.
    pub(crate) fn install(&self) -> Result<()> {
        self.helm_install(&self.image, &[])
    }

    /// A new version of the same release: its agents' pods differ in an annotation.
    pub(crate) fn upgrade(&self, mark: &str) -> Result<()> {
        self.helm_install(
            &self.image,
            &[&format!("agent.podAnnotations.e2e/upgrade={mark}")],
        )
    }

    /// Agents that do not publish the function at this address.
    pub(crate) fn excluding(&self, pci: &str) -> Result<()> {
        self.helm_install(&self.image, &[&format!("agent.exclude[0]={pci}")])
    }

    /// Without the policy that checks claim configs where they are written: an older server, or a
    /// lax administrator.
    pub(crate) fn without_admission(&self) -> Result<()> {
        self.helm_install(&self.image, &["admission.claimConfig=false"])
    }

    /// With pools by this config.json, and a class for each.
    pub(crate) fn with_pools(&self, config: &str) -> Result<()> {
        let config: Value = serde_json::from_str(config)?;
        let values = json!({"pools": {"config": config}, "controller": {"enabled": true}});
        self.helm(&self.image, &["-f", "-"], &values.to_string())
    }

    /// With pools by this config.json, a class for each, and the CNI plugin in the nodes' directory.
    pub(crate) fn with_cni(&self, config: &str) -> Result<()> {
        let pools = json!({"config": serde_json::from_str::<Value>(config)?});
        let values = json!({
            "pools": pools,
            "controller": {"enabled": true},
            "cni": {"install": true},
        });
        self.helm(&self.image, &["-f", "-"], &values.to_string())
    }

    /// With IPAM plugins of this directory of the nodes.
    pub(crate) fn with_ipam(&self, directory: &str) -> Result<()> {
        let values = json!({"cni": {"ipam": true, "binDir": directory}});
        self.helm(&self.image, &["-f", "-"], &values.to_string())
    }

    /// The image that can be made to die at a chosen host write.
    pub(crate) fn install_with_fuse(&self) -> Result<()> {
        self.helm_install(
            self.fuse
                .as_ref()
                .context("FUSE_IMAGE is not set: the image with --features fuse")?,
            &[],
        )
    }

    /// Whether it is installed.
    pub(crate) fn is_installed(&self) -> Result<bool> {
        Ok(command::answer("helm", &["status", NAME, "-n", NAMESPACE], "")?.code == 0)
    }

    /// `helm uninstall`, whatever comes of it.
    pub(crate) fn uninstall(&self) -> Result<Answer> {
        self.applied
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        command::answer(
            "helm",
            &[
                "uninstall",
                NAME,
                "-n",
                NAMESPACE,
                "--wait",
                "--timeout",
                "10m",
            ],
            "",
        )
    }
}

impl Release {
    fn helm_install(&self, image: &Image, sets: &[&str]) -> Result<()> {
        let sets: Vec<&str> = sets.iter().flat_map(|set| ["--set", *set]).collect();
        self.helm(image, &sets, "")
    }

    /// One at a time: Helm refuses a second change of a release.
    fn helm(&self, image: &Image, more: &[&str], values: &str) -> Result<()> {
        let wanted = (arguments(image, more), values.to_owned());
        let mut applied = self.applied.lock().unwrap_or_else(PoisonError::into_inner);
        if applied.as_ref() == Some(&wanted) {
            return Ok(());
        }
        // What a failed upgrade leaves is not known.
        *applied = None;
        let words: Vec<&str> = wanted.0.iter().map(String::as_str).collect();
        command::run("helm", &words, values)?;
        *applied = Some(wanted);
        Ok(())
    }
}

fn arguments(image: &Image, more: &[&str]) -> Vec<String> {
    let (repository, tag) = (
        format!("image.repository={}", image.repository),
        format!("image.tag={}", image.tag),
    );
    let own = [
        "--create-namespace",
        "--set",
        &repository,
        "--set",
        &tag,
        "--set",
        "image.pullPolicy=Never",
    ];
    let waiting = ["--wait", "--timeout", "10m"];
    [
        &["upgrade", "--install", NAME, CHART, "-n", NAMESPACE],
        &own[..],
        &waiting,
        more,
    ]
    .concat()
    .into_iter()
    .map(str::to_owned)
    .collect()
}

/// The agents' pods on a node that are not being deleted.
pub(crate) fn agent_pods(node: &str) -> Result<Vec<Value>> {
    let all = kube::path("pods", NAMESPACE, "");
    let pods = kube::list(&format!(
        "{all}?labelSelector={AGENTS}&fieldSelector=spec.nodeName={node}"
    ))?;
    Ok(pods
        .into_iter()
        .filter(|pod| pod.pointer("/metadata/deletionTimestamp").is_none())
        .collect())
}

/// Waits until a node's agent is ready.
pub(crate) fn agent_is_ready(node: &str) -> Result<()> {
    eventually(&format!("the agent of {node} is ready"), SLOW, || {
        let pods = agent_pods(node)?;
        let ready = |c: &Value| text(c, "/type") == "Ready" && text(c, "/status") == "True";
        let all = pods
            .iter()
            .all(|pod| kube::items(pod, "/status/conditions").iter().any(ready));
        ensure!(
            !pods.is_empty() && all,
            "{} pods, not all of them ready",
            pods.len()
        );
        Ok(())
    })
}
