//! One netdev's way into a pod and back to the host: the kernel's part.

use super::{
    properties::differences, resting::resting, return_to_host::return_to_host, wait::appeared,
};
use crate::{
    deadline::Deadline,
    device::{DeviceId, IfName, LinkSetting, Mac, Netdev},
    host::{ErrorKind, HostError, Kernel, Netns},
    ledger::{Attachment, DeviceRecord, NetdevPlan},
};

/// The kernel, and the host's own namespace in it.
pub(crate) struct Mover<'a> {
    pub(crate) kernel: &'a dyn Kernel,
    pub(crate) host: Netns,
}

impl Mover<'_> {
    /// Gets the netdev to where it can be taken from: it stays in the pod's namespace if it is
    /// there already, else it is in the host's namespace when this returns, from wherever an
    /// earlier attachment has taken it.
    pub(crate) fn fetch(
        &self,
        device: &DeviceRecord,
        pod: &Netns,
        deadline: Deadline,
    ) -> Result<Netns, HostError> {
        if self.kernel.link(&device.id, pod)?.is_some() {
            return Ok(pod.clone());
        }
        match &device.attachment {
            Some(earlier) => self.move_back(device, earlier, deadline)?,
            None => drop(appeared(self.kernel, &self.host, &device.id, deadline)?),
        }
        Ok(self.host.clone())
    }

    /// Moves, names and addresses; `go` is asked before each write. Returns the hardware address in
    /// the pod.
    pub(crate) fn move_in<E: From<HostError>>(
        &self,
        device: &DeviceRecord,
        plan: &NetdevPlan,
        (from, to): (&Netns, &Netns),
        name: &IfName,
        go: &dyn Fn() -> Result<(), E>,
    ) -> Result<Option<Mac>, E> {
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
        Ok(self.must_be(&device.id, to)?.state.mac)
    }

    fn must_be(&self, device: &DeviceId, netns: &Netns) -> Result<Netdev, HostError> {
        let text = format!("no netdev in netns {}", netns.inode);
        let gone = || HostError::of_kind(ErrorKind::Gone, device.to_string(), "find netdev", &text);
        self.kernel.link(device, netns)?.ok_or_else(gone)
    }

    /// Returns the netdev to the host from where the attachment took it, as prepare left it. What
    /// cannot be set there any more is left to the claim's release, which makes everything as it
    /// was before.
    pub(crate) fn move_back(
        &self,
        device: &DeviceRecord,
        attachment: &Attachment,
        deadline: Deadline,
    ) -> Result<(), HostError> {
        let rest = resting(device);
        let name = rest.as_ref().map(|rest| &rest.name);
        return_to_host(
            self.kernel,
            &self.host,
            &device.id,
            attachment,
            (device.prepared_binding(), name),
            deadline,
        )?;
        let Some(rest) = rest else { return Ok(()) };
        for setting in differences(&self.must_be(&device.id, &self.host)?.state, &rest) {
            self.attempt(&device.id, &setting);
        }
        Ok(())
    }

    fn attempt(&self, device: &DeviceId, setting: &LinkSetting) {
        if let Err(error) = self.kernel.set_link(device, &self.host, setting) {
            tracing::warn!(%device, %error, "netdev on the host is not as prepare left it");
        }
    }
}

/// What is to be set in the pod, in order: the address while the link is down, routes when it is
/// up.
fn settings(plan: &NetdevPlan, now: &Netdev) -> Vec<LinkSetting> {
    let mac = plan
        .mac
        .filter(|mac| now.state.mac != Some(*mac))
        .map(LinkSetting::Mac);
    let mtu = plan
        .mtu
        .filter(|mtu| now.state.mtu != *mtu)
        .map(LinkSetting::Mtu);
    let addresses = plan.addresses.iter().copied().map(LinkSetting::Address);
    let routes = plan.routes.iter().cloned().map(LinkSetting::Route);
    mac.into_iter()
        .chain(mtu)
        .chain(addresses)
        .chain([LinkSetting::Up(true)])
        .chain(routes)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{api::AttachMode, device::NetdevState};

    #[test]
    fn a_link_is_addressed_while_down_and_routed_when_up() {
        let name: IfName = "net1".parse().unwrap();
        let state = NetdevState {
            name,
            altnames: vec![],
            alias: String::new(),
            mac: Some(Mac([2, 0, 0, 0, 0, 1])),
            mtu: 1500,
            up: false,
        };
        let now = Netdev {
            ifindex: 2,
            state,
            carrier: None,
            addresses: vec![],
        };
        let route = serde_json::from_str(r#"{"dst":"0.0.0.0/0","gw":"10.0.0.1"}"#).unwrap();
        let mut plan = NetdevPlan {
            attach: AttachMode::Pod,
            if_name: None,
            mac: Some(Mac([2, 0, 0, 0, 0, 2])),
            mtu: Some(9000),
            addresses: vec!["10.0.0.7/24".parse().unwrap()],
            routes: vec![route],
            unknown: Default::default(),
        };
        let texts = |plan: &NetdevPlan| {
            settings(plan, &now)
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        let all = [
            "address 02:00:00:00:00:02",
            "mtu 9000",
            "inet 10.0.0.7/24",
            "up",
            "route 0.0.0.0/0 via 10.0.0.1",
        ];
        assert_eq!(texts(&plan), all);
        (plan.mac, plan.mtu) = (Some(Mac([2, 0, 0, 0, 0, 1])), Some(1500));
        assert_eq!(texts(&plan), all[2..]);
    }
}
