//! What the Go plugin has attached before this one replaced it: released as its own DEL would, and
//! then as any other attachment.

use std::path::Path;

use super::{
    Plugin, entry,
    error::{failed, host, refused},
    ipam,
};
use crate::{
    api::AttachMode,
    claim::current,
    cni::{
        cache_go::{GoAttachment, GoCache, GoNetdev},
        protocol::CniError,
        request::Call,
    },
    deadline::Deadline,
    device::{Bdf, DeviceId, Netdev, NetdevState, Observed, VfSetting},
    files,
    ledger::{
        Attachment, AttachmentId, DeviceRecord, NetdevPlan, NetworkCall, NetworkLayer, Phase, Step,
    },
};

impl Plugin {
    /// Whether the Go plugin has the device in a pod that lives. Its file of a pod that is no more
    /// is removed, as the Go plugin does.
    pub(super) fn check_go(&self, device: DeviceId) -> Result<(), CniError> {
        let DeviceId::Pci(bdf) = device else {
            return Ok(());
        };
        let cache = GoCache::new(self.engine.paths());
        let Some(netns) = cache.namespace(bdf).map_err(failed)? else {
            return Ok(());
        };
        match self.engine.kernel().open_netns(&netns) {
            Ok(_) => Err(failed(format!(
                "{device}: the SR-IOV CNI plugin has attached it to the pod at {}",
                netns.display()
            ))),
            Err(_) => files::remove(&cache.device_file(bdf)).map_err(failed),
        }
    }

    /// DEL of an attachment that is not ours. What the Go plugin cannot read, it takes for none.
    pub(super) fn take_over(
        &self,
        call: &Call<()>,
        key: AttachmentId,
        deadline: Deadline,
    ) -> Result<(), CniError> {
        let cache = GoCache::new(self.engine.paths());
        let (container, if_name) = (&call.attachment.container, &call.attachment.if_name);
        match cache.attachment(container, if_name) {
            Ok(Some(found)) if self.is_its_own(call, &cache, found.device)? => {
                self.release_go(call, key, &found, deadline)
            }
            Ok(_) => Ok(()),
            Err(error) => {
                tracing::warn!(%error, "of the SR-IOV CNI plugin, and not readable");
                Ok(())
            }
        }
    }

    /// Removes the Go plugin's files of an attachment that is released.
    pub(super) fn forget_go(&self, call: &Call<()>) -> Result<(), CniError> {
        let cache = GoCache::new(self.engine.paths());
        let (container, if_name) = (&call.attachment.container, &call.attachment.if_name);
        if let Ok(Some(found)) = cache.attachment(container, if_name)
            && self.is_its_own(call, &cache, found.device)?
        {
            files::remove(&cache.device_file(found.device)).map_err(failed)?;
        }
        files::remove(&cache.attachment_file(container, if_name)).map_err(failed)
    }

    /// Whether the device is still this attachment's: a late DEL of a former owner releases
    /// nothing. The Go plugin removes its file of the device with the attachment only.
    fn is_its_own(&self, call: &Call<()>, cache: &GoCache, device: Bdf) -> Result<bool, CniError> {
        let Some(netns) = cache.namespace(device).map_err(failed)? else {
            return Ok(false);
        };
        Ok(call
            .attachment
            .netns
            .as_ref()
            .is_none_or(|own| *own == netns))
    }

    fn release_go(
        &self,
        call: &Call<()>,
        key: AttachmentId,
        found: &GoAttachment,
        deadline: Deadline,
    ) -> Result<(), CniError> {
        let device = DeviceId::Pci(found.device);
        let work = format!("take over attachment {key}");
        let lock = self.engine.lock_device(device, &work, deadline);
        let lock = lock.map_err(refused)?;
        let observed = self.engine.kernel().observe(&device).map_err(host)?;
        let mut made = network_call(call, device, found);
        made.netns = self.inode(&made.netns_path);
        let attachment = attachment(&made);
        let netdev = self
            .netdev(&device, &made)
            .or_else(|| observed.netdev.clone());
        let mut entry = entry::new(key, made);
        entry.phase = Phase::Unpreparing;
        let key = entry.owner.attachment.clone();
        entry.devices = vec![record(found, &observed, netdev.as_ref(), attachment, key)];
        self.save(&entry)?;
        drop(lock);
        let held = self.hold(entry, deadline)?;
        self.undo(held, deadline)
    }

    fn inode(&self, netns: &str) -> u64 {
        let opened = self.engine.kernel().open_netns(Path::new(netns));
        opened.map_or(0, |netns| netns.inode)
    }

