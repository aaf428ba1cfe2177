//! What a PF stores for a VF (`IFLA_VFINFO_LIST`), read and set by index.

use netlink_packet_route::{
    RouteNetlinkMessage,
    link::{
        LinkAttribute, LinkExtentMask, LinkVfInfo, VfInfo, VfInfoGuid, VfInfoLinkState, VfInfoMac,
        VfInfoRate, VfInfoSpoofCheck, VfInfoTrust, VfLinkState, VfVlan, VfVlanInfo, VlanProtocol,
    },
};

use super::{
    link::request,
    netlink::{Attributes, NetlinkResult, Socket, u32_of},
    set,
};
use crate::device::{Guid, LinkState, Mac, VfSetting, VfSettings, VlanProto, VlanTag};

/// Sets one value through the PF's link.
pub(super) fn apply(socket: &Socket, pf: u32, vf: u32, setting: &VfSetting) -> NetlinkResult<()> {
    let infos = vec![LinkVfInfo(vec![encode(vf, setting)])];
    set::change(socket, pf, LinkAttribute::VfInfoList(infos))
}

fn encode(vf: u32, setting: &VfSetting) -> VfInfo {
    match *setting {
        VfSetting::Mac(Mac(bytes)) => VfInfo::Mac(VfInfoMac::new(vf, &bytes)),
        VfSetting::Vlan(VlanTag { id, qos, proto }) => {
            let info = VfVlanInfo::new(vf, id.into(), qos.into(), encode_proto(proto));
            VfInfo::VlanList(vec![VfVlan::Info(info)])
        }
        VfSetting::Rate { min, max } => VfInfo::Rate(VfInfoRate::new(vf, min, max)),
        VfSetting::SpoofChk(on) => VfInfo::SpoofCheck(VfInfoSpoofCheck::new(vf, on)),
        VfSetting::Trust(on) => VfInfo::Trust(VfInfoTrust::new(vf, on)),
        VfSetting::LinkState(state) => {
            VfInfo::LinkState(VfInfoLinkState::new(vf, encode_state(state)))
        }
        VfSetting::NodeGuid(guid) => VfInfo::IbNodeGuid(encode_guid(vf, guid)),
        VfSetting::PortGuid(guid) => VfInfo::IbPortGuid(encode_guid(vf, guid)),
    }
}

/// `struct ifla_vf_guid` has a number in the host's byte order, whose highest byte is the GUID's
/// first (`get_guid` in `ip/iplink.c` of iproute2).
fn encode_guid(vf: u32, Guid(bytes): Guid) -> VfInfoGuid {
    VfInfoGuid::new(vf, u64::from_be_bytes(bytes))
}

fn encode_proto(proto: VlanProto) -> VlanProtocol {
    match proto {
        VlanProto::Ieee8021Q => VlanProtocol::Ieee8021Q,
        VlanProto::Ieee8021Ad => VlanProtocol::Ieee8021Ad,
    }
}

fn encode_state(state: LinkState) -> VfLinkState {
    match state {
        LinkState::Auto => VfLinkState::Auto,
        LinkState::Enable => VfLinkState::Enable,
        LinkState::Disable => VfLinkState::Disable,
    }
}

/// What the PF's link reports about one VF; none when its driver reports no VF at all. A list
/// without this one means that the driver could not say now (`ice_get_vf_cfg` while the VF resets;
/// `rtnl_fill_vfinfo` in `net/core/rtnetlink.c` leaves it out): busy.
pub(super) fn read(socket: &Socket, pf: u32, vf: u32) -> NetlinkResult<Option<VfSettings>> {
    let mask = [LinkExtentMask::Vf, LinkExtentMask::SkipStats];
    let replies = socket.call(RouteNetlinkMessage::GetLink(request(pf, &mask)), 0)?;
    match replies.iter().find_map(|reply| find(reply, vf)) {
        Some(Listed::No) => {
            let text = format!("the PF does not report vf {vf} now");
            Err(set::refuse(rustix::io::Errno::BUSY, text))
        }
        Some(Listed::Settings(settings)) => Ok(Some(settings)),
        None => Ok(None),
    }
}

