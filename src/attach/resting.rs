//! How a prepared netdev is at home, outside any pod.

use crate::{
    claim::{DeviceRecord, Step},
    device::{LinkSetting, Mac, NetdevHome, VfSetting},
};

/// The netdev's state after prepare: as it was found, with the claim's own steps on it. None for devices without netdev.
pub(super) fn resting(device: &DeviceRecord) -> Option<NetdevHome> {
    let mut found = None;
    for step in &device.steps {
        match (step, found.as_mut()) {
            (Step::Home(home), _) => found = Some(home.clone()),
            (Step::Link { to, .. }, Some(home)) => set(home, to),
            // The VF's driver takes the administrator's address when it starts.
            (
                Step::Vf {
                    to: VfSetting::Mac(mac),
                    ..
                },
                Some(home),
            ) if *mac != Mac::ZERO => home.mac = Some(*mac),
            _ => {}
        }
    }
    found
}

fn set(home: &mut NetdevHome, setting: &LinkSetting) {
    match setting {
        LinkSetting::Name(name) => home.name = name.clone(),
        LinkSetting::Altnames(names) => home.altnames.clone_from(names),
        LinkSetting::Alias(alias) => home.alias.clone_from(alias),
        LinkSetting::Mac(mac) => home.mac = Some(*mac),
        LinkSetting::Mtu(mtu) => home.mtu = *mtu,
        LinkSetting::Up(up) => home.up = *up,
        LinkSetting::Address(_) | LinkSetting::Route(_) => {}
    }
}

/// What must be set on a netdev at home to make it so.
pub(super) fn differences(now: &NetdevHome, wanted: &NetdevHome) -> Vec<LinkSetting> {
    let mut settings = Vec::new();
    if now.name != wanted.name {
        settings.push(LinkSetting::Name(wanted.name.clone()));
    }
    if now.altnames != wanted.altnames {
        settings.push(LinkSetting::Altnames(wanted.altnames.clone()));
    }
    if now.alias != wanted.alias {
        settings.push(LinkSetting::Alias(wanted.alias.clone()));
    }
    if let Some(mac) = wanted.mac.filter(|_| now.mac != wanted.mac) {
        settings.push(LinkSetting::Mac(mac));
    }
    if now.mtu != wanted.mtu {
        settings.push(LinkSetting::Mtu(wanted.mtu));
    }
    if now.up != wanted.up {
        settings.push(LinkSetting::Up(wanted.up));
    }
    settings
}
