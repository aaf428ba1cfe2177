//! The attributes of a device. Every one is on every device, with a neutral value where it does not apply, because a
//! missing one aborts a CEL expression; only the topology ones, which constraints compare, are left out when unknown.

use std::collections::BTreeMap;

use super::{Attribute, Device, PublishInput};
use crate::{
    device::{Bdf, DeviceId, EswitchMode, Function, FunctionKind, LinkType},
    pool::Assigned,
};

const NUMA: &str = "resource.kubernetes.io/numaNode";

/// Facts about the whole host that one function's attributes need.
pub(super) struct Facts<'a> {
    input: &'a PublishInput<'a>,
    pfs: BTreeMap<Bdf, &'a Function>,
}

impl<'a> Facts<'a> {
    pub(super) fn of(input: &'a PublishInput<'a>) -> Self {
        let pfs = input.inventory.functions.iter().filter(|function| matches!(function.kind, FunctionKind::Pf { .. }));
        Self { input, pfs: pfs.map(|pf| (pf.id.pci(), pf)).collect() }
    }

    pub(super) fn device(&self, function: &Function) -> Device {
        let name = function.id.name();
        let last = self.input.published.devices.get(&name);
        let subject = Subject {
            function,
            pf: function.pf().and_then(|pf| self.pfs.get(&pf).copied()),
            last,
            pool: self.pool(&function.id, last),
            resting: self.input.claimed.get(&function.id).and_then(Option::as_deref),
        };
        Device { attributes: subject.attributes(), name, ..Device::default() }
    }

    fn pool(&self, id: &DeviceId, last: Option<&Device>) -> Pool<'a> {
        match self.input.pools {
            Some(pools) if last.is_none() || !self.input.claimed.contains_key(id) => {
                Pool::Assigned(pools.devices.get(id))
            }
            _ => Pool::Kept,
        }
    }
}

/// One function, what is known of its PF, and what was last said of it.
struct Subject<'a> {
    function: &'a Function,
    pf: Option<&'a Function>,
    last: Option<&'a Device>,
    resting: Option<&'a str>,
    pool: Pool<'a>,
}

/// The device's pool.
enum Pool<'a> {
    /// As now assigned.
    Assigned(Option<&'a Assigned>),
    /// As published: nobody knows better, or a claim has the device.
    Kept,
}

impl Subject<'_> {
    fn attributes(&self) -> BTreeMap<String, Attribute> {
        let all = self
            .identity()
            .into_iter()
            .chain(self.link())
            .chain(self.neutral())
            .chain(self.pool())
            .chain(self.topology());
        all.map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// What it is and where.
    fn identity(&self) -> Vec<(&'static str, Attribute)> {
        let pci = self.function.id.pci();
        let pf = self.function.pf().unwrap_or(pci);
        let index = self.function.vf_address().map_or(-1, |vf| vf.index.into());
        let pf_ids = self.pf.or(self.alone()).map(|pf| hex(pf.ids.device));
        let (total, num) = match self.pf.map(|pf| &pf.kind) {
            Some(FunctionKind::Pf { total_vfs, num_vfs }) => (Some(*total_vfs), Some(*num_vfs)),
            _ => (None, None),
        };
        let kind = if matches!(self.function.kind, FunctionKind::Pf { .. }) { "pf" } else { "vf" };
        vec![
            ("type", kind.into()),
            ("vendor", hex(self.function.ids.vendor).into()),
            ("deviceID", hex(self.function.ids.device).into()),
            ("pfDeviceID", self.known("pfDeviceID", pf_ids, "")),
            ("driver", self.resting.or(self.function.binding.driver.as_deref()).unwrap_or("").into()),
            ("pciAddress", pci.to_string().into()),
            ("pfPciAddress", pf.to_string().into()),
            ("index", Attribute::Int(index)),
            ("totalVFs", self.known("totalVFs", total, 0u32)),
            ("numVFs", self.known("numVFs", num, 0u32)),
        ]
    }

    /// A VF whose PF is in another machine stands for itself.
    fn alone(&self) -> Option<&Function> {
        self.function.pf().is_none().then_some(self.function)
    }

    /// The port behind it. A PF in a pod has no netdev here, and a link that is down no speed: then what was last known.
    fn link(&self) -> Vec<(&'static str, Attribute)> {
        let pf = self.pf.unwrap_or(self.function);
        let name = self.pf.and_then(|pf| pf.netdev.as_ref()).map(ToString::to_string);
        let kind = self.function.link_type.or(pf.link_type).map(|kind| match kind {
            LinkType::Ethernet => "ethernet",
            LinkType::Infiniband => "infiniband",
        });
        let eswitch = match pf.eswitch.or(self.function.eswitch) {
            Some(EswitchMode::Legacy) => "legacy",
            Some(EswitchMode::Switchdev) => "switchdev",
            None => "",
        };
        vec![
            ("pfName", self.known("pfName", name, "")),
            ("linkType", self.known("linkType", kind, "")),
            ("linkSpeed", self.known("linkSpeed", pf.link_speed.or(self.function.link_speed), 0u32)),
            ("eswitchMode", eswitch.into()),
        ]
    }

    /// What is not looked at yet, or does not apply to PFs and VFs.
    fn neutral(&self) -> Vec<(&'static str, Attribute)> {
        let acpi = self.function.acpi_index.map_or(-1, i64::from);
        vec![
            ("acpiIndex", Attribute::Int(acpi)),
            ("pKey", Attribute::Int(-1)),
            ("rdma", Attribute::Bool(false)),
            ("vdpaCapable", Attribute::Bool(false)),
            ("vdpaType", "".into()),
            ("ddpProfile", "".into()),
            ("auxDevice", "".into()),
        ]
    }

    /// Its pool, twice: the second is the name that Multus knows.
    fn pool(&self) -> Vec<(&'static str, Attribute)> {
        let name = match &self.pool {
            Pool::Assigned(assigned) => Some(assigned.map_or_else(String::new, |assigned| assigned.pool.to_string())),
            Pool::Kept => None,
        };
        ["pool", "k8s.cni.cncf.io/resourceName"].map(|key| (key, self.known(key, name.clone(), ""))).into()
    }

    /// Whether a pool wants its devices without NUMA node.
    fn without_numa(&self) -> bool {
        match &self.pool {
            Pool::Assigned(assigned) => assigned.is_some_and(|assigned| assigned.exclude_topology),
            Pool::Kept => self.last.is_some_and(|last| !last.attributes.contains_key(NUMA)),
        }
    }

    fn topology(&self) -> Vec<(&'static str, Attribute)> {
        let pci = self.function.id.pci().to_string();
        let mut all = vec![
            ("k8s.cni.cncf.io/deviceID", Attribute::from(pci.as_str())),
            ("resource.kubernetes.io/pciBusID", pci.into()),
        ];
        if let Some(root) = &self.function.pcie_root {
            all.push(("resource.kubernetes.io/pcieRoot", root.as_str().into()));
        }
        if let Some(node) = self.function.numa_node.filter(|_| !self.without_numa()) {
            all.extend([(NUMA, node.into()), ("dra.net/numaNode", node.into())]);
        }
        all
    }

    fn known(&self, name: &str, now: Option<impl Into<Attribute>>, neutral: impl Into<Attribute>) -> Attribute {
        let last = || self.last.and_then(|device| device.attributes.get(name)).cloned();
        now.map(Into::into).or_else(last).unwrap_or_else(|| neutral.into())
    }
}

fn hex(number: u16) -> String {
    format!("{number:04x}")
}
