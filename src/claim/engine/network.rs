//! A device for a network attachment: a layer of values on top of what its claim has set, or the
//! device itself, when no claim has it. For the CNI binary; the caller has the locks.
//!
//! ```text
//!  own:    take ─► record (Preparing) ┐
//!  claim:  its record, Prepared ──────┴─► plan_network ─► record (layer) ─► set_network ─► into the pod
//!  back:   pop_network: isolate ─► the PF's values ─► the netdev as prepare left it      (a claim's)
//!          give_back: all that it was before                                             (its own)
//! ```

use std::collections::BTreeSet;

use super::{Engine, groups::group_lock, isolate::Cut, transit};
use crate::{
    api::{AttachMode, Settings},
    claim::{
        AllocatedDevice, ClaimError, Wanted,
        plan::{current, plan, vf_values},
        yields::is_handed_over,
    },
    deadline::Deadline,
    device::{Bdf, DeviceId, Function, FunctionKind, LinkSetting, Mac, Observed, VfSetting},
    ledger::{AttachmentOwner, DeviceRecord, Phase, Record, Step, VERSION},
    netdev,
    slice::DeviceRef,
};

impl Engine {
    /// Enters an attachment as the owner of a device that no claim has.
    ///
    /// # Errors
    /// Another claim, attachment or the host has it, or it cannot be given as it is.
    pub fn take(
        &self,
        owner: AttachmentOwner,
        device: DeviceId,
        deadline: Deadline,
    ) -> Result<Record<AttachmentOwner>, ClaimError> {
        let wanted = self.as_it_is(device);
        self.check_free_of_all(&wanted)?;
        self.check_host(std::slice::from_ref(&wanted))?;
        let (planned, shared) = self.plan_own(&wanted, deadline)?;
        let mut record = Record {
            version: VERSION,
            owner,
            phase: Phase::Preparing,
            releasing_since: None,
            devices: vec![planned],
            unknown: Default::default(),
        };
        for device in &mut record.devices {
            device.published = self.published_of(&device.id);
        }
        let work = format!("enter attachment {}", record.owner.attachment);
        let lock = |one: &Bdf| self.locks.pf(one, &work, deadline);
        let locks: Result<Vec<_>, _> = shared.iter().map(lock).collect();
        let _locks = locks?;
        self.check_free_of_all(&wanted)?;
        self.attachments.save(&record)?;
        Ok(record)
    }

    /// A device with its present driver and values.
    fn as_it_is(&self, id: DeviceId) -> Wanted {
        let here = self.identity.pool();
        Wanted {
            id,
            result: AllocatedDevice {
                request: String::new(),
                class: None,
                device: DeviceRef {
                    driver: here.driver.to_owned(),
                    slice_pool: here.node.to_owned(),
                    device: id.name(),
                },
                admin_access: false,
                share_id: None,
            },
            settings: Settings::default(),
            definition: None,
            fault: None,
            attach_by_default: AttachMode::Cni,
        }
    }

    /// Its record, and what is locked to enter it: its PF, and its IOMMU group.
    fn plan_own(
        &self,
        wanted: &Wanted,
        deadline: Deadline,
    ) -> Result<(DeviceRecord, BTreeSet<Bdf>), ClaimError> {
        let observed = self.settled(&wanted.id, deadline)?;
        let function = &observed.function;
        if matches!(function.vfs(), Some((_, 1..))) {
            let why = "is a PF with VFs, which would go with it; set sriov_numvfs to 0, or attach its VFs";
            return Err(ClaimError::refused(wanted.id, why));
        }
        let refused = |reason| ClaimError::refused(wanted.id, reason);
        let device = plan(wanted, &observed, &[], None).map_err(refused)?;
        if device.netdev.is_none() && !is_handed_over(function) {
            let driver = function.binding.driver.as_deref().unwrap_or("none");
            let why = format!(
                "driver {driver} has no network interface of it, and hands it to no process; bind it \
                 to its kernel driver or to vfio-pci"
            );
            return Err(refused(why));
        }
        self.check_group(wanted, &observed)?;
        self.note_mac(&observed)?;
        let shared = [function.pf(), group_lock(&observed)];
        Ok((device, shared.into_iter().flatten().collect()))
    }

