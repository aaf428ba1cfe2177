//! What must be done to a device so that it is as wanted: steps, each with the value that it
//! replaces. Pure.
//!
//! ```text
//!  Vfs ─► Netdev ─► Driver ─► Vf… ─► Reload ─► Link…      undone the other way round:
//!                                                   Vf… ─► Driver ─► Netdev (a fresh netdev, named and set as before)
//!                                                   ─► Vfs (of a PF: made again)
//! ```
//!
//! The PF's values come after the driver so that, undone, they are back before the VF's driver
//! starts and reads them. Nothing is touched that was not asked.

mod netdev;

use std::collections::BTreeMap;

use self::netdev::netdev_state;
pub(super) use self::netdev::{check_single, missing_netdev, netdev_plan};
use super::{
    Wanted,
    yields::{Gives, expects_netdev, gives, is_handed_over},
};
use crate::{
    api::{AttachMode, DriverChoice, Settings},
    device::{
        Binding, Function, Guid, LinkSetting, LinkState, Mac, NetdevState, Observed, VfAddress,
        VfSetting, VfSettings, VlanTag,
    },
    ledger::{DeviceRecord, Extras, NetdevPlan, Step, VfState},
};

/// Plans one device. `vfs` are those of a PF; `native` is the kernel's own driver for the device,
/// where known.
///
/// # Errors
/// Why the device cannot be as wanted, and what would be right.
pub fn plan(
    wanted: &Wanted,
    observed: &Observed,
    vfs: &[Observed],
    native: Option<&str>,
) -> Result<DeviceRecord, String> {
    let mut record = DeviceRecord {
        id: wanted.id,
        incarnation: observed.function.incarnation,
        request: wanted.result.request.clone(),
        slice_pool: wanted.result.device.slice_pool.clone(),
        share_id: wanted.result.share_id.clone(),
        admin_access: wanted.result.admin_access,
        cdi: vec![],
        nodes: vec![],
        extras: Extras::default(),
        steps: vec![],
        netdev: None,
        attachment: None,
        network: None,
        definition: wanted.definition.clone(),
        ipam: None,
        used: Some(false),
        mirrored: observed.mirrored,
        published: BTreeMap::new(),
        unknown: Default::default(),
    };
    if !record.admin_access {
        let to = target(&wanted.settings, &observed.function, native)?;
        let gives = gives(observed, &to);
        record.netdev = netdev_plan(
            &wanted.settings,
            gives,
            to.driver.as_deref(),
            wanted.attach_by_default,
        )?;
        if gives == Gives::Netdev {
            check_single(&observed.function)?;
        }
        record.steps = vfs_step(vfs)?.into_iter().collect();
        record.steps.extend(steps(
            &wanted.settings,
            observed,
            &to,
            record.netdev.as_ref(),
        )?);
        // A netdev that stays on the host is in a program's hands from now on, and a driver that is
        // started anew reads a MAC of the claim's.
        let stays = |plan: &NetdevPlan| !plan.attach.is_into_pod();
        record.used =
            Some(record.netdev.as_ref().is_some_and(stays) || record.steps.contains(&Step::Reload));
    }
    Ok(record)
}

/// The binding that the device shall have.
fn target(
    settings: &Settings,
    function: &Function,
    native: Option<&str>,
) -> Result<Binding, String> {
    let now = &function.binding;
    let to = match &settings.driver {
        None if now.driver.is_none() => {
            return Err(
                "driver: none is bound, and none is asked; set driver, e.g. to default or vfio-pci"
                    .into(),
            );
        }
        None => now.clone(),
        Some(DriverChoice::Default) if now.driver.is_some() && !is_handed_over(function) => {
            now.clone()
        }
        Some(DriverChoice::Default) => {
            let unknown =
                "driver: default: the kernel's own driver for this function is not known; name it";
            Binding {
                driver: Some(native.ok_or(unknown)?.to_owned()),
                driver_override: None,
            }
        }
        Some(DriverChoice::Named(name)) if now.driver.as_ref() == Some(name) => now.clone(),
        Some(DriverChoice::Named(name)) => Binding {
            driver: Some(name.clone()),
            driver_override: Some(name.clone()),
        },
    };
    Ok(to)
}

