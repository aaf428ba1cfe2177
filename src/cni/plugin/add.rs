//! ADD: a device of the pod's goes into it.

use std::{net::IpAddr, time::Duration};

use super::{
    Plugin, address,
    asked::Asked,
    choose::Target,
    entry::{self, key_of},
    error::{failed, host, refused},
    held::Held,
    ipam,
};
use crate::{
    claim::view,
    cni::{
        netconf::Conf,
        protocol::{CniError, Code, Command},
        request::Call,
        result::{CniResult, Interface},
    },
    deadline::Deadline,
    device::{DeviceId, Mac, Observed},
    host::{HostError, Netns},
    ledger::{
        Attachment, AttachmentId, DeviceRecord, NetdevPlan, NetworkCall, NetworkLayer, Phase, Step,
    },
    netdev::{Mover, host_netns, is_attached},
};

/// How long an ADD may be kept by the remains of others.
const SWEEP: Duration = Duration::from_secs(5);

/// One ADD.
struct Add<'a> {
    call: &'a Call<Conf>,
    asked: Asked,
    netns: Netns,
    /// Gateways of default routes that replace those of the IPAM plugin.
    gateways: Vec<IpAddr>,
    deadline: Deadline,
}

impl Plugin {
    /// A second ADD of what is attached already answers as the first one did.
    pub(super) fn add(&self, call: &Call<Conf>, deadline: Deadline) -> Result<CniResult, CniError> {
        for warning in call.conf.warnings() {
            tracing::warn!("{warning}");
        }
        let key = key_of(&call.attachment)?;
        let mut add = Add {
            call,
            asked: Asked::of(&call.conf),
            netns: self.netns(call)?,
            gateways: Vec::new(),
            deadline,
        };
        let _lock = self.lock(&key, "add", deadline)?;
        if let Some(entry) = self.load(&key)? {
            let held = self.hold(entry, deadline)?;
            if let Some(result) = self.standing(&add, &held)? {
                return Ok(result);
            }
            self.undo(held, deadline)?;
        }
        self.sweep(Deadline::after(SWEEP)).map_err(failed)?;
        let target = self.choose(call)?;
        add.gateways.clone_from(&target.gateways);
        self.check_name(&add, &target)?;
        let mut held = self.enter(&add, key, &target)?;
        match self.attach(&add, &mut held) {
            Ok(result) => Ok(result),
            Err(error) => Err(self.take_back(error, held, deadline)),
        }
    }

    fn take_back(&self, error: CniError, held: Held, deadline: Deadline) -> CniError {
        match self.undo(held, deadline) {
            Ok(()) => error,
            Err(undo) => error.with_details(format!("then {undo}; DEL tries it again")),
        }
    }

    fn netns(&self, call: &Call<Conf>) -> Result<Netns, CniError> {
        let invalid =
            |text: String| CniError::new(Code::INVALID_NETNS, format!("CNI_NETNS: {text}"));
        let opened = self.engine.kernel().open_netns(call.netns());
        let netns = opened.map_err(|error| invalid(error.to_string()))?;
        let own = host_netns(&**self.engine.kernel(), self.engine.paths()).map_err(host)?;
        if netns.inode == own.inode && !call.netns_override {
            return Err(invalid(format!(
                "{} is the host's own network namespace",
                call.netns().display()
            )));
        }
        Ok(netns)
    }

    /// What the first ADD has printed, if what it made is still there.
    fn standing(&self, add: &Add<'_>, held: &Held) -> Result<Option<CniResult>, CniError> {
        let made = held
            .call()
            .and_then(|call| call.result.clone().map(|result| (call, result)));
        let Some((made, result)) = made.filter(|(made, _)| made.netns == add.netns.inode) else {
            return Ok(None);
        };
        let Some(device) = held.device().filter(|_| held.has_layer()) else {
            return Ok(None);
        };
        let there = match &device.attachment {
            Some(attachment) => {
                attachment.done
                    && is_attached(&**self.engine.kernel(), &made.device, attachment)
                        .map_err(host)?
            }
            None => device.netdev.is_none(),
        };
        match there {
            true => CniResult::read("the recorded result", result).map(Some),
            false => Ok(None),
        }
    }

