//! The attributes of a device. Every one is on every device, with a neutral value where it does not
//! apply, because a missing one aborts a CEL expression; only the topology ones, which constraints
//! compare, are left out when unknown.

use std::collections::BTreeMap;

use super::PublishInput;
use crate::{
    api::{Attribute, OWN_ATTRIBUTES},
    device::{
        Bdf, Capabilities, DeviceId, EswitchMode, Function, FunctionKind, LinkType, VdpaType,
    },
    pool::Assigned,
    slice::Device,
};

const NUMA: &str = "resource.kubernetes.io/numaNode";

/// Facts about the whole host that one function's attributes need.
pub(super) struct Facts<'a> {
    input: &'a PublishInput<'a>,
    pci: BTreeMap<Bdf, &'a Function>,
}

impl<'a> Facts<'a> {
    pub(super) fn of(input: &'a PublishInput<'a>) -> Self {
        let pci = input
            .inventory
            .functions
            .iter()
            .filter(|function| function.auxiliary().is_none());
        Self {
            input,
            pci: pci.map(|function| (function.id.pci(), function)).collect(),
        }
    }

    pub(super) fn device(&self, function: &Function) -> Device {
        let name = function.id.name();
        let last = self.input.published.devices.get(&name);
        let subject = Subject {
            function,
            pf: function.pf().and_then(|pf| self.pci.get(&pf).copied()),
            claimed: self.input.claimed.contains_key(&function.id),
            last,
            pool: self.pool(&function.id, last),
            policy_attributes: self.policy_attributes(&function.id, last),
            resting: self
                .input
                .claimed
                .get(&function.id)
                .and_then(Option::as_deref),
        };
        Device {
            attributes: subject.attributes(),
            name,
            ..Device::default()
        }
    }

    fn pool(&self, id: &DeviceId, last: Option<&Device>) -> Pool<'a> {
        let Some(pools) = self.input.pools.filter(|_| self.is_free(id, last)) else {
            return Pool::Kept;
        };
        match pools.devices.get(id) {
            None if self.input.policy_attributes.is_none() => Pool::Kept,
            assigned => Pool::Assigned(assigned),
        }
    }

    /// What is not the driver's own.
    fn policy_attributes(
        &self,
        id: &DeviceId,
        last: Option<&Device>,
    ) -> BTreeMap<String, Attribute> {
        match self
            .input
            .policy_attributes
            .filter(|_| self.is_free(id, last))
        {
            Some(all) => all.get(id).cloned().unwrap_or_default(),
            None => {
                let last = last.into_iter().flat_map(|device| &device.attributes);
                let others = last.filter(|(name, _)| !OWN_ATTRIBUTES.contains(&name.as_str()));
                others
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect()
            }
        }
    }

    /// A device under a claim stays as it was when it was allocated.
    fn is_free(&self, id: &DeviceId, last: Option<&Device>) -> bool {
        last.is_none() || !self.input.claimed.contains_key(id)
    }
}

/// One function, what is known of its PF, and what was last published of it.
struct Subject<'a> {
    function: &'a Function,
    pf: Option<&'a Function>,
    claimed: bool,
    last: Option<&'a Device>,
    resting: Option<&'a str>,
    pool: Pool<'a>,
    policy_attributes: BTreeMap<String, Attribute>,
}

/// The device's pool.
enum Pool<'a> {
    /// As now assigned.
    Assigned(Option<&'a Assigned>),
    /// As published: pools are not known, or a claim has the device.
    Kept,
}