    /// The netdev in the pod, if it is still there.
    fn netdev(&self, device: &DeviceId, made: &NetworkCall) -> Option<Netdev> {
        let kernel = self.engine.kernel();
        let netns = kernel.open_netns(Path::new(&made.netns_path)).ok()?;
        kernel.link(device, &netns).ok().flatten()
    }
}

fn network_call(call: &Call<()>, device: DeviceId, found: &GoAttachment) -> NetworkCall {
    let netns = call.attachment.netns.as_deref().unwrap_or(Path::new(""));
    let args = call.attachment.args_text.clone();
    let ipam = |plugin| ipam::of_parts(plugin, &call.stdin, args, &call.path);
    let ipam = found.ipam.clone().map(ipam);
    NetworkCall {
        network: call.network.name.clone(),
        container: call.attachment.container.to_string(),
        if_name: call.attachment.if_name.clone(),
        netns_path: netns.display().to_string(),
        netns: 0,
        pod: None,
        device,
        claim: None,
        ipam,
        result: None,
        unknown: Default::default(),
    }
}

fn attachment(made: &NetworkCall) -> Attachment {
    Attachment {
        sandbox: made.container.clone(),
        pod_uid: String::new(),
        pod: format!("container {}", made.container),
        netns_path: made.netns_path.clone(),
        netns: made.netns,
        if_name: made.if_name.clone(),
        mac: None,
        done: true,
        unknown: Default::default(),
    }
}

/// As our own ADD would have recorded it.
fn record(
    found: &GoAttachment,
    observed: &Observed,
    netdev: Option<&Netdev>,
    attachment: Attachment,
    key: AttachmentId,
) -> DeviceRecord {
    let binding = &observed.function.binding;
    let state = found.netdev.as_ref().map(|was| before(was, netdev));
    let mut steps: Vec<Step> = state
        .map(|state| Step::Netdev(state.into()))
        .into_iter()
        .collect();
    steps.push(Step::Driver {
        from: binding.clone().into(),
        to: binding.clone().into(),
        unknown: Default::default(),
    });
    DeviceRecord {
        id: observed.function.id,
        incarnation: observed.function.incarnation,
        request: String::new(),
        slice_pool: String::new(),
        share_id: None,
        admin_access: false,
        cdi: vec![],
        nodes: vec![],
        extras: Default::default(),
        steps,
        netdev: found.netdev.is_some().then(plan),
        attachment: found.netdev.is_some().then_some(attachment.clone()),
        definition: None,
        ipam: None,
        network: Some(NetworkLayer {
            attachment: key,
            if_name: attachment.if_name,
            steps: values(found, observed, netdev),
            addresses: vec![],
            rdma: vec![],
            unknown: Default::default(),
        }),
        used: Some(true),
        mirrored: false,
        published: Default::default(),
        unknown: Default::default(),
    }
}

fn plan() -> NetdevPlan {
    NetdevPlan {
        attach: AttachMode::Cni,
        if_name: None,
        mac: None,
        mtu: None,
        addresses: vec![],
        routes: vec![],
        unknown: Default::default(),
    }
}

/// What it has not kept is as the netdev has it now, or as the driver makes it.
fn before(was: &GoNetdev, now: Option<&Netdev>) -> NetdevState {
    let now = now.map(|netdev| &netdev.state);
    NetdevState {
        name: was.name.clone(),
        altnames: now.map(|now| now.altnames.clone()).unwrap_or_default(),
        alias: now.map(|now| now.alias.clone()).unwrap_or_default(),
        mac: was.mac,
        mtu: was.mtu.or(now.map(|now| now.mtu)).unwrap_or(1500),
        up: false,
    }
}

/// What the PF held for the VF, where it holds something else now.
fn values(found: &GoAttachment, observed: &Observed, netdev: Option<&Netdev>) -> Vec<Step> {
    let Some((vf, held)) = observed.function.vf_address().zip(observed.vf) else {
        return vec![];
    };
    // A PF shows the MAC that it was given, and mirrors one that it was not: the netdev's counts.
    let mac = netdev.and_then(|netdev| netdev.state.mac);
    let now = |was: &VfSetting| match (was, mac) {
        (VfSetting::Mac(_), Some(mac)) => Some(VfSetting::Mac(mac)),
        _ => current(&held, was),
    };
    let step = |was: VfSetting| {
        let to = now(&was).filter(|now| *now != was)?;
        Some(Step::Vf {
            vf: vf.into(),
            from: Some(was),
            to,
            unknown: Default::default(),
        })
    };
    found.restore().into_iter().filter_map(step).collect()
}