    /// The name must be free in the pod: nothing that is there is touched.
    fn check_name(&self, add: &Add<'_>, target: &Target) -> Result<(), CniError> {
        let name = &add.call.attachment.if_name;
        let taken = self.engine.kernel().link_names(&add.netns).map_err(host)?;
        if !taken.iter().any(|taken| taken == name.as_str()) {
            return Ok(());
        }
        let kernel = self.engine.kernel();
        let ours = kernel.link(&target.device, &add.netns).map_err(host)?;
        match ours {
            Some(netdev) if netdev.state.name == *name => Ok(()),
            _ => Err(CniError::new(
                Code::INVALID_ENVIRONMENT,
                format!("CNI_IFNAME: an interface {name} is in the pod already"),
            )),
        }
    }

    /// Writes the entry, under the locks of the device.
    fn enter(&self, add: &Add<'_>, key: AttachmentId, target: &Target) -> Result<Held, CniError> {
        let attachment = &add.call.attachment;
        let pod = &attachment.args.pod;
        let pod = pod.namespace.as_ref().zip(pod.name.as_ref());
        let entry = entry::new(
            key,
            NetworkCall {
                network: add.call.network.name.clone(),
                container: attachment.container.to_string(),
                if_name: attachment.if_name.clone(),
                netns_path: add.call.netns().display().to_string(),
                netns: add.netns.inode,
                pod: pod.map(|(namespace, name)| format!("{namespace}/{name}")),
                device: target.device,
                claim: target.claim.clone().map(Into::into),
                ipam: None,
                result: None,
                unknown: Default::default(),
            },
        );
        let mut held = self.hold(entry, add.deadline)?;
        self.check_go(target.device)?;
        match &target.claim {
            None => {
                let owner = held.entry.owner.clone();
                let taken = self.engine.take(owner, target.device, add.deadline);
                held.entry = taken.map_err(refused)?;
            }
            Some(claim) => {
                let prepared = held
                    .claim
                    .as_ref()
                    .is_some_and(|(record, _)| record.phase == Phase::Prepared);
                if !prepared {
                    let text = format!("claim {claim}: is not prepared on this node (any more)");
                    return Err(CniError::new(Code::TRY_AGAIN_LATER, text));
                }
                self.free(add, &mut held)?;
                self.save(&held.entry)?;
            }
        }
        Ok(held)
    }

    /// An earlier sandbox of the pod may still have the device. Another living pod keeps it.
    fn free(&self, add: &Add<'_>, held: &mut Held) -> Result<(), CniError> {
        let Some(device) = held.device_mut() else {
            return Ok(());
        };
        if let Some(attachment) = device.attachment.clone() {
            let own = add.call.attachment.args.pod.uid.as_deref();
            let lives =
                is_attached(&**self.engine.kernel(), &device.id, &attachment).map_err(host)?;
            if lives && own != Some(&*attachment.pod_uid) {
                let text = format!(
                    "{}: is in pod {} as {}, a netdev belongs to one pod at a time",
                    device.id, attachment.pod, attachment.if_name
                );
                return Err(failed(text));
            }
        }
        if device.network.is_none() && device.attachment.is_none() {
            return Ok(());
        }
        let popped = self.engine.pop_network(device, add.deadline);
        self.save_device(held)?;
        popped.map_err(refused)
    }

    fn attach(&self, add: &Add<'_>, held: &mut Held) -> Result<CniResult, CniError> {
        self.note_layer(add, held)?;
        let device = held.device().ok_or_else(no_device)?;
        self.engine
            .set_network(device, add.deadline)
            .map_err(refused)?;
        self.isolate_rdma(add, held)?;
        let device = held.device().ok_or_else(no_device)?;
        let mac = self.move_in(add, device)?;
        let assigned = self.assign(add, held)?;
        let result = self.result(add, held, mac, assigned)?;
        self.finish(add, held, mac, &result)?;
        Ok(result)
    }