    /// The values that a network asks of a device, each with the one that it replaces: those that
    /// differ from what the PF reports.
    ///
    /// # Errors
    /// The device's claim has set one of them to another value, or there is no PF to set it.
    pub fn plan_network(
        &self,
        device: &DeviceRecord,
        settings: &Settings,
        guids: &[VfSetting],
    ) -> Result<Vec<Step>, ClaimError> {
        let refused = |reason| ClaimError::refused(device.id, reason);
        let observed = self.after_reset(&device.id)?;
        let mut values = vf_values(settings, observed.vf.as_ref());
        values.extend(guids);
        let Some((vf, held)) = observed.function.vf_address().zip(observed.vf) else {
            return match without_pf(&observed.function, settings, &values) {
                None => Ok(vec![]),
                Some(reason) => Err(refused(reason)),
            };
        };
        values
            .iter()
            .try_for_each(|value| agrees_with_claim(device, value))
            .map_err(refused)?;
        let step = |to: VfSetting| Step::Vf {
            vf: vf.into(),
            from: current(&held, &to),
            to,
            unknown: Default::default(),
        };
        let differs = |to: &VfSetting| current(&held, to).as_ref() != Some(to);
        Ok(values.into_iter().filter(differs).map(step).collect())
    }

    /// The device, once its PF reports it: some reset a VF after each change, and then report
    /// nothing of it (`ice_get_vf_cfg` in `drivers/net/ethernet/intel/ice/ice_sriov.c`).
    ///
    /// # Errors
    /// The kernel's.
    pub fn after_reset(&self, device: &DeviceId) -> Result<Observed, ClaimError> {
        netdev::retry(transit(), || self.kernel.observe(device)).map_err(ClaimError::host("look"))
    }

    /// Sets the values of the device's layer, and lets its netdev take a MAC.
    ///
    /// # Errors
    /// The kernel's.
    pub fn set_network(&self, device: &DeviceRecord, deadline: Deadline) -> Result<(), ClaimError> {
        let layer = device.network.iter().flat_map(|layer| &layer.steps);
        for step in layer {
            let Step::Vf { vf, to, .. } = step else {
                continue;
            };
            self.set_vf("add", vf, to, deadline)
                .map_err(|error| self.explained(device, error))?;
            if let (VfSetting::Mac(mac), Some(_)) = (to, &device.netdev) {
                self.take_mac(device, *mac, deadline)
                    .map_err(ClaimError::host("add"))?;
            }
        }
        self.read_guids(device, deadline)
    }

    /// Some drivers refuse the address that the PF has set, also when it is that one, and read it
    /// only when they start (`E1000_VF_SET_MAC_ADDR` in `igb_rcv_msg_from_vf`,
    /// `drivers/net/ethernet/intel/igb/igb_main.c`).
    fn take_mac(
        &self,
        device: &DeviceRecord,
        mac: Mac,
        deadline: Deadline,
    ) -> crate::host::Result<()> {
        let host = netdev::host_netns(&*self.kernel, &self.paths)?;
        let now = netdev::wait(&*self.kernel, &host, &device.id, deadline)?;
        let to = LinkSetting::Mac(mac);
        if now.state.mac == Some(mac) || self.kernel.set_link(&device.id, &host, &to).is_ok() {
            return Ok(());
        }
        let Some(binding) = device.prepared_binding() else {
            return Ok(());
        };
        netdev::retry(deadline, || {
            self.kernel.rebind(&device.id, binding, deadline)
        })?;
        netdev::wait(&*self.kernel, &host, &device.id, deadline).map(drop)
    }

    /// Takes the layer off a device that its claim keeps: the tenant is cut off, then the PF's
    /// values and the netdev are as prepare left them. Another device at the same address is left
    /// alone. The caller saves the record, whatever this returns.
    ///
    /// # Errors
    /// The first thing that did not work; then the layer is still there, for the next call.
    /// [`ClaimError::NodeOpen`]: the tenant still has the device open, and its values stay.
    pub fn pop_network(
        &self,
        device: &mut DeviceRecord,
        deadline: Deadline,
    ) -> Result<(), ClaimError> {
        if self.cut_off(device, deadline)? {
            let mut failed = self.undo_network_values(device, deadline).into_iter();
            if let Some(error) = failed.next() {
                return Err(error);
            }
            self.read_guids(device, deadline)?;
            self.rest_on_host(device, deadline)?;
        }
        (device.network, device.attachment) = (None, None);
        Ok(())
    }