fn steps(
    settings: &Settings,
    observed: &Observed,
    to: &Binding,
    netdev: Option<&NetdevPlan>,
) -> Result<Vec<Step>, String> {
    let from = &observed.function.binding;
    check_mtu(settings, observed)?;
    let mut steps = Vec::new();
    steps.extend(netdev_state(observed)?.map(|state| Step::Netdev(state.into())));
    steps.push(Step::Driver {
        from: from.clone().into(),
        to: to.clone().into(),
        unknown: Default::default(),
    });
    let values = vf_values(settings, observed.vf.as_ref());
    let held = match (observed.function.vf_address(), observed.vf) {
        (Some(vf), Some(held)) => Some((vf, held)),
        _ => None,
    };
    match held {
        Some((vf, held)) => steps.extend(values.iter().map(|value| vf_step(vf, &held, *value))),
        None => refuse_without_pf(&values)?,
    }
    let reads_mac = netdev.is_some() && held.is_some() && settings.mac.is_some();
    steps.extend(reads_mac.then_some(Step::Reload));
    if let (
        Some(NetdevPlan {
            attach: AttachMode::None,
            ..
        }),
        Some(netdev),
    ) = (netdev, &observed.netdev)
    {
        steps.extend(link_steps(settings, &netdev.state, held.is_some()));
    }
    check_rates(&steps)?;
    Ok(steps)
}

/// Release starts a PF's driver again, which takes its VFs away: how they are is written down
/// before.
fn vfs_step(vfs: &[Observed]) -> Result<Option<Step>, String> {
    let states = vfs
        .iter()
        .map(|vf| vf_state(vf, vfs))
        .collect::<Result<Vec<VfState>, String>>()?;
    Ok((!states.is_empty()).then_some(Step::Vfs(states)))
}

fn vf_state(observed: &Observed, all: &[Observed]) -> Result<VfState, String> {
    let Observed {
        function,
        vf: settings,
        ..
    } = observed;
    let vf = function
        .vf_address()
        .ok_or_else(|| format!("its VF {} has no index", function.id))?;
    let again = |reason| format!("its VF {} cannot be made again: {reason}", function.id);
    let netdev = netdev_state(observed).map_err(again)?;
    if netdev.is_none() && expects_netdev(function, all.iter().map(|vf| &vf.function)) {
        return Err(again(missing_netdev(function)));
    }
    Ok(VfState {
        vf: vf.into(),
        settings: settings.map(Into::into),
        binding: function.binding.clone().into(),
        netdev: netdev.map(Into::into),
        mirrored: observed.mirrored,
        unknown: Default::default(),
    })
}

fn check_mtu(settings: &Settings, observed: &Observed) -> Result<(), String> {
    match (settings.mtu, observed.max_mtu) {
        (Some(mtu), Some(max)) if mtu > max => {
            Err(format!("mtu: {mtu} is more than the PF's {max}"))
        }
        _ => Ok(()),
    }
}