impl Subject<'_> {
    fn attributes(&self) -> BTreeMap<String, Attribute> {
        let all = self
            .identity()
            .into_iter()
            .chain(self.link())
            .chain(self.capabilities())
            .chain(self.pool())
            .chain(self.topology());
        // A policy may assign the pool's name as well, in another form.
        all.map(|(name, value)| (name.to_owned(), value))
            .chain(self.policy_attributes.clone())
            .collect()
    }

    /// What it is and where.
    fn identity(&self) -> Vec<(&'static str, Attribute)> {
        let pci = self.function.id.pci();
        let pf = self.function.pf().unwrap_or(pci);
        let index = self.function.index().map_or(-1, i64::from);
        let pf_ids = self.pf.or(self.alone()).map(|pf| hex(pf.ids.device));
        let (total, num) = self.pf.and_then(Function::vfs).unzip();
        vec![
            ("type", kind(&self.function.kind).into()),
            ("vendor", hex(self.function.ids.vendor).into()),
            ("deviceID", hex(self.function.ids.device).into()),
            ("pfDeviceID", self.known("pfDeviceID", pf_ids, "")),
            (
                "driver",
                self.resting
                    .or(self.function.binding.driver.as_deref())
                    .unwrap_or("")
                    .into(),
            ),
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

    /// The port behind it. A PF in a pod has no netdev here, and a link that is down no speed: then
    /// what was last known.
    fn link(&self) -> Vec<(&'static str, Attribute)> {
        let pf = self.pf.unwrap_or(self.function);
        let name = self
            .pf
            .and_then(|pf| pf.netdev.as_ref())
            .map(ToString::to_string);
        let kind = self
            .function
            .link_type
            .or(pf.link_type)
            .map(LinkType::as_str);
        let eswitch = match pf.eswitch.or(self.function.eswitch) {
            Some(EswitchMode::Legacy) => Some("legacy"),
            Some(EswitchMode::Switchdev) => Some("switchdev"),
            None => None,
        };
        vec![
            ("pfName", self.known("pfName", name, "")),
            ("linkType", self.known("linkType", kind, "")),
            (
                "linkSpeed",
                self.known(
                    "linkSpeed",
                    pf.link_speed.or(self.function.link_speed),
                    0u32,
                ),
            ),
            ("eswitchMode", self.known("eswitchMode", eswitch, "")),
        ]
    }

    /// What it can do. A claim may take that away for a while: another driver, an RDMA device that
    /// went into the pod.
    fn capabilities(&self) -> Vec<(&'static str, Attribute)> {
        let Capabilities {
            rdma,
            p_key,
            vdpa_capable,
            vdpa_type,
            ddp_profile,
            ..
        } = &self.function.capabilities;
        let all: [(&'static str, Attribute); 5] = [
            ("pKey", Attribute::Int(p_key.map_or(-1, i64::from))),
            ("rdma", Attribute::Bool(*rdma)),
            ("vdpaCapable", Attribute::Bool(*vdpa_capable)),
            ("vdpaType", vdpa_type.map_or("", VdpaType::as_str).into()),
            ("ddpProfile", ddp_profile.as_deref().unwrap_or("").into()),
        ];
        let rested = all.map(|(name, now)| (name, self.rested(name, now)));
        let fixed = [
            (
                "acpiIndex",
                Attribute::Int(self.function.acpi_index.map_or(-1, i64::from)),
            ),
            ("auxDevice", self.function.auxiliary().unwrap_or("").into()),
            ("isolated", Attribute::Bool(self.function.is_isolated())),
        ];
        rested.into_iter().chain(fixed).collect()
    }

    /// Its pool, twice: the second is the name that Multus knows.
    fn pool(&self) -> Vec<(&'static str, Attribute)> {
        let name = match &self.pool {
            Pool::Assigned(assigned) => {
                Some(assigned.map_or_else(String::new, |assigned| assigned.pool.to_string()))
            }
            Pool::Kept => None,
        };
        ["pool", "k8s.cni.cncf.io/resourceName"]
            .map(|key| (key, self.known(key, name.clone(), "")))
            .into()
    }

    /// Whether a pool wants its devices without NUMA node.
    fn without_numa(&self) -> bool {
        match &self.pool {
            Pool::Assigned(assigned) => assigned.is_some_and(|assigned| assigned.exclude_topology),
            Pool::Kept => self
                .last
                .is_some_and(|last| !last.attributes.contains_key(NUMA)),
        }
    }

    fn topology(&self) -> Vec<(&'static str, Attribute)> {
        let pci = self.function.id.pci().to_string();
        let mut all = vec![
            (
                "k8s.cni.cncf.io/deviceID",
                Attribute::from(self.function.auxiliary().unwrap_or(&pci)),
            ),
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

    /// What was last published of a device under a claim, else the present value.
    fn rested(&self, name: &str, now: Attribute) -> Attribute {
        let last = self
            .last
            .filter(|_| self.claimed)
            .and_then(|device| device.attributes.get(name));
        last.cloned().unwrap_or(now)
    }

    fn known(
        &self,
        name: &str,
        now: Option<impl Into<Attribute>>,
        neutral: impl Into<Attribute>,
    ) -> Attribute {
        let last = || {
            self.last
                .and_then(|device| device.attributes.get(name))
                .cloned()
        };
        now.map(Into::into)
            .or_else(last)
            .unwrap_or_else(|| neutral.into())
    }
}

fn kind(kind: &FunctionKind) -> &'static str {
    match kind {
        FunctionKind::Pf { .. } => "pf",
        FunctionKind::Vf { .. } => "vf",
        FunctionKind::Sf { .. } => "sf",
        FunctionKind::Accelerator { .. } => "accelerator",
    }
}

fn hex(number: u16) -> String {
    format!("{number:04x}")
}
