//! devlink and vDPA: what sysfs does not expose.
//!
//! A failed query (no devlink, no vDPA, no permission) leaves the fields empty: that is no reason
//! to hide a device.
//!
//! Source: linux/devlink.h, linux/vdpa.h, Documentation/networking/devlink/ice.rst.

use std::collections::BTreeSet;

use rustix::io::Errno;

use super::netlink::{Attributes, Family, NetlinkResult, attributes, text};
use crate::{
    device::{Bdf, EswitchMode},
    host::genl_info::{Devlink, GenlInfo, handle},
};

const DEVLINK_CMD_ESWITCH_GET: u8 = 29;
const DEVLINK_CMD_INFO_GET: u8 = 51;
const DEVLINK_ATTR_BUS_NAME: u16 = 1;
const DEVLINK_ATTR_DEV_NAME: u16 = 2;
const DEVLINK_ATTR_ESWITCH_MODE: u16 = 25;
const DEVLINK_ATTR_INFO_VERSION_RUNNING: u16 = 101;
const DEVLINK_ATTR_INFO_VERSION_NAME: u16 = 103;
const DEVLINK_ATTR_INFO_VERSION_VALUE: u16 = 104;
const VDPA_CMD_MGMTDEV_GET: u8 = 2;
const VDPA_ATTR_MGMTDEV_BUS_NAME: u16 = 1;
const VDPA_ATTR_MGMTDEV_DEV_NAME: u16 = 2;

const INTEL: u16 = 0x8086;

/// Queries these PFs, given with their vendors, and the vDPA management devices.
pub(super) fn query(pfs: impl Iterator<Item = (Bdf, u16)>) -> GenlInfo {
    let devlink = family("devlink");
    let of = |(pf, vendor)| Some((handle(&pf), of_pf(devlink.as_ref()?, &pf, vendor)));
    let devlink = pfs
        .filter_map(of)
        .filter(|(_, info)| *info != Devlink::default())
        .collect();
    let management =
        family("vdpa").and_then(|vdpa| or_none("vdpa", vdpa.dump(VDPA_CMD_MGMTDEV_GET)));
    let vdpa_management: BTreeSet<String> = management
        .unwrap_or_default()
        .iter()
        .filter_map(|reply| management_device(reply))
        .collect();
    GenlInfo {
        devlink,
        vdpa_management,
    }
}

fn family(name: &str) -> Option<Family> {
    or_none(name, Family::open(name)).flatten()
}

fn or_none<T>(subject: &str, answer: NetlinkResult<T>) -> Option<T> {
    let unsupported = [Errno::NODEV, Errno::NOENT, Errno::OPNOTSUPP];
    match answer {
        Err(error) if !unsupported.iter().any(|errno| error.is(*errno)) => {
            tracing::debug!(error = %error.at(subject, "query"), "not reported");
            None
        }
        answer => answer.ok(),
    }
}

/// DDP packages exist on Intel cards only, and reading their version queries the firmware: other
/// vendors are not queried.
fn of_pf(devlink: &Family, pf: &Bdf, vendor: u16) -> Devlink {
    let name = format!("{pf}\0");
    let device: [(u16, &[u8]); 2] = [
        (DEVLINK_ATTR_BUS_NAME, b"pci\0"),
        (DEVLINK_ATTR_DEV_NAME, name.as_bytes()),
    ];
    let call = |command| or_none(&handle(pf), devlink.call(command, &device)).unwrap_or_default();
    let info = if vendor == INTEL {
        call(DEVLINK_CMD_INFO_GET)
    } else {
        vec![]
    };
    Devlink {
        eswitch: call(DEVLINK_CMD_ESWITCH_GET)
            .iter()
            .find_map(|reply| eswitch(reply)),
        ddp_profile: info.iter().find_map(|reply| running(reply, "fw.app.name")),
    }
}

fn eswitch(reply: &[u8]) -> Option<EswitchMode> {
    let (_, value) = attributes(reply).find(|(kind, _)| *kind == DEVLINK_ATTR_ESWITCH_MODE)?;
    match u16::from_ne_bytes(*value.first_chunk()?) {
        0 => Some(EswitchMode::Legacy),
        1 => Some(EswitchMode::Switchdev),
        _ => None,
    }
}

/// The running version with that name (`DEVLINK_ATTR_INFO_VERSION_RUNNING`).
fn running(reply: &[u8], wanted: &str) -> Option<String> {
    let versions = attributes(reply).filter(|(kind, _)| *kind == DEVLINK_ATTR_INFO_VERSION_RUNNING);
    let mut named = versions.filter_map(|(_, version)| {
        let find = |wanted| {
            Attributes::of(version)
                .find(|(kind, _)| *kind == wanted)
                .map(|(_, value)| text(value))
        };
        Some((
            find(DEVLINK_ATTR_INFO_VERSION_NAME)?,
            find(DEVLINK_ATTR_INFO_VERSION_VALUE)?,
        ))
    });
    named
        .find(|(name, value)| name == wanted && !value.is_empty())
        .map(|(_, value)| value)
}

/// A simulated one (`vdpa_sim`) has no bus.
fn management_device(reply: &[u8]) -> Option<String> {
    let find = |wanted| {
        attributes(reply)
            .find(|(kind, _)| *kind == wanted)
            .map(|(_, value)| text(value))
    };
    Some(format!(
        "{}/{}",
        find(VDPA_ATTR_MGMTDEV_BUS_NAME)?,
        find(VDPA_ATTR_MGMTDEV_DEV_NAME)?
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(4 + value.len()).unwrap();
        let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn reply(attributes: &[Vec<u8>]) -> Vec<u8> {
        [vec![0; 4], attributes.concat()].concat()
    }

    fn version(kind: u16, name: &[u8], value: &[u8]) -> Vec<u8> {
        attribute(
            kind,
            &[attribute(103, name), attribute(104, value)].concat(),
        )
    }

    #[test]
    fn the_mode_and_the_running_package_are_read() {
        let device = [attribute(1, b"pci\0"), attribute(2, b"0000:3b:00.0\0")].concat();
        for (mode, expected) in [
            (0u16, Some(EswitchMode::Legacy)),
            (1, Some(EswitchMode::Switchdev)),
            (7, None),
        ] {
            assert_eq!(
                eswitch(&reply(&[
                    device.clone(),
                    attribute(25, &mode.to_ne_bytes())
                ])),
                expected
            );
        }
        assert_eq!(eswitch(&reply(&[device])), None);
        let stored = version(102, b"fw.app.name\0", b"stored\0");
        let other = version(101, b"fw.app\0", b"1.3.30.0\0");
        let name = version(101, b"fw.app.name\0", b"ICE OS Default Package\0");
        assert_eq!(
            running(
                &reply(&[stored.clone(), other.clone(), name]),
                "fw.app.name"
            )
            .as_deref(),
            Some("ICE OS Default Package")
        );
        assert_eq!(
            running(
                &reply(&[stored, other, version(101, b"fw.app.name\0", b"\0")]),
                "fw.app.name"
            ),
            None
        );
    }

    #[test]
    fn management_devices_are_named_by_bus_and_device() {
        let name = attribute(2, b"0000:3b:00.2\0");
        assert_eq!(
            management_device(&reply(&[attribute(1, b"pci\0"), name.clone()])).as_deref(),
            Some("pci/0000:3b:00.2")
        );
        assert_eq!(management_device(&reply(&[name])), None);
    }

    #[test]
    fn an_absent_pf_reports_nothing() {
        assert_eq!(
            query([("ffff:ff:1f.7".parse().unwrap(), INTEL)].into_iter()).devlink,
            Default::default()
        );
    }
}
