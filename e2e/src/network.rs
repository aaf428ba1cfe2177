//! A pod's networks, as Multus and the pod have them.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{
    kube::{self, items, text},
    node::Node,
    pod::Pod,
};

impl Pod {
    /// What Multus says about an interface of it: `k8s.v1.cni.cncf.io/network-status`.
    pub(crate) fn network_status(&self, interface: &str) -> Result<Value> {
        let pod = self.get()?;
        let annotation = text(
            &pod,
            "/metadata/annotations/k8s.v1.cni.cncf.io~1network-status",
        );
        ensure!(
            !annotation.is_empty(),
            "pod {} has no network-status: Multus was not called for it",
            self.name
        );
        let all: Vec<Value> = serde_json::from_str(annotation)?;
        let own = all
            .iter()
            .find(|status| text(status, "/interface") == interface);
        own.cloned()
            .with_context(|| format!("{interface} is not in {annotation}"))
    }

    /// The addresses of an interface of it, `10.56.217.2/24`, those of its link apart.
    pub(crate) fn addresses(&self, node: &Node, interface: &str) -> Result<Vec<String>> {
        let link = self.link(node, interface)?;
        let own = items(&link, "/addr_info")
            .iter()
            .filter(|address| text(address, "/scope") == "global");
        let shown = |address: &Value| {
            let bits = address.pointer("/prefixlen").and_then(Value::as_u64);
            format!("{}/{}", text(address, "/local"), bits.unwrap_or(0))
        };
        Ok(own.map(shown).collect())
    }

    /// The first of them.
    pub(crate) fn address(&self, node: &Node, interface: &str) -> Result<String> {
        let all = self.addresses(node, interface)?;
        let first = all
            .first()
            .with_context(|| format!("{interface} of pod {} has no address", self.name))?;
        Ok(first.split('/').next().unwrap_or_default().to_owned())
    }

    /// Whether it reaches this address by this interface.
    pub(crate) fn reaches(&self, interface: &str, address: &str) -> Result<bool> {
        let script =
            format!("ping -c 3 -W 2 -I {interface} {address} >/dev/null && echo yes || echo no");
        Ok(self.exec(&script)?.trim() == "yes")
    }
}

/// The pods' addresses that are leased from a network of host-local, on a node.
pub(crate) fn leases(node: &Node, network: &str) -> Result<Vec<String>> {
    let script = r#"cd "/var/lib/cni/networks/$1" 2>/dev/null && ls | grep -v '^lock$\|^last_reserved' || true"#;
    Ok(node
        .exec(script, &[network])?
        .lines()
        .map(str::to_owned)
        .collect())
}

/// The allocations of whereabouts' pool for a range: offset → pod.
pub(crate) fn whereabouts(pool: &str) -> Result<Vec<String>> {
    let path =
        format!("/apis/whereabouts.cni.cncf.io/v1alpha1/namespaces/kube-system/ippools/{pool}");
    let Some(pool) = kube::find(&path)? else {
        return Ok(Vec::new());
    };
    let allocations = pool.pointer("/spec/allocations").and_then(Value::as_object);
    let pods = allocations.into_iter().flat_map(|all| all.values());
    Ok(pods.map(|one| text(one, "/podref").to_owned()).collect())
}
