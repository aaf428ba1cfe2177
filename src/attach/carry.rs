//! One netdev's way into a pod and home again: the kernel's part.

use std::path::Path;

use super::{
    error::Reason,
    resting::{differences, resting},
};
use crate::{
    claim::{Attachment, DeviceRecord, NetdevPlan},
    deadline::Deadline,
    device::{DeviceId, IfName, LinkSetting, Mac, Netdev},
    host::{ErrorKind, HostError, Kernel, Netns},
};

/// The kernel, and the host's own namespace in it.
pub(super) struct Carrier<'a> {
    pub(super) kernel: &'a dyn Kernel,
    pub(super) home: Netns,
}

impl Carrier<'_> {
    /// Where the netdev is, looked for in the given namespaces; none: nowhere, for now.
    pub(super) fn find(&self, device: &DeviceId, places: &[&Netns]) -> Result<Option<Netns>, HostError> {
        for place in places {
            if self.kernel.link(device, place)?.is_some() {
                return Ok(Some((*place).clone()));
            }
        }
        Ok(None)
    }

    /// Where the netdev is. A namespace that has died sends it home a moment later; one that somebody keeps alive without
    /// a path never does, so that in the end the driver makes another.
    pub(super) fn fetch(&self, device: &DeviceId, places: &[&Netns], deadline: Deadline) -> Result<Netns, HostError> {
        let patience = Deadline::after(deadline.left() / 2);
        if let Some(place) = patience.poll(|| self.find(device, places))? {
            return Ok(place);
        }
        self.kernel.rebind(device, deadline)?;
        self.find(device, &[&self.home])?.ok_or_else(|| {
            HostError::of_kind(ErrorKind::Gone, device.to_string(), "find netdev", "has none after its driver started")
        })
    }

    /// The namespace of an attachment, while it lives.
    pub(super) fn namespace_of(&self, attachment: &Attachment) -> Option<Netns> {
        let netns = self.kernel.open_netns(Path::new(&attachment.netns_path)).ok()?;
        (netns.inode == attachment.netns).then_some(netns)
    }

    /// Moves, names and addresses; `go` is asked before each write. Returns the hardware address in the pod.
    pub(super) fn carry_in(
        &self,
        device: &DeviceRecord,
        plan: &NetdevPlan,
        (from, to): (&Netns, &Netns),
        name: &IfName,
        go: &dyn Fn() -> Result<(), Reason>,
    ) -> Result<Option<Mac>, Reason> {
        go()?;
        self.kernel.move_link(&device.id, from, to, name)?;
        let now = self.must_be(&device.id, to)?;
        for setting in settings(plan, &now) {
            go()?;
            self.kernel.set_link(&device.id, to, &setting)?;
        }
        go()?;
        if let Err(error) = self.kernel.announce(&device.id, to) {
            // Neighbours find out by themselves, later.
            tracing::warn!(%error, "no announcement");
        }
        Ok(self.must_be(&device.id, to)?.home.mac)
    }

    fn must_be(&self, device: &DeviceId, netns: &Netns) -> Result<Netdev, HostError> {
        let text = format!("no netdev in netns {}", netns.inode);
        let gone = || HostError::of_kind(ErrorKind::Gone, device.to_string(), "find netdev", &text);
        self.kernel.link(device, netns)?.ok_or_else(gone)
    }

    /// Brings the netdev home from where it is, as prepare left it. What cannot be set there any more is left to the
    /// claim's release, which makes everything as it was before.
    pub(super) fn carry_home(&self, device: &DeviceRecord, from: &Netns) -> Result<(), HostError> {
        let now = self.must_be(&device.id, from)?.home;
        let rest = resting(device).unwrap_or_else(|| now.clone());
        if *from != self.home {
            if now.up {
                self.kernel.set_link(&device.id, from, &LinkSetting::Up(false))?;
            }
            self.move_home(&device.id, from, &rest.name)?;
        } else if now.name != rest.name {
            self.attempt(&device.id, &LinkSetting::Name(rest.name.clone()));
        }
        let now = self.must_be(&device.id, &self.home)?.home;
        for setting in differences(&now, &rest) {
            self.attempt(&device.id, &setting);
        }
        Ok(())
    }

    /// Under its own name, or if somebody has taken that meanwhile, under a free one.
    fn move_home(&self, device: &DeviceId, from: &Netns, name: &IfName) -> Result<(), HostError> {
        match self.kernel.move_link(device, from, &self.home, name) {
            Err(error) if error.kind() == ErrorKind::Busy => {
                let taken = self.kernel.link_names(&self.home)?;
                let spare = (0..u16::MAX).map(|n| format!("dev{n}")).find(|name| !taken.contains(name));
                let Some(spare) = spare.and_then(|name| name.parse().ok()) else { return Err(error) };
                tracing::warn!(%device, %error, %spare, "name at home is taken");
                self.kernel.move_link(device, from, &self.home, &spare)
            }
            result => result,
        }
    }

    fn attempt(&self, device: &DeviceId, setting: &LinkSetting) {
        if let Err(error) = self.kernel.set_link(device, &self.home, setting) {
            tracing::warn!(%device, %error, "netdev at home is not as prepare left it");
        }
    }
}

/// What is to be set in the pod, in order: the address while the link is down, routes when it is up.
fn settings(plan: &NetdevPlan, now: &Netdev) -> Vec<LinkSetting> {
    let mac = plan.mac.filter(|mac| now.home.mac != Some(*mac)).map(LinkSetting::Mac);
    let mtu = plan.mtu.filter(|mtu| now.home.mtu != *mtu).map(LinkSetting::Mtu);
    let addresses = plan.addresses.iter().copied().map(LinkSetting::Address);
    let routes = plan.routes.iter().cloned().map(LinkSetting::Route);
    mac.into_iter().chain(mtu).chain(addresses).chain([LinkSetting::Up(true)]).chain(routes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{claim::AttachMode, device::NetdevHome};

    #[test]
    fn a_link_is_addressed_while_down_and_routed_when_up() {
        let name: IfName = "net1".parse().unwrap();
        let home = NetdevHome { name, altnames: vec![], mac: Some(Mac([2, 0, 0, 0, 0, 1])), mtu: 1500, up: false };
        let now = Netdev { ifindex: 2, home, carrier: None, addresses: vec![] };
        let route = serde_json::from_str(r#"{"dst":"0.0.0.0/0","gw":"10.0.0.1"}"#).unwrap();
        let mut plan = NetdevPlan {
            attach: AttachMode::Pod,
            if_name: None,
            mac: Some(Mac([2, 0, 0, 0, 0, 2])),
            mtu: Some(9000),
            addresses: vec!["10.0.0.7/24".parse().unwrap()],
            routes: vec![route],
        };
        let texts = |plan: &NetdevPlan| settings(plan, &now).iter().map(ToString::to_string).collect::<Vec<_>>();
        let all = ["address 02:00:00:00:00:02", "mtu 9000", "inet 10.0.0.7/24", "up", "route 0.0.0.0/0 via 10.0.0.1"];
        assert_eq!(texts(&plan), all);
        (plan.mac, plan.mtu) = (Some(Mac([2, 0, 0, 0, 0, 1])), Some(1500));
        assert_eq!(texts(&plan), all[2..]);
    }
}