/// What the PF shall hold for the VF.
pub(super) fn vf_values(settings: &Settings, held: Option<&VfSettings>) -> Vec<VfSetting> {
    let rate = settings.min_tx_rate.is_some() || settings.max_tx_rate.is_some();
    let now = held.copied().unwrap_or_default();
    let mac = settings.mac.filter(|_| held.is_some());
    [
        settings.trust.map(VfSetting::Trust),
        mac.map(VfSetting::Mac),
        settings.vlan_tag().map(VfSetting::Vlan),
        rate.then(|| VfSetting::Rate {
            min: settings.min_tx_rate.or(now.min_tx_rate).unwrap_or(0),
            max: settings.max_tx_rate.or(now.max_tx_rate).unwrap_or(0),
        }),
        settings.spoof_chk.map(VfSetting::SpoofChk),
        settings.link_state.map(VfSetting::LinkState),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn vf_step(vf: VfAddress, held: &VfSettings, to: VfSetting) -> Step {
    Step::Vf {
        vf: vf.into(),
        from: current(held, &to),
        to,
        unknown: Default::default(),
    }
}

/// All that a PF was seen to hold for a VF.
pub(super) fn all_known(held: &VfSettings) -> Vec<VfSetting> {
    let rate = VfSetting::Rate { min: 0, max: 0 };
    let like = [
        VfSetting::Trust(false),
        VfSetting::Mac(Mac::ZERO),
        VfSetting::Vlan(VlanTag::default()),
        rate,
        VfSetting::SpoofChk(true),
        VfSetting::LinkState(LinkState::Auto),
        VfSetting::NodeGuid(Guid::NONE),
        VfSetting::PortGuid(Guid::NONE),
    ];
    like.iter().filter_map(|like| current(held, like)).collect()
}

/// The present value of what a setting sets; none when the kernel does not report it.
pub(crate) fn current(held: &VfSettings, like: &VfSetting) -> Option<VfSetting> {
    match like {
        VfSetting::Mac(_) => held.mac.map(VfSetting::Mac),
        VfSetting::Vlan(_) => held.vlan.map(VfSetting::Vlan),
        VfSetting::Rate { .. } => match (held.min_tx_rate, held.max_tx_rate) {
            (None, None) => None,
            (min, max) => Some(VfSetting::Rate {
                min: min.unwrap_or(0),
                max: max.unwrap_or(0),
            }),
        },
        VfSetting::SpoofChk(_) => held.spoof_chk.map(VfSetting::SpoofChk),
        VfSetting::Trust(_) => held.trust.map(VfSetting::Trust),
        VfSetting::LinkState(_) => held.link_state.map(VfSetting::LinkState),
        VfSetting::NodeGuid(_) => given(held.node_guid).map(VfSetting::NodeGuid),
        VfSetting::PortGuid(_) => given(held.port_guid).map(VfSetting::PortGuid),
    }
}

/// Zero says that the kernel does not know of one, and cannot be set again.
fn given(guid: Option<Guid>) -> Option<Guid> {
    guid.filter(|guid| *guid != Guid::ZERO)
}

/// What every VF has when nobody set anything: for values that the kernel does not report.
pub(super) fn neutral(like: &VfSetting) -> VfSetting {
    match like {
        VfSetting::Mac(_) => VfSetting::Mac(Mac::ZERO),
        VfSetting::Vlan(_) => VfSetting::Vlan(VlanTag::default()),
        VfSetting::Rate { .. } => VfSetting::Rate { min: 0, max: 0 },
        VfSetting::SpoofChk(_) => VfSetting::SpoofChk(true),
        VfSetting::Trust(_) => VfSetting::Trust(false),
        VfSetting::LinkState(_) => VfSetting::LinkState(LinkState::Auto),
        VfSetting::NodeGuid(_) => VfSetting::NodeGuid(Guid::NONE),
        VfSetting::PortGuid(_) => VfSetting::PortGuid(Guid::NONE),
    }
}

fn refuse_without_pf(values: &[VfSetting]) -> Result<(), String> {
    match values.first() {
        Some(value) => Err(format!(
            "{}: can only be set on a VF whose PF is on this host and has a network interface; leave it out",
            field(value)
        )),
        None => Ok(()),
    }
}

/// The field as the user wrote it.
fn field(value: &VfSetting) -> &'static str {
    match value {
        VfSetting::Mac(_) => "mac",
        VfSetting::Vlan(_) => "vlan",
        VfSetting::Rate { .. } => "minTxRate, maxTxRate",
        VfSetting::SpoofChk(_) => "spoofChk",
        VfSetting::Trust(_) => "trust",
        VfSetting::LinkState(_) => "linkState",
        VfSetting::NodeGuid(_) | VfSetting::PortGuid(_) => "guid",
    }
}

/// One bound asked, the other as it is: together they must make sense.
fn check_rates(steps: &[Step]) -> Result<(), String> {
    steps.iter().try_for_each(|step| match step {
        Step::Vf {
            to: VfSetting::Rate { min, max },
            ..
        } if *max != 0 && min > max => Err(format!(
            "minTxRate: {min} Mb/s is more than the VF's maxTxRate {max} Mb/s"
        )),
        _ => Ok(()),
    })
}

/// A netdev that stays on the host is set here; one that goes into a pod, there.
fn link_steps(settings: &Settings, state: &NetdevState, mac_by_pf: bool) -> Vec<Step> {
    let mtu = settings
        .mtu
        .map(|mtu| (LinkSetting::Mtu(state.mtu), LinkSetting::Mtu(mtu)));
    let mac = settings.mac.filter(|_| !mac_by_pf);
    let mac = mac.map(|mac| {
        (
            LinkSetting::Mac(state.mac.unwrap_or(Mac::ZERO)),
            LinkSetting::Mac(mac),
        )
    });
    mac.into_iter()
        .chain(mtu)
        .map(|(from, to)| Step::Link {
            from: Some(from),
            to,
            unknown: Default::default(),
        })
        .collect()
}

#[cfg(test)]
#[path = "plan/tests.rs"]
mod tests;