/// What a list of VFs has of one.
#[derive(Debug, PartialEq, Eq)]
enum Listed {
    Settings(VfSettings),
    No,
}

const LINK_HEADER: usize = 16;
const IFLA_VFINFO_LIST: u16 = 22;
const IFLA_VF_MAC: u16 = 1;
const IFLA_VF_VLAN: u16 = 2;
const IFLA_VF_SPOOFCHK: u16 = 4;
const IFLA_VF_LINK_STATE: u16 = 5;
const IFLA_VF_RATE: u16 = 6;
const IFLA_VF_TRUST: u16 = 9;
const IFLA_VF_IB_NODE_GUID: u16 = 10;
const IFLA_VF_IB_PORT_GUID: u16 = 11;
const IFLA_VF_VLAN_LIST: u16 = 12;
const ETH_P_8021AD: u16 = 0x88a8;

/// A VF is identified by the index inside its attributes, not by its position in the list.
fn find(link: &[u8], vf: u32) -> Option<Listed> {
    let (_, list) =
        Attributes::after(LINK_HEADER, link).find(|(kind, _)| *kind == IFLA_VFINFO_LIST)?;
    let own = Attributes::of(list).find(|(_, info)| number(info) == Some(vf));
    Some(own.map_or(Listed::No, |(_, info)| Listed::Settings(decode(info))))
}

fn number(info: &[u8]) -> Option<u32> {
    u32_of(
        Attributes::of(info)
            .find(|(kind, _)| *kind == IFLA_VF_MAC)?
            .1,
    )
}

fn decode(info: &[u8]) -> VfSettings {
    let mut settings = VfSettings::default();
    for (kind, value) in Attributes::of(info) {
        let word = |at: usize| value.get(at..).and_then(u32_of);
        match kind {
            IFLA_VF_MAC => {
                settings.mac = value
                    .get(4..10)
                    .and_then(|mac| mac.try_into().ok())
                    .map(Mac)
            }
            IFLA_VF_VLAN if settings.vlan.is_none() => settings.vlan = tag(value),
            IFLA_VF_VLAN_LIST => {
                settings.vlan = Attributes::of(value)
                    .find_map(|(_, info)| tag(info))
                    .or(settings.vlan)
            }
            IFLA_VF_RATE => (settings.min_tx_rate, settings.max_tx_rate) = (word(4), word(8)),
            IFLA_VF_SPOOFCHK => settings.spoof_chk = word(4).and_then(switch),
            IFLA_VF_TRUST => settings.trust = word(4).and_then(switch),
            IFLA_VF_LINK_STATE => settings.link_state = word(4).and_then(state),
            IFLA_VF_IB_NODE_GUID => settings.node_guid = guid(value),
            IFLA_VF_IB_PORT_GUID => settings.port_guid = guid(value),
            _ => {}
        }
    }
    settings
}

/// `struct ifla_vf_guid`: the index, four bytes of padding, the GUID. mlx5 reports zero until one is
/// set (`mlx5_ib_get_vf_guid` in `drivers/infiniband/hw/mlx5/ib_virt.c`).
fn guid(value: &[u8]) -> Option<Guid> {
    let number = value.get(8..)?.first_chunk()?;
    Some(Guid(u64::from_ne_bytes(*number).to_be_bytes()))
}

/// `struct ifla_vf_vlan` (index, id, qos) or `ifla_vf_vlan_info` (the same and the protocol,
/// big-endian).
fn tag(value: &[u8]) -> Option<VlanTag> {
    let word = |at: usize| value.get(at..).and_then(u32_of);
    let ad = value
        .get(12..14)
        .is_some_and(|proto| proto == ETH_P_8021AD.to_be_bytes());
    let proto = if ad {
        VlanProto::Ieee8021Ad
    } else {
        VlanProto::Ieee8021Q
    };
    Some(VlanTag {
        id: word(4)?.try_into().ok()?,
        qos: word(8)?.try_into().ok()?,
        proto,
    })
}

/// `rtnl_fill_vfinfo` in `net/core/rtnetlink.c` sets −1 before it calls the driver: what the driver
/// does not report.
fn switch(value: u32) -> Option<bool> {
    (value != u32::MAX).then_some(value != 0)
}

