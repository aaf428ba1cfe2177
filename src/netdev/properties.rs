//! The properties of a netdev that are put back, in one list.

use crate::device::{LinkSetting, NetdevState};

/// All that a netdev is to have again, in the order in which it is set: MAC and MTU before the link
/// is up.
pub(super) fn properties(state: &NetdevState) -> Vec<LinkSetting> {
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
pub(crate) fn differences(now: &NetdevState, wanted: &NetdevState) -> Vec<LinkSetting> {
    let now = properties(now);
    let mut wanted = properties(wanted);
    wanted.retain(|setting| !now.contains(setting));
    wanted
}

/// The state after a setting. Addresses and routes are not of the netdev's state: they are gone
/// when it leaves a pod.
pub(super) fn set(state: &mut NetdevState, setting: &LinkSetting) {
    match setting {
        LinkSetting::Name(name) => state.name = name.clone(),
        LinkSetting::Altnames(names) => state.altnames.clone_from(names),
        LinkSetting::Alias(alias) => state.alias.clone_from(alias),
        LinkSetting::Mac(mac) => state.mac = Some(*mac),
        LinkSetting::Mtu(mtu) => state.mtu = *mtu,
        LinkSetting::Up(up) => state.up = *up,
        LinkSetting::Address(_) | LinkSetting::Route(_) => {}
    }
}
