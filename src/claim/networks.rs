//! What the networks of a claim's pods say about its devices. Pure: the agent asks the API server.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{api::AttachMode, pool::PoolName};

/// The networks of the pods that a claim is reserved for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClaimNetworks {
    /// The resources whose devices they take (annotation `k8s.v1.cni.cncf.io/resourceName`), and
    /// the types of the CNI plugins that attach those; a type that is not known is empty.
    pub resources: BTreeMap<String, BTreeSet<String>>,
    /// Whether the claim is for an extended resource of a pod on the host's network, which wants
    /// device nodes, as of the device plugin, and has no network to attach anything to.
    pub nodes_only: bool,
}

impl ClaimNetworks {
    /// Who attaches a device of this pool and this claim, unless its config says it. A meta-plugin
    /// if a network takes devices of the pool; Multus up to 4.3 takes the resource for the name of
    /// a claim. A plugin of others moves the netdev by itself, and knows of no start gate.
    #[must_use]
    pub fn attach(&self, claim: &str, pool: Option<&PoolName>) -> AttachMode {
        match self.plugins(claim, pool) {
            _ if self.nodes_only => AttachMode::None,
            Some(types) if types.iter().all(|kind| is_of_others(kind)) => AttachMode::None,
            Some(_) => AttachMode::Cni,
            None => AttachMode::Pod,
        }
    }

    /// The types of the plugins that attach devices of this pool and this claim; none if no
    /// network takes any.
    #[must_use]
    pub fn plugins(&self, claim: &str, pool: Option<&PoolName>) -> Option<&BTreeSet<String>> {
        let of_pool = pool.and_then(|pool| self.resources.get(&pool.to_string()));
        of_pool.or_else(|| self.resources.get(claim))
    }
}

/// Types of CNI plugins that this driver's binary serves.
pub const OWN_TYPES: [&str; 2] = ["sriov", "ib-sriov"];

/// Whether it is known not to be this driver's.
fn is_of_others(kind: &str) -> bool {
    !kind.is_empty() && !OWN_TYPES.contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(resources: &[&str]) -> ClaimNetworks {
        let types = |name: &&str| ((*name).to_owned(), ["sriov".to_owned()].into());
        ClaimNetworks {
            resources: resources.iter().map(types).collect(),
            nodes_only: false,
        }
    }

    #[test]
    fn a_network_of_the_devices_pool_attaches_it() {
        let pool = PoolName::of_resource("intel.com/sriov", "").unwrap();
        let other = PoolName::of_resource("intel.com/other", "").unwrap();
        let attach = |resources: &[&str], pool| networks(resources).attach("vfs", pool);
        assert_eq!(
            attach(&["x/y", "intel.com/sriov"], Some(&pool)),
            AttachMode::Cni
        );
        assert_eq!(attach(&["intel.com/sriov"], Some(&other)), AttachMode::Pod);
        assert_eq!(attach(&["intel.com/sriov"], None), AttachMode::Pod);
        assert_eq!(attach(&[], Some(&pool)), AttachMode::Pod);
        // The resource is the claim's name.
        assert_eq!(attach(&["vfs"], Some(&other)), AttachMode::Cni);
        assert_eq!(attach(&["vfs"], None), AttachMode::Cni);
    }

    #[test]
    fn a_plugin_of_others_moves_the_netdev_by_itself() {
        let pool = PoolName::of_resource("intel.com/sriov", "").unwrap();
        let attach = |types: &[&str]| {
            let types = types.iter().map(|kind| (*kind).to_owned()).collect();
            let networks = ClaimNetworks {
                resources: [("intel.com/sriov".to_owned(), types)].into(),
                nodes_only: false,
            };
            networks.attach("vfs", Some(&pool))
        };
        assert_eq!(attach(&["host-device"]), AttachMode::None);
        assert_eq!(attach(&["host-device", "ovs"]), AttachMode::None);
        // One that could not be read may be ours.
        for types in [&[""][..], &["ib-sriov"], &["host-device", "sriov"]] {
            assert_eq!(attach(types), AttachMode::Cni, "{types:?}");
        }
    }

    #[test]
    fn a_claim_that_wants_device_nodes_only_has_nothing_attached() {
        let pool = PoolName::of_resource("intel.com/sriov", "").unwrap();
        let networks = ClaimNetworks {
            nodes_only: true,
            ..networks(&["intel.com/sriov"])
        };
        assert_eq!(networks.attach("vfs", Some(&pool)), AttachMode::None);
    }
}
