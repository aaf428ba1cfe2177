//! The properties of a netdev that are put back, in one list.

use crate::device::{LinkSetting, NetdevHome};

/// All that a netdev is to have again, in the order in which it is set: MAC and MTU before the link is up.
pub(super) fn properties(state: &NetdevHome) -> Vec<LinkSetting> {
    let all = [
        Some(LinkSetting::Name(state.name.clone())),
        Some(LinkSetting::Altnames(state.altnames.clone())),
        Some(LinkSetting::Alias(state.alias.clone())),
        state.mac.map(LinkSetting::Mac),
        Some(LinkSetting::Mtu(state.mtu)),
        Some(LinkSetting::Up(state.up)),
    ];
    all.into_iter().flatten().collect()
}

/// What must be set on a netdev that is `now` so that it is as `wanted`.
pub(crate) fn differences(now: &NetdevHome, wanted: &NetdevHome) -> Vec<LinkSetting> {
    let now = properties(now);
    let mut wanted = properties(wanted);
    wanted.retain(|setting| !now.contains(setting));
    wanted
}

/// The state after a setting. Addresses and routes are not of the netdev's state: they are gone when it leaves a pod.
pub(super) fn set(home: &mut NetdevHome, setting: &LinkSetting) {
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