    /// What is about to be changed, with the values that it replaces.
    fn note_layer(&self, add: &Add<'_>, held: &mut Held) -> Result<(), CniError> {
        let key = held.key().clone();
        let device = held.device_mut().ok_or_else(no_device)?;
        let steps = self.plan(add, device)?;
        device.network = Some(NetworkLayer {
            attachment: key,
            if_name: add.call.attachment.if_name.clone(),
            steps,
            addresses: vec![],
            rdma: vec![],
            unknown: Default::default(),
        });
        device.attachment = device.netdev.is_some().then(|| attachment(add));
        device.used = Some(true);
        self.save_device(held)
    }

    fn plan(&self, add: &Add<'_>, device: &DeviceRecord) -> Result<Vec<Step>, CniError> {
        let mut guids = vec![];
        if let Some(asked) = add.asked.infiniband {
            asked.check_vfio(device)?;
            guids = self.engine.plan_guid(device, asked.guid).map_err(refused)?;
        }
        if add.asked.isolates_rdma(device) {
            self.engine.check_rdma(&device.id).map_err(refused)?;
        }
        let steps = self
            .engine
            .plan_network(device, &add.asked.settings, &guids);
        steps.map_err(refused)
    }

    /// Before the netdev: the kernel makes that anew when its RDMA device changes its namespace.
    fn isolate_rdma(&self, add: &Add<'_>, held: &mut Held) -> Result<(), CniError> {
        let device = held.device_mut().ok_or_else(no_device)?;
        if add.asked.isolates_rdma(device) {
            let names = self.engine.plan_rdma(device, add.deadline);
            let names = names.map_err(refused)?;
            device
                .network
                .iter_mut()
                .for_each(|layer| layer.rdma.clone_from(&names));
            self.save_device(held)?;
            let device = held.device().ok_or_else(no_device)?;
            let moved = self.engine.isolate_rdma(device, &add.netns, add.deadline);
            moved.map_err(refused)?;
        }
        match (&mut held.claim, add.asked.infiniband) {
            (Some((record, index)), Some(_)) => {
                self.engine.renew_nodes(record, *index).map_err(refused)
            }
            _ => Ok(()),
        }
    }

    /// Into the pod, named and up; nothing for a device without a netdev.
    fn move_in(&self, add: &Add<'_>, device: &DeviceRecord) -> Result<Option<Mac>, CniError> {
        let Some(plan) = &device.netdev else {
            return Ok(None);
        };
        let mover = self.mover()?;
        let plan = NetdevPlan {
            mac: add.asked.settings.mac.or(plan.mac),
            ..plan.clone()
        };
        let name = &add.call.attachment.if_name;
        let go = || Ok::<(), HostError>(());
        mover
            .move_in(device, &plan, (&mover.host, &add.netns), name, &go)
            .map_err(host)
    }

