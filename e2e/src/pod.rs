//! A pod, seen as its user sees it.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::{
    claim::Claim,
    eventually::{SLOW, eventually},
    kube::{self, items, text},
    node::Node,
    space::event_text,
};

/// By name: it may be there or not.
#[derive(Debug, Clone)]
pub(crate) struct Pod {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Pod {
    fn path(&self) -> String {
        kube::path("pods", &self.namespace, &self.name)
    }

    /// The object.
    pub(crate) fn get(&self) -> Result<Value> {
        kube::get(&self.path())
    }

    /// Waits until it is Ready.
    pub(crate) fn ready(&self) -> Result<()> {
        eventually(&format!("pod {} is ready", self.name), SLOW, || {
            ensure!(self.is_ready()?, "{}", self.why_not()?);
            Ok(())
        })
    }

    /// Whether it is Ready now.
    pub(crate) fn is_ready(&self) -> Result<bool> {
        let pod = self.get()?;
        let ready = |c: &Value| text(c, "/type") == "Ready" && text(c, "/status") == "True";
        Ok(items(&pod, "/status/conditions").iter().any(ready))
    }

    /// Whether a container of it runs now or has run. One that the runtime could not start has not.
    pub(crate) fn has_started(&self) -> Result<bool> {
        let pod = self.get()?;
        let ended = |c: &Value, at: &str| {
            c.pointer(at).is_some() && text(c, &format!("{at}/reason")) != "StartError"
        };
        let ran = |c: &Value| {
            c.pointer("/state/running").is_some()
                || ended(c, "/state/terminated")
                || ended(c, "/lastState/terminated")
        };
        Ok(items(&pod, "/status/containerStatuses").iter().any(ran))
    }

    /// How often its first container was started again.
    pub(crate) fn restarts(&self) -> Result<u64> {
        let pod = self.get()?;
        Ok(pod
            .pointer("/status/containerStatuses/0/restartCount")
            .and_then(Value::as_u64)
            .unwrap_or(0))
    }

    /// The id of its running container.
    pub(crate) fn container(&self) -> Result<String> {
        Ok(text(&self.get()?, "/status/containerStatuses/0/containerID").to_owned())
    }

    /// Its UID.
    pub(crate) fn uid(&self) -> Result<String> {
        Ok(text(&self.get()?, "/metadata/uid").to_owned())
    }

    /// Texts of its events, oldest first.
    pub(crate) fn events(&self) -> Result<Vec<String>> {
        let all = kube::path("events", &self.namespace, "");
        let own = format!(
            "fieldSelector=involvedObject.kind=Pod,involvedObject.name={}",
            self.name
        );
        Ok(kube::list(&format!("{all}?{own}"))?
            .iter()
            .map(event_text)
            .collect())
    }

    fn why_not(&self) -> Result<String> {
        let pod = self.get()?;
        let waiting = text(&pod, "/status/containerStatuses/0/state/waiting/message");
        let last = self.events()?.pop().unwrap_or_default();
        Ok(format!(
            "phase {} {waiting}; last event: {last}",
            text(&pod, "/status/phase")
        ))
    }

    /// Waits for an event that contains all these words.
    pub(crate) fn event(&self, words: &[&str]) -> Result<String> {
        eventually(
            &format!("pod {} has an event with {words:?}", self.name),
            SLOW,
            || {
                let events = self.events()?;
                let found = events
                    .iter()
                    .find(|event| words.iter().all(|word| event.contains(word)));
                found
                    .cloned()
                    .with_context(|| format!("its events: {events:#?}"))
            },
        )
    }

    /// Runs a shell script in its container.
    pub(crate) fn exec(&self, script: &str) -> Result<String> {
        kube::kubectl(&[
            "exec",
            "-n",
            &self.namespace,
            &self.name,
            "--",
            "/bin/sh",
            "-ec",
            script,
        ])
    }

    /// Begins its deletion.
    pub(crate) fn delete_soon(&self) -> Result<()> {
        kube::delete(&self.path())
    }

    /// Deletes it and waits until it is gone: by then the kubelet has released its devices.
    pub(crate) fn delete(&self) -> Result<()> {
        self.delete_soon()?;
        self.gone()
    }

    /// Waits until it is gone.
    pub(crate) fn gone(&self) -> Result<()> {
        eventually(&format!("pod {} is gone", self.name), SLOW, || {
            let left = kube::find(&self.path())?;
            ensure!(
                left.is_none(),
                "last event: {}",
                self.events()?.pop().unwrap_or_default()
            );
            Ok(())
        })
    }

    /// Its claim (the first, if it has several), once it is allocated.
    pub(crate) fn claim(&self) -> Result<Claim> {
        eventually(
            &format!("the claim of pod {} is allocated", self.name),
            SLOW,
            || {
                let pod = self.get()?;
                let named = text(&pod, "/spec/resourceClaims/0/resourceClaimName");
                let made = text(&pod, "/status/resourceClaimStatuses/0/resourceClaimName");
                let extended = text(
                    &pod,
                    "/status/extendedResourceClaimStatus/resourceClaimName",
                );
                let Some(name) = [named, made, extended]
                    .into_iter()
                    .find(|name| !name.is_empty())
                else {
                    bail!("it has no claim yet");
                };
                let claim = Claim {
                    namespace: self.namespace.clone(),
                    name: name.to_owned(),
                };
                claim.devices()?;
                Ok(claim)
            },
        )
    }

    /// A process of it, as its node numbers them; its network namespace is the pod's.
    pub(crate) fn process(&self, node: &Node) -> Result<String> {
        // The systemd driver of cgroups writes the UID with underscores.
        let uid = self.uid()?.replace('-', "_");
        let script = r#"for p in /proc/[0-9]*; do if grep -qs "$1" "$p/cgroup"; then echo "${p#/proc/}"; exit; fi; done"#;
        let pid = node.exec(script, &[&uid])?.trim().to_owned();
        ensure!(
            !pid.is_empty(),
            "pod {} has no process on {}",
            self.name,
            node.name
        );
        Ok(pid)
    }

    /// Runs a shell script in its network namespace, with the node's own programs and root's
    /// rights.
    pub(crate) fn with_its_network(&self, node: &Node, script: &str) -> Result<String> {
        node.exec(
            "exec nsenter -t \"$1\" -n sh -euc \"$2\"",
            &[&self.process(node)?, script],
        )
    }

    /// A network device of it, as `ip -d -j address` describes it.
    pub(crate) fn link(&self, node: &Node, name: &str) -> Result<Value> {
        let text = self.with_its_network(node, &format!("ip -d -j address show dev {name}"))?;
        let links: Value = serde_json::from_str(&text)?;
        links
            .get(0)
            .cloned()
            .with_context(|| format!("pod {} has no {name}", self.name))
    }
}
