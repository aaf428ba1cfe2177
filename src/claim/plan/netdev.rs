//! The netdev of a device: how it is to be in the pod, and what it is to be again.

use crate::{
    api::{AttachMode, Settings},
    claim::yields::{Gives, hands_over},
    device::{Function, IfName, Mac, NetdevState, Observed},
    ledger::NetdevPlan,
};

/// How the netdev is to be in the pod; none if there is none with that driver. `by_default` attaches
/// it where the settings do not say who does.
pub(in crate::claim) fn netdev_plan(
    settings: &Settings,
    gives: Gives,
    driver: Option<&str>,
    by_default: AttachMode,
) -> Result<Option<NetdevPlan>, String> {
    if gives == Gives::Netdev {
        return Ok(Some(NetdevPlan {
            attach: settings.attach.unwrap_or(by_default),
            if_name: settings.if_name.clone(),
            mac: settings.mac,
            mtu: settings.mtu,
            addresses: settings.addresses.clone(),
            routes: settings.routes.clone(),
            unknown: Default::default(),
        }));
    }
    let asked = [
        ("ifName", settings.if_name.is_some()),
        ("mtu", settings.mtu.is_some()),
        ("addresses", !settings.addresses.is_empty()),
        ("routes", !settings.routes.is_empty()),
        ("ipam", settings.ipam.is_some()),
        (
            "attach",
            settings
                .attach
                .is_some_and(|attach| attach != AttachMode::None),
        ),
    ];
    match asked.iter().find(|(_, asked)| *asked) {
        Some((field, _)) => {
            let or = match driver {
                Some(driver) if !hands_over(driver) => "",
                _ => ", or set driver: default",
            };
            let driver = driver.unwrap_or("no driver");
            Err(format!(
                "{field}: there is no network interface with {driver}; leave {field} out{or}"
            ))
        }
        None => Ok(None),
    }
}

/// One device is one netdev in a pod: of a function with several, the others would stay behind.
pub(in crate::claim) fn check_single(function: &Function) -> Result<(), String> {
    if function.yields.more_netdevs.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = function.netdevs().map(IfName::as_str).collect();
    Err(format!(
        "has {} network interfaces ({}), of which only one could go into a pod; set driver: vfio-pci, \
         or select functions with a single port",
        names.len(),
        names.join(", ")
    ))
}

/// What the netdev is to be again; none: there is none. A MAC that its driver has not read yet from
/// the PF is what any start of it gives.
pub(super) fn netdev_state(observed: &Observed) -> Result<Option<NetdevState>, String> {
    let Some(netdev) = &observed.netdev else {
        return match observed.function.yields.netdev_elsewhere {
            true => Err(ELSEWHERE.to_owned()),
            false => Ok(None),
        };
    };
    let mut state = netdev.state.clone();
    let administered = observed
        .vf
        .and_then(|vf| vf.mac)
        .filter(|mac| *mac != Mac::ZERO);
    state.mac = administered.or(state.mac);
    Ok(Some(state))
}

const ELSEWHERE: &str = "its network interface is not in the host's namespace: a pod or a program \
                         without a claim has it";

/// Why a function is refused whose netdev should be there.
pub(in crate::claim) fn missing_netdev(function: &Function) -> String {
    if function.yields.netdev_elsewhere {
        return ELSEWHERE.to_owned();
    }
    let driver = function.binding.driver.as_deref().unwrap_or("none");
    format!(
        "driver {driver} has made no network interface of it, as it has of others of its kind; \
         the kernel's log says why"
    )
}
