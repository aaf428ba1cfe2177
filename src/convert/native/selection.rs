//! Converts a network of a pod to a request of its claim.

use serde_json::Value;

use super::{
    defaults::{self, Defaults},
    fields::{Fields, MULTUS},
    ipam::set,
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

/// Multus removes the default routes of the other networks; a claim's comes before them.
fn default_route(
    section: &mut Section<'_>,
    fields: &mut Fields,
    network: &Network,
    at: &str,
    value: &Value,
) {
    let routes = fields.value("routes").cloned().unwrap_or_default();
    let routes = match defaults::with_gateways(&routes, value) {
        Ok(routes) => routes,
        Err(why) => {
            return section.unsupported(at, value, &why, "Multus refuses it as well: fix it");
        }
    };
    if network.defaults.clash(Defaults::of_routes(&routes)) {
        let what =
            "the network's IPAM plugin assigns one too, and only one of them would be in effect";
        return section.unsupported(at, value, what, MULTUS);
    }
    set(section, fields, at, "routes", routes);
}

/// What is only for a netdev cannot be for a device of vfio-pci.
fn without_netdev(section: &mut Section<'_>, fields: &mut Fields, network: &Network, at: &str) {
    if let Some(plugin) = &network.ipam {
        let what = format!(
            "ipam {plugin}: devices of this pool have no netdev, and Multus only reports its addresses"
        );
        section.unsupported(at, network.path(), &what, MULTUS);
    }
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
        "mac" if network.reference.is_some() && network.class.value("mac").is_some() => {
            let what = "the network sets a MAC address, which a claim cannot replace";
            section.unsupported(at, value, what, MULTUS);
        }
        "mac" => {
            set(section, fields, at, "mac", value.clone());
            if fields.value("mac").is_some() {
                network.allow("mac");
            }
        }
        "ips" => match &network.ipam {
            None => set(section, fields, at, "addresses", value.clone()),
            Some(plugin) => {
                let what = format!("IPAM plugin {plugin} gets no addresses from a claim");
                section.unsupported(at, value, &what, MULTUS);
            }
        },
        "default-route" => default_route(section, fields, network, at, value),
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
