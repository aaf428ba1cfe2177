//! CHECK: whether the attachment is as its ADD made it.

use super::{
    Plugin,
    entry::key_of,
    error::{failed, host, refused},
    held::Held,
    ipam,
};
use crate::{
    cni::{
        netconf::Conf,
        protocol::{CniError, Code, Command},
        request::Call,
    },
    deadline::Deadline,
    device::Netdev,
    host::Netns,
    ledger::{DeviceRecord, NetworkLayer, Step},
};

impl Plugin {
    pub(super) fn check(&self, call: &Call<Conf>) -> Result<(), CniError> {
        let key = key_of(&call.attachment)?;
        let deadline = Deadline::after(super::TIMEOUT);
        let _lock = self.lock(&key, "check", deadline)?;
        let unknown = || {
            let text = format!(
                "container {}: has no {}",
                call.attachment.container, call.attachment.if_name
            );
            CniError::new(Code::UNKNOWN_CONTAINER, text)
        };
        let held = self.hold(self.load(&key)?.ok_or_else(unknown)?, deadline)?;
        let device = held
            .device()
            .filter(|_| held.has_layer())
            .ok_or_else(unknown)?;
        self.check_values(device)?;
        self.check_netdev(call, device)?;
        self.check_ipam(&held)
    }

    /// What the PF holds for the VF.
    fn check_values(&self, device: &DeviceRecord) -> Result<(), CniError> {
        let seen = self.engine.after_reset(&device.id).map_err(refused)?;
        if seen.function.incarnation != device.incarnation {
            return Err(failed(format!("{}: was removed and made again", device.id)));
        }
        let steps = device.network.iter().flat_map(|layer| &layer.steps);
        for step in steps {
            if let Step::Vf { to, .. } = step
                && seen.vf.is_some_and(|held| held.contradicts(to))
            {
                return Err(failed(format!("{}: is not {to} any more", device.id)));
            }
        }
        Ok(())
    }

    fn check_netdev(&self, call: &Call<Conf>, device: &DeviceRecord) -> Result<(), CniError> {
        let Some(attachment) = &device.attachment else {
            return Ok(());
        };
        let kernel = self.engine.kernel();
        let netns = kernel.open_netns(call.netns()).map_err(host)?;
        let there = match netns.inode == attachment.netns {
            true => kernel.link(&device.id, &netns).map_err(host)?,
            false => None,
        };
        let place = call.netns().display();
        let Some(netdev) = there else {
            return Err(failed(format!("{}: is not in {place} any more", device.id)));
        };
        let layer = device.network.as_ref();
        self.check_rdma(device, layer, &netns)?;
        match differs(&netdev, attachment, layer) {
            Some(what) => Err(failed(format!("{} in {place}: {what}", device.id))),
            None => Ok(()),
        }
    }

    fn check_rdma(
        &self,
        device: &DeviceRecord,
        layer: Option<&NetworkLayer>,
        netns: &Netns,
    ) -> Result<(), CniError> {
        let Some(layer) = layer.filter(|layer| !layer.rdma.is_empty()) else {
            return Ok(());
        };
        let there = self.engine.kernel().rdma_names(netns).map_err(host)?;
        match layer.rdma.iter().find(|name| !there.contains(name)) {
            Some(name) => {
                let text = format!("{}: its RDMA device {name} is not in the pod", device.id);
                Err(failed(text))
            }
            None => Ok(()),
        }
    }

    fn check_ipam(&self, held: &Held) -> Result<(), CniError> {
        match ipam::pending(&held.entry) {
            Some((ipam, at)) => self.ipam.run(Command::Check, ipam, &at).map(drop),
            None => Ok(()),
        }
    }
}

fn differs(
    netdev: &Netdev,
    attachment: &crate::ledger::Attachment,
    layer: Option<&NetworkLayer>,
) -> Option<String> {
    let state = &netdev.state;
    if state.name != attachment.if_name {
        return Some(format!(
            "is {}, not {} any more",
            state.name, attachment.if_name
        ));
    }
    if !state.up {
        return Some("is down".to_owned());
    }
    if attachment.mac.is_some() && state.mac != attachment.mac {
        return Some("has another MAC address".to_owned());
    }
    let assigned = layer.iter().flat_map(|layer| &layer.addresses);
    let mut lost = assigned
        .into_iter()
        .filter(|net| !netdev.addresses.contains(net));
    lost.next()
        .map(|net| format!("has no address {net} any more"))
}