    fn mover(&self) -> Result<Mover<'_>, CniError> {
        let kernel = &**self.engine.kernel();
        Ok(Mover {
            kernel,
            host: host_netns(kernel, self.engine.paths()).map_err(host)?,
        })
    }

    /// The IPAM plugin's addresses and routes, on the netdev if there is one.
    fn assign(&self, add: &Add<'_>, held: &mut Held) -> Result<Option<CniResult>, CniError> {
        let Some(ipam) = ipam::of(add.call) else {
            return Ok(None);
        };
        let call = held.entry.owner.call.as_mut().ok_or_else(no_device)?;
        call.ipam = Some(ipam.clone());
        let at = ipam::at(call);
        self.save(&held.entry)?;
        let assigned = self.ipam.run(Command::Add, &ipam, &at)?;
        let mut assigned = assigned
            .filter(|assigned| !assigned.ips.is_empty())
            .ok_or_else(|| {
                let text = format!("ipam.type: {} has assigned no address", ipam.plugin);
                CniError::new(Code::IPAM, text)
            })?;
        address::through(&mut assigned.routes, &add.gateways);
        let device = held.device_mut().ok_or_else(no_device)?;
        if let Some(layer) = &mut device.network {
            layer.addresses = assigned.ips.iter().map(|ip| ip.address).collect();
        }
        if device.netdev.is_some() {
            self.address(add, device, &assigned)?;
        }
        Ok(Some(assigned))
    }

    fn address(
        &self,
        add: &Add<'_>,
        device: &DeviceRecord,
        assigned: &CniResult,
    ) -> Result<(), CniError> {
        let kernel = self.engine.kernel();
        for setting in address::settings(assigned) {
            kernel
                .set_link(&device.id, &add.netns, &setting)
                .map_err(host)?;
        }
        if let Err(error) = kernel.announce(&device.id, &add.netns) {
            // Neighbours find out by themselves, later.
            tracing::warn!(%error, "no announcement");
        }
        Ok(())
    }

    fn result(
        &self,
        add: &Add<'_>,
        held: &Held,
        mac: Option<Mac>,
        assigned: Option<CniResult>,
    ) -> Result<CniResult, CniError> {
        let device = held.device().ok_or_else(no_device)?;
        let kernel = self.engine.kernel();
        let netdev = kernel.link(&device.id, &add.netns).map_err(host)?;
        let mac = match mac.or(add.asked.settings.mac) {
            None => administered(&self.engine.after_reset(&device.id).map_err(refused)?),
            known => known,
        };
        let own = Interface {
            name: add.call.attachment.if_name.to_string(),
            mac: mac.map(|mac| mac.to_string()),
            mtu: netdev.map(|netdev| netdev.state.mtu),
            sandbox: Some(add.call.netns().display().to_string()),
            pci_id: pci_id(&device.id),
            ..Interface::default()
        };
        let network = &add.call.network;
        Ok(CniResult::chained(
            network.previous.clone(),
            own,
            assigned,
            &network.dns,
        ))
    }

    /// The ledger says that all is done, and the claim's containers may start.
    fn finish(
        &self,
        add: &Add<'_>,
        held: &mut Held,
        mac: Option<Mac>,
        result: &CniResult,
    ) -> Result<(), CniError> {
        let version = add.call.network.version;
        let printed = result.to_value(version)?;
        if let Some(call) = &mut held.entry.owner.call {
            call.result = Some(printed);
        }
        held.entry.phase = Phase::Prepared;
        let device = held.device_mut().ok_or_else(no_device)?;
        if let Some(attachment) = &mut device.attachment {
            (attachment.mac, attachment.done) = (mac, true);
        }
        if held.claim.is_some() {
            self.save_device(held)?;
        }
        self.save(&held.entry)?;
        if let Some((record, _)) = &held.claim {
            let driver = &self.engine.identity().driver_name;
            view::open(self.engine.paths(), record, driver).map_err(failed)?;
        }
        Ok(())
    }
}

/// An SF has none.
fn pci_id(device: &DeviceId) -> Option<String> {
    match device {
        DeviceId::Pci(bdf) => Some(bdf.to_string()),
        DeviceId::Sf { .. } => None,
    }
}

fn attachment(add: &Add<'_>) -> Attachment {
    let of = &add.call.attachment;
    let pod = &of.args.pod;
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    Attachment {
        sandbox: of.container.to_string(),
        pod_uid: text(&pod.uid),
        pod: format!("{}/{}", text(&pod.namespace), text(&pod.name)),
        netns_path: add.call.netns().display().to_string(),
        netns: add.netns.inode,
        if_name: of.if_name.clone(),
        mac: None,
        done: false,
        unknown: Default::default(),
    }
}

/// The MAC that the PF holds for a VF without a netdev here.
fn administered(seen: &Observed) -> Option<Mac> {
    let held = seen.vf.and_then(|held| held.mac);
    held.filter(|mac| *mac != Mac::ZERO)
}

fn no_device() -> CniError {
    failed("the attachment's device is not in its record any more")
}