    /// False: the device is not there any more. One that is handed to processes keeps its driver,
    /// since its claim does.
    fn cut_off(&self, device: &DeviceRecord, deadline: Deadline) -> Result<bool, ClaimError> {
        if device.netdev.is_some() {
            let failed = ClaimError::host("detach");
            let host = netdev::host_netns(&*self.kernel, &self.paths).map_err(failed)?;
            return Ok(self.isolate(device, &host, deadline)? != Cut::Gone);
        }
        let is_there = self.is_same(device)?;
        match self.open_node(device).filter(|_| is_there) {
            Some(node) => Err(ClaimError::NodeOpen {
                device: device.id,
                node,
            }),
            None => Ok(is_there),
        }
    }

    /// The netdev as prepare left it, as far as it can be set: the claim's release makes it anew.
    fn rest_on_host(&self, device: &DeviceRecord, deadline: Deadline) -> Result<(), ClaimError> {
        let (Some(_), Some(attachment)) = (&device.netdev, &device.attachment) else {
            return Ok(());
        };
        let failed = ClaimError::host("detach");
        if let Some(binding) = device.prepared_binding() {
            self.undo_driver(&device.id, binding, deadline)?;
        }
        let mover = netdev::Mover {
            kernel: &*self.kernel,
            host: netdev::host_netns(&*self.kernel, &self.paths).map_err(&failed)?,
        };
        mover
            .move_back(device, attachment, deadline)
            .map_err(failed)
    }

    /// Restores the devices of an attachment without a claim.
    ///
    /// # Errors
    /// All that did not work; the record stays, and the next call goes on.
    pub fn give_back(
        &self,
        record: &mut Record<AttachmentOwner>,
        deadline: Deadline,
    ) -> Result<(), Vec<ClaimError>> {
        let host = netdev::host_netns(&*self.kernel, &self.paths)
            .map_err(|error| vec![ClaimError::host("release")(error)])?;
        if record.phase != Phase::Unpreparing {
            record.phase = Phase::Unpreparing;
            if let Err(error) = self.attachments.save(record) {
                tracing::warn!(attachment = %record.owner.attachment, %error, "releasing without a note of it");
            }
        }
        let restored = |device: &DeviceRecord| self.restore_device(device, &host, deadline).errors;
        let errors: Vec<ClaimError> = record.devices.iter().flat_map(restored).collect();
        match errors.is_empty() {
            true => Ok(()),
            false => Err(errors),
        }
    }
}

/// What only a PF can set on its VF, by the network's key; none: nothing of that. The MAC of a PF or
/// SF is its netdev's own.
fn without_pf(function: &Function, settings: &Settings, values: &[VfSetting]) -> Option<String> {
    let is_vf = matches!(function.kind, FunctionKind::Vf { .. });
    let mac = settings.mac.filter(|_| is_vf).map(|_| "mac");
    let key = mac.or_else(|| values.first().map(network_key))?;
    let what = match function.kind {
        FunctionKind::Pf { .. } => "a PF",
        FunctionKind::Sf { .. } => "an SF",
        _ => "one without",
    };
    Some(format!(
        "{key}: can only be set on a VF whose PF is on this host and has a network interface, and \
         this is {what}; leave it out"
    ))
}

/// The key of a network's configuration.
fn network_key(value: &VfSetting) -> &'static str {
    match value {
        VfSetting::Mac(_) => "mac",
        VfSetting::Vlan(_) => "vlan",
        VfSetting::Rate { .. } => "min_tx_rate, max_tx_rate",
        VfSetting::SpoofChk(_) => "spoofchk",
        VfSetting::Trust(_) => "trust",
        VfSetting::LinkState(_) => "link_state",
        VfSetting::NodeGuid(_) | VfSetting::PortGuid(_) => "guid",
    }
}

/// A class that fixed a setting wins.
fn agrees_with_claim(device: &DeviceRecord, value: &VfSetting) -> Result<(), String> {
    let same_kind = |set: &VfSetting| std::mem::discriminant(set) == std::mem::discriminant(value);
    let fixed = device.steps.iter().find_map(|step| match step {
        Step::Vf { to, .. } if same_kind(to) => Some(to),
        _ => None,
    });
    match fixed {
        Some(fixed) if fixed != value => Err(format!(
            "the network asks for {value}, and the device's class or claim has set {fixed}; leave one out"
        )),
        _ => Ok(()),
    }
}
