//! What was done for a claim: the one file that outlives a crash.
//!
//! A record is written before the first kernel write. Its steps are absolute and hold the value
//! that they replace, so undoing one that never ran is harmless and no progress needs storing. It
//! lives in a tmpfs: what it describes does not outlive a boot either.
//!
//! Agents of two versions may write the same record (an update, a rollback): what one of them does
//! not know survives in `unknown`, in each object.

use std::collections::BTreeMap;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{
    extras::Extras,
    lease::{Assigned, Defined, Lease},
    owner::{AttachmentId, ClaimOwner, Owner},
    unknown::{Kept, Unknown},
};
use crate::{
    api::{AttachMode, Attribute},
    device::{
        Binding, DeviceId, IfName, IncarnationId, LinkSetting, Mac, NetdevState, Route, VfAddress,
        VfSetting, VfSettings,
    },
};

/// Where a claim is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Steps may or may not have run; undone at start.
    Preparing,
    /// The answer stands.
    Prepared,
    /// Steps are being undone; undone further at start.
    Unpreparing,
}

/// What was done for an owner on this node; for a claim unless said otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", bound = "")]
pub struct Record<O: Owner = ClaimOwner> {
    /// Major version of the format: a reader leaves a newer one alone. Additions do not change it.
    pub version: u32,
    /// Whose devices these are. Its fields are the record's; those that are unknown are the
    /// record's alone, so it flattens nothing itself.
    #[serde(flatten)]
    pub owner: O,
    /// Where it is.
    pub phase: Phase,
    /// Its devices, in the order of the allocation.
    pub devices: Vec<DeviceRecord>,
    /// When its release began, in seconds since 1970; only while it is unpreparing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub releasing_since: Option<u64>,
    /// What a later version has added.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl<O: Owner> Record<O> {
    /// The devices that nobody else may have: those that are only observed are not held.
    pub fn held(&self) -> impl Iterator<Item = DeviceId> {
        self.devices
            .iter()
            .filter(|device| !device.admin_access)
            .map(|device| device.id)
    }
}

impl<O: Owner> Record<O> {
    /// A device that was allocated on another node than this one: an earlier version did not look.
    #[must_use]
    pub fn not_of(&self, node: &str) -> Option<&DeviceRecord> {
        self.devices.iter().find(|device| device.slice_pool != node)
    }
}

impl Record {
    /// Whether both are of one allocation, for the same pods: whatever has happened to the devices
    /// since.
    #[must_use]
    pub fn is_of_allocation_of(&self, other: &Self) -> bool {
        let device = |device: &DeviceRecord| {
            let DeviceRecord {
                id, incarnation, ..
            } = device;
            (
                *id,
                *incarnation,
                device.request.clone(),
                device.steps.clone(),
            )
        };
        let devices = |record: &Self| record.devices.iter().map(device).collect::<Vec<_>>();
        self.owner.reserved_for == other.owner.reserved_for && devices(self) == devices(other)
    }
}

/// One device of a claim: the claim's layer, and on top of it the attachment's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceRecord {
    /// Which device.
    pub id: DeviceId,
    /// Steps are dropped, never applied, when another device is at the address.
    pub incarnation: IncarnationId,
    /// The request, `req` or `req/sub`.
    pub request: String,
    /// The slices' pool.
    #[serde(rename = "pool")]
    pub slice_pool: String,
    /// Which share.
    pub share_id: Option<String>,
    /// Only observed: no steps.
    pub admin_access: bool,
    /// Qualified CDI names of the answer.
    pub cdi: Vec<String>,
    /// Character devices of the container, `/dev/vfio/7`.
    #[serde(default)]
    pub nodes: Vec<String>,
    /// What else its containers get.
    #[serde(default)]
    pub extras: Extras,
    /// What was changed, in order.
    pub steps: Vec<Step>,
    /// The netdev as it goes into the pod; none for character devices.
    pub netdev: Option<NetdevPlan>,
    /// Set while (or shortly before) the netdev is in a pod.
    pub attachment: Option<Attachment>,
    /// What a network attachment has set on top; its netdev's place is in `attachment`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkLayer>,
    /// The network whose settings it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<Defined>,
    /// What an IPAM plugin assigns to its netdev, or may have assigned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipam: Option<Box<Lease>>,
    /// Whether its netdev has to be created anew on release: a tenant had it, or its driver has
    /// read a MAC of the claim. None: a version wrote it that does not say; then it has to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<bool>,
    /// Its PF reported its netdev's MAC before the claim, and is to report it again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mirrored: bool,
    /// The attributes that were published of it before the claim changed anything: last-known
    /// values when no slice has them any more.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub published: BTreeMap<String, Attribute>,
    /// What a later version has added.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl DeviceRecord {
    /// The request without the part behind `/`: what the kubelet and the container know.
    #[must_use]
    pub fn base_request(&self) -> &str {
        self.request.split('/').next().unwrap_or(&self.request)
    }

    /// The driver and override of the prepared device; none: nothing was recorded about them.
    #[must_use]
    pub fn prepared_binding(&self) -> Option<&Binding> {
        self.steps.iter().find_map(|step| match step {
            Step::Driver { to, .. } => Some(&**to),
            _ => None,
        })
    }

    /// The driver and override that it is to have after its release.
    #[must_use]
    pub fn resting_binding(&self) -> Option<&Binding> {
        self.steps.iter().find_map(|step| match step {
            Step::Driver { from, .. } => Some(&**from),
            _ => None,
        })
    }

    /// Its netdev before the claim; none: it had none.
    #[must_use]
    pub fn resting_netdev(&self) -> Option<&NetdevState> {
        self.steps.iter().find_map(|step| match step {
            Step::Netdev(state) => Some(&**state),
            _ => None,
        })
    }

    /// The addresses of its netdev in the pod: those of the claim, and those that an IPAM plugin
    /// has assigned.
    pub fn addresses<'a>(&'a self, plan: &'a NetdevPlan) -> impl Iterator<Item = IpNet> + 'a {
        let by_network = self.network.iter().flat_map(|layer| &layer.addresses);
        let assigned = self.assigned().into_iter();
        let assigned = assigned.flat_map(|assigned| &assigned.addresses);
        plan.addresses
            .iter()
            .chain(assigned)
            .chain(by_network)
            .copied()
    }

    fn assigned(&self) -> Option<&Assigned> {
        self.ipam.as_ref()?.assigned.as_ref()
    }

    /// The netdev as it goes into the pod, with what the claim's IPAM plugin has assigned.
    #[must_use]
    pub fn plan_in_pod(&self) -> Option<NetdevPlan> {
        let mut plan = self.netdev.clone()?;
        if let Some(assigned) = self.assigned() {
            plan.addresses.extend(&assigned.addresses);
            plan.routes.extend(assigned.routes.iter().cloned());
        }
        Some(plan)
    }

    /// Whether its netdev has to be created anew on release.
    #[must_use]
    pub fn is_used(&self) -> bool {
        self.used != Some(false) || self.attachment.is_some()
    }

    /// The driver that it had before the claim changed it; none: it had none, or the claim left it
    /// alone.
    #[must_use]
    pub fn resting_driver(&self) -> Option<&str> {
        self.resting_binding()?.driver.as_deref()
    }
}

