//! Converts a network of a pod to a request of its claim.

use serde_json::Value;

use super::{
    fields::{Fields, MULTUS},
    ipam::{DEFAULT, set},
    network::Network,
    objects::{Request, label},
};
use crate::convert::{pools::Netdevs, report::Section, workload::Selected};

/// Fields of an interface, which a device without a netdev has not.
const OF_NETDEV: [&str; 3] = ["addresses", "routes", "mtu"];

/// The request, with the name of the interface if its devices have one.
pub(super) fn request(
    section: &mut Section<'_>,
    selected: &Selected,
    network: &mut Network,
    netdevs: Netdevs,
    driver: &str,
    containers: Vec<String>,
) -> Request {
    let Selected { at, selection, .. } = selected;
    let mut fields = network.claim.clone();
    if netdevs != Netdevs::None {
        let at = format!("{at}.interface");
        set(
            section,
            &mut fields,
            &at,
            "ifName",
            selection.interface.clone().into(),
        );
    }
    for (key, value) in &selection.extra {
        let at = format!("{at}.{key}");
        field(section, &mut fields, network, &at, key, value);
    }
    match netdevs {
        Netdevs::All => {}
        Netdevs::None => without_netdev(section, &mut fields, network, at),
        Netdevs::Unknown => {
            let what = "whether its devices have a netdev is not known: claims for others refuse the interface's name and addresses";
            let remedy =
                "name the drivers in the selectors of its config.json, and add that to the input";
            let pool = network
                .pool
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            section.warning("networks", pool, what, remedy);
        }
    }
    Request {
        name: label(&selection.interface).unwrap_or_else(|| "net".to_owned()),
        class: network.class(driver).name,
        count: 1,
        fields,
        containers,
    }
}

/// What is only for a netdev cannot be for a device of vfio-pci.
fn without_netdev(section: &mut Section<'_>, fields: &mut Fields, network: &Network, at: &str) {
    for name in OF_NETDEV {
        let in_class = network.class.value(name).is_some();
        if fields.remove(name) || in_class {
            let what =
                format!("{name}: devices of this pool have no netdev, and Multus only reports it");
            section.unsupported(at, network.path(), &what, MULTUS);
        }
    }
}

fn field(
    section: &mut Section<'_>,
    fields: &mut Fields,
    network: &mut Network,
    at: &str,
    key: &str,
    value: &Value,
) {
    match key {
        "mac" => {
            set(section, fields, at, "mac", value.clone());
            if fields.value("mac").is_some() {
                network.allow("mac");
            }
        }
        "ips" => set(section, fields, at, "addresses", value.clone()),
        "default-route" => section.unsupported(at, value, DEFAULT, MULTUS),
        "infiniband-guid" | "bandwidth" | "portMappings" | "cni-args" | "ipam-claim-reference" => {
            section.unsupported(at, value, "claims have no such setting", MULTUS);
        }
        "deviceID" => section.unsupported(
            at,
            value,
            "the scheduler chooses the device",
            "add a selector on pciAddress",
        ),
        _ => section.warning(at, value, "unknown field: Multus ignores it as well", ""),
    }
}
