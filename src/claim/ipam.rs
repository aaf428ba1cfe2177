//! IPAM plugins for devices that this driver attaches itself: when they are called, and with what.
//!
//! ```text
//!  class: ipam ─► Lease (in the record, then on disk) ─► ADD ─► assigned, in the record   Prepare
//!                                    └─► DEL ─► the lease goes                           release
//! ```
//!
//! A plugin is called before there is a pod sandbox: with the claim in place of a container, and
//! with a path of a network namespace that does not exist, since plugins want one for ADD and
//! refuse their own (`checkNetNS` of containernetworking/cni's `pkg/skel`).

use serde_json::{Value, json};

use super::{AllocatedClaim, Wanted, hash::fnv1a};
use crate::{
    api::{AttachMode, Ipam as IpamConfig},
    deadline::Deadline,
    device::{DeviceId, IfName},
    ledger::{Assigned, DeviceRecord, IpamCall, Lease},
    paths::Paths,
};

/// Runs IPAM plugins. Errors are texts for the pod's events, which begin with the plugin.
pub trait Ipam: Send + Sync {
    /// `CNI_PATH` of new leases.
    fn path(&self) -> String;

    /// Whether the lease's plugin is there.
    ///
    /// # Errors
    /// It is not.
    fn find(&self, lease: &Lease) -> Result<(), String>;

    /// ADD.
    ///
    /// # Errors
    /// The plugin's own, or the deadline has passed and it was killed. It may have assigned
    /// something all the same.
    fn add(&self, lease: &Lease, deadline: Deadline) -> Result<Assigned, String>;

    /// DEL. Repeating it is success.
    ///
    /// # Errors
    /// As those of [`Ipam::add`].
    fn del(&self, lease: &Lease, deadline: Deadline) -> Result<(), String>;
}

/// The lease that a planned device needs; none if it has no IPAM plugin, or stays on the host.
///
/// # Errors
/// The device's netdev is attached by somebody else.
pub(super) fn lease(
    claim: &AllocatedClaim,
    wanted: &Wanted,
    device: &DeviceRecord,
    (paths, cni_path): (&Paths, String),
) -> Result<Option<Lease>, String> {
    let (Some(ipam), Some(plan)) = (&wanted.settings.ipam, &device.netdev) else {
        return Ok(None);
    };
    match plan.attach {
        AttachMode::Pod => {}
        AttachMode::None => return Ok(None),
        AttachMode::Cni => return Err(BY_CNI.to_owned()),
    }
    Ok(Some(Lease {
        claim: claim.claim.clone().into(),
        device: device.id,
        if_name: if_name(&device.id),
        netns_path: paths.run.join("no-netns").display().to_string(),
        call: IpamCall {
            plugin: ipam.plugin.clone(),
            stdin: stdin(wanted, ipam),
            args: args(claim),
            path: cni_path,
            unknown: Default::default(),
        },
        assigned: None,
        unknown: Default::default(),
    }))
}

const BY_CNI: &str = "ipam: a network of the pod takes the device (attach: cni), and has an IPAM plugin of its own; \
                      leave ipam out of the class, or set attach: pod";

/// The network configuration. Plugins keep leases by the network's name: that of the network which
/// the class names, so that its other pods get other addresses; else the class's.
fn stdin(wanted: &Wanted, ipam: &IpamConfig) -> String {
    if let Some(mut network) = ipam.network.clone() {
        let device = super::view::cdi_name(&wanted.id);
        network.insert("deviceID".to_owned(), device.into());
        return Value::Object(network).to_string();
    }
    let name = wanted.result.class.as_deref().unwrap_or("sriov-dra");
    let network = json!({
        "cniVersion": "1.0.0",
        "name": name,
        "type": "sriov",
        "deviceID": super::view::cdi_name(&wanted.id),
        "ipam": ipam.config,
    });
    network.to_string()
}

/// `CNI_ARGS`, as a container runtime has it.
fn args(claim: &AllocatedClaim) -> String {
    let mut args = vec![("IgnoreUnknown", "1")];
    args.push(("K8S_POD_NAMESPACE", &claim.claim.namespace));
    let uids = claim.reserved_for.first().map(String::as_str);
    args.extend(claim.pod_name.as_deref().map(|name| ("K8S_POD_NAME", name)));
    args.extend(uids.map(|uid| ("K8S_POD_UID", uid)));
    let texts = args.iter().map(|(name, value)| format!("{name}={value}"));
    texts.collect::<Vec<_>>().join(";")
}

/// The name that plugins know a device by, besides the claim: that of the device in slices, as far
/// as it is a valid name of an interface (15 bytes), else `dra-` and a hash of it. It is the same
/// at each call, also after a reboot.
fn if_name(device: &DeviceId) -> IfName {
    let name = device.name();
    name.parse().unwrap_or_else(|_| {
        let hash = format!("dra-{:011x}", fnv1a(name.as_bytes()) >> 20);
        hash.parse().expect("15 bytes of hexadecimal digits")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_for_plugins_is_one_of_an_interface() {
        let name = |device: &str| if_name(&DeviceId::from_name(device).unwrap()).to_string();
        assert_eq!(name("0000-3b-02-1"), "0000-3b-02-1");
        assert_eq!(name("10000-3b-02-1"), "10000-3b-02-1");
        let hashed = ["0000-3b-00-0-sf41", "0000-3b-00-0-sf42"].map(name);
        assert_ne!(hashed[0], hashed[1]);
        assert!(hashed.iter().all(|name| name.len() == 15), "{hashed:?}");
        assert_eq!(hashed[0], "dra-f6445c22513");
    }
}