/// A VF of a claimed PF, as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VfState {
    /// Its PF and index.
    pub vf: Kept<VfAddress>,
    /// What the PF held for it; none: not reported.
    pub settings: Option<Kept<VfSettings>>,
    /// Driver and override.
    pub binding: Kept<Binding>,
    /// Its netdev; none: its driver makes none.
    #[serde(rename = "home")]
    pub netdev: Option<Kept<NetdevState>>,
    /// Its PF reported its netdev's MAC.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mirrored: bool,
    /// What a later version has added.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// One assignment, with the value that it replaces. `from: None`: the kernel does not report it.
/// The values themselves (`VfSetting`, `LinkSetting`, `VlanTag`, `Route`) are what the kernel takes,
/// without room for fields of a later version: they refuse them, and this version keeps the record
/// unread, as with a step that it does not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Step {
    /// The VFs of a claimed PF, before all other steps. Doing it is nothing; undoing it, last of
    /// all, makes them again, since none outlives the start of their PF's driver.
    Vfs(Vec<VfState>),
    /// First of all steps of a device with a netdev. Doing it is nothing; undoing it, last of all,
    /// makes a fresh netdev (unless the undo has just bound the driver) and gives it its properties
    /// back.
    #[serde(rename = "home")]
    Netdev(Kept<NetdevState>),
    /// Driver and override.
    Driver {
        /// Before.
        from: Kept<Binding>,
        /// After.
        to: Kept<Binding>,
        /// What a later version has added.
        #[serde(flatten)]
        unknown: Unknown,
    },
    /// A value at the PF.
    Vf {
        /// Which VF.
        vf: Kept<VfAddress>,
        /// Before.
        from: Option<VfSetting>,
        /// After.
        to: VfSetting,
        /// What a later version has added.
        #[serde(flatten)]
        unknown: Unknown,
    },
    /// The VF's driver reads what the PF holds for it (its MAC) only when it starts: rebind.
    /// Undoing it is nothing.
    Reload,
    /// A value of the netdev in the host's namespace.
    Link {
        /// Before.
        from: Option<LinkSetting>,
        /// After.
        to: LinkSetting,
        /// What a later version has added.
        #[serde(flatten)]
        unknown: Unknown,
    },
}

/// What a network attachment has set on a device, until its DEL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkLayer {
    /// Whose. A DEL of another attachment leaves it alone.
    pub attachment: AttachmentId,
    /// The interface's name in the pod; of a device without a netdev, what the network calls it.
    pub if_name: IfName,
    /// Values at the PF, each with the one that it replaces.
    pub steps: Vec<Step>,
    /// Addresses that the IPAM plugin has assigned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<IpNet>,
    /// Names of the RDMA devices that are in the pod's namespace, or about to be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rdma: Vec<String>,
    /// What a later version has added.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// How the netdev is to be in the pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetdevPlan {
    /// Who attaches.
    pub attach: AttachMode,
    /// Asked name; none: the first free `net<n>`.
    pub if_name: Option<IfName>,
    /// Asked address; none: as it is.
    pub mac: Option<Mac>,
    /// Bytes; none: as it is.
    pub mtu: Option<u32>,
    /// Static addresses.
    pub addresses: Vec<IpNet>,
    /// Routes.
    pub routes: Vec<Route>,
    /// What a later version has added.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// The netdev is in this pod (or about to be, or was).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    /// The sandbox's id: whoever detaches under another id does nothing.
    pub sandbox: String,
    /// The pod's UID.
    pub pod_uid: String,
    /// `namespace/name` of the pod, for texts.
    pub pod: String,
    /// Path of the network namespace as the runtime gave it.
    pub netns_path: String,
    /// The namespace's inode.
    pub netns: u64,
    /// The name there.
    pub if_name: IfName,
    /// The address there; known once it is done.
    pub mac: Option<Mac>,
    /// All is done: named, addressed, up.
    pub done: bool,
    /// What a later version has added.
    #[serde(flatten)]
    pub unknown: Unknown,
}