fn state(value: u32) -> Option<LinkState> {
    [LinkState::Auto, LinkState::Enable, LinkState::Disable]
        .get(value as usize)
        .copied()
}

#[cfg(test)]
mod tests {
    use netlink_packet_core::Emitable;
    use netlink_packet_route::link::LinkMessage;

    use super::*;

    const NODE: Guid = Guid([0, 2, 0xc9, 3, 0, 0, 0x10, 1]);
    const PORT: Guid = Guid([0, 2, 0xc9, 3, 0, 0, 0x10, 2]);

    #[test]
    fn a_guid_is_sent_as_iproute2_sends_it() {
        // ip link set ib0 vf 7 node_guid 00:02:c9:03:00:00:10:01
        let mut bytes = vec![0; 16];
        let VfInfo::IbNodeGuid(info) = encode(7, &VfSetting::NodeGuid(NODE)) else {
            panic!("not a node GUID");
        };
        info.emit(&mut bytes);
        assert_eq!(bytes[..4], 7_u32.to_ne_bytes());
        assert_eq!(bytes[8..], 0x0002_c903_0000_1001_u64.to_ne_bytes());
        assert_eq!(guid(&bytes), Some(NODE));
        assert_eq!(guid(&bytes[..12]), None);
    }

    fn settings() -> Vec<VfSetting> {
        vec![
            VfSetting::Mac(Mac([2, 0, 0, 0, 0, 9])),
            VfSetting::Vlan(VlanTag {
                id: 100,
                qos: 5,
                proto: VlanProto::Ieee8021Ad,
            }),
            VfSetting::Rate { min: 10, max: 200 },
            VfSetting::SpoofChk(false),
            VfSetting::Trust(true),
            VfSetting::LinkState(LinkState::Disable),
            VfSetting::NodeGuid(NODE),
            VfSetting::PortGuid(PORT),
        ]
    }

    fn reply(vfs: &[(u32, Vec<VfInfo>)]) -> Vec<u8> {
        let mut message = LinkMessage::default();
        let infos = vfs
            .iter()
            .map(|(_, infos)| LinkVfInfo(infos.clone()))
            .collect();
        message.attributes = vec![
            LinkAttribute::IfName("ens1".into()),
            LinkAttribute::VfInfoList(infos),
        ];
        let mut bytes = vec![0; message.buffer_len()];
        message.emit(&mut bytes);
        bytes
    }

    #[test]
    fn every_setting_reads_back_as_it_was_sent_whatever_the_order_of_vfs() {
        let of = |vf: u32| {
            (
                vf,
                settings()
                    .iter()
                    .map(|setting| encode(vf, setting))
                    .collect(),
            )
        };
        let other = (0, vec![encode(0, &VfSetting::Mac(Mac::ZERO))]);
        let read = find(&reply(&[of(7), other]), 7).unwrap();
        assert_eq!(
            read,
            Listed::Settings(VfSettings {
                mac: Some(Mac([2, 0, 0, 0, 0, 9])),
                vlan: Some(VlanTag {
                    id: 100,
                    qos: 5,
                    proto: VlanProto::Ieee8021Ad
                }),
                min_tx_rate: Some(10),
                max_tx_rate: Some(200),
                spoof_chk: Some(false),
                trust: Some(true),
                link_state: Some(LinkState::Disable),
                node_guid: Some(NODE),
                port_guid: Some(PORT),
            })
        );
        assert_eq!(find(&reply(&[of(7)]), 0), Some(Listed::No));
        assert_eq!(find(&[0; LINK_HEADER], 0), None, "no list at all");
    }

    #[test]
    fn what_the_driver_does_not_report_is_none_and_not_off() {
        assert_eq!(
            (switch(u32::MAX), switch(0), switch(1)),
            (None, Some(false), Some(true))
        );
        let only_mac = vec![encode(1, &VfSetting::Mac(Mac::ZERO))];
        let read = find(&reply(&[(1, only_mac)]), 1).unwrap();
        assert_eq!(
            read,
            Listed::Settings(VfSettings {
                mac: Some(Mac::ZERO),
                ..VfSettings::default()
            })
        );
    }
}
