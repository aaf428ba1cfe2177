//! Virtual machines of KubeVirt. It makes the pods from them: with the annotation, and with limits
//! by the pool of each network.

use serde_json::Value;

use super::find;
use crate::{
    convert::{
        Conversion,
        input::{Object, namespace_of},
        places::dotted,
        pools::Netdevs,
    },
    pool::PoolName,
};

const INFO: &str = "KubeVirt reads the device from device-info of network-status, which Multus up to v4.3.0 does not write for devices of DRA";
const ADD: &str = "add it to the input: kubectl get network-attachment-definitions -A -o yaml";

impl Conversion<'_> {
    /// Reports the networks of a machine. Returns what it uses.
    pub(super) fn machine(
        &mut self,
        object: &Object,
        document: &Value,
        pointer: &str,
        networks: &[Value],
    ) -> Vec<String> {
        let own = self.namespace(namespace_of(document));
        let machine = pointer.trim_end_matches("/networks");
        let interfaces = document.pointer(&format!("{machine}/domain/devices/interfaces"));
        let mut used = Vec::new();
        for (index, network) in networks.iter().enumerate() {
            let Some(path) = network["multus"]["networkName"].as_str() else {
                continue;
            };
            let at = format!("{}[{index}]", dotted(pointer));
            let sriov = is_sriov(interfaces, &network["name"]);
            used.extend(self.machine_network(object, &at, path, &own, sriov));
        }
        used
    }

    fn machine_network(
        &mut self,
        object: &Object,
        at: &str,
        path: &str,
        own: &str,
        sriov: bool,
    ) -> Option<String> {
        let (namespace, name) = path.split_once('/').unwrap_or((own, path));
        let network = find(&self.networks, namespace, name).cloned();
        let mut section = self.report.section(object);
        let network = match network {
            None | Some(Err(_)) if !sriov => return None,
            None => {
                section.unsupported(at, path, "not in the input", ADD);
                return Some(format!("network {path}"));
            }
            Some(Err(fault)) => {
                section.unsupported(at, path, &fault, "see the network");
                return Some(format!("network {path}"));
            }
            Some(Ok(network)) => network,
        };
        let pool = network.pool.filter(|pool| self.pools.has(pool))?;
        let facts = self.pools.facts(&pool);
        let fault = facts.and_then(|facts| facts.fault.clone());
        if let Some(fault) = network.fault.or(fault) {
            section.unsupported(at, path, &fault, "see the network and its pool");
            self.block(&pool, object);
        } else if sriov {
            self.machine_differences(object, at, &pool);
        }
        Some(format!("{pool}, network {path}"))
    }

    fn machine_differences(&mut self, object: &Object, at: &str, pool: &PoolName) {
        let mut section = self.report.section(object);
        if !self.options.multus_dra {
            let remedy = "use a Multus that reads ResourceSlices, and --multus-dra here; or let the agent add it";
            section.warning("device-info", "", INFO, remedy);
        }
        if self.pools.netdevs(pool) == Netdevs::All {
            let what = "KubeVirt needs devices on vfio-pci, and this pool selects others";
            section.warning(at, pool.to_string(), what, "see the pool");
        }
    }
}

/// Whether the machine gets the device itself. Without its interface it may.
fn is_sriov(interfaces: Option<&Value>, network: &Value) -> bool {
    let interfaces = interfaces.and_then(Value::as_array).into_iter().flatten();
    let mut of_network = interfaces.filter(|interface| interface["name"] == *network);
    of_network.all(|interface| !interface["sriov"].is_null())
}
