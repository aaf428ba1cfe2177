//! Variables of a container: what its devices are, by this driver's names and the device plugin's,
//! and what is requested.
//!
//! ```text
//!  SRIOV_DRA_NET=0000:3b:02.1,0000:3b:02.2
//!  PCIDEVICE_INTEL_COM_SRIOV_DPDK=0000:3b:02.1,0000:3b:02.2
//!  PCIDEVICE_INTEL_COM_SRIOV_DPDK_INFO={"0000:3b:02.1":{"generic":{"deviceID":"0000:3b:02.1"}},…}
//! ```

use std::collections::{BTreeMap, BTreeSet};

use super::{cdi_name, of_request};
use crate::ledger::{DeviceRecord, Record};
use crate::pool::PoolName;

/// The variables that a device brings, `NAME=value`.
///
/// Of several devices that set one variable the runtime keeps the last one's value. So each device
/// says what is true of its whole request, and it does not matter which is the last. Not of the
/// whole claim: a container may have one of its requests only (those of extended resources always
/// do) and must not learn of devices that it cannot use. The price is that a container with two
/// requests of one pool would read in the pool's variables of the last one only: the runtime's hook
/// sets those, see [`joined_variables`].
pub(super) fn of(record: &Record, device: &DeviceRecord) -> Vec<String> {
    let request = device.base_request();
    let mut env = vec![listed(&own_name(request), of_request(record, request))];
    if let Some(pool) = &device.extras.pool {
        let of_pool =
            || of_request(record, request).filter(|other| other.extras.pool.as_ref() == Some(pool));
        env.push(listed(&pool.variable(), of_pool()));
        env.push(format!("{}_INFO={}", pool.variable(), info(of_pool())));
    }
    env.extend(
        device
            .extras
            .env
            .iter()
            .map(|(name, value)| format!("{name}={value}")),
    );
    env
}

/// The variables of pools of which a container has several requests, over all of them: name and
/// value. `is_its` says which requests of a claim it has; the claims are in the order of the result.
pub fn joined_variables(
    claims: &[Record],
    is_its: impl Fn(&Record, &str) -> bool,
) -> Vec<(String, String)> {
    let mut pools: BTreeMap<&PoolName, Vec<&DeviceRecord>> = BTreeMap::new();
    let mut requests: BTreeMap<&PoolName, BTreeSet<(usize, &str)>> = BTreeMap::new();
    for (index, record) in claims.iter().enumerate() {
        for device in &record.devices {
            let Some(pool) = device.extras.pool.as_deref() else {
                continue;
            };
            if is_its(record, device.base_request()) {
                pools.entry(pool).or_default().push(device);
                let of_pool = requests.entry(pool).or_default();
                of_pool.insert((index, device.base_request()));
            }
        }
    }
    pools.retain(|pool, _| requests.get(pool).is_some_and(|of| of.len() > 1));
    pools.into_iter().flat_map(of_pool).collect()
}

fn of_pool((pool, devices): (&PoolName, Vec<&DeviceRecord>)) -> [(String, String); 2] {
    let name = pool.variable();
    let devices = || devices.iter().copied();
    let listed = addresses(devices());
    [
        (name.clone(), listed),
        (format!("{name}_INFO"), info(devices())),
    ]
}

fn own_name(request: &str) -> String {
    format!(
        "SRIOV_DRA_{}",
        request
            .to_ascii_uppercase()
            .replace(|c: char| !c.is_ascii_alphanumeric(), "_")
    )
}

fn listed<'a>(name: &str, devices: impl Iterator<Item = &'a DeviceRecord>) -> String {
    format!("{name}={}", addresses(devices))
}

fn addresses<'a>(devices: impl Iterator<Item = &'a DeviceRecord>) -> String {
    let addresses: Vec<String> = devices.map(|device| cdi_name(&device.id)).collect();
    addresses.join(",")
}

type Facts = BTreeMap<&'static str, BTreeMap<String, String>>;

/// `{"<device>": {"<of what>": {"<key>": "<value>"}}}`, sorted, as Go's `encoding/json` writes it.
fn info<'a>(devices: impl Iterator<Item = &'a DeviceRecord>) -> String {
    let all: BTreeMap<String, Facts> = devices
        .map(|device| (cdi_name(&device.id), facts(device)))
        .collect();
    // Strings and maps with string keys: serialising cannot fail.
    let text = serde_json::to_string(&all).unwrap_or_default();
    // Go has these in strings as escapes, which JSON has nowhere else.
    let escapes = [
        ('<', "\\u003c"),
        ('>', "\\u003e"),
        ('&', "\\u0026"),
        ('\u{2028}', "\\u2028"),
        ('\u{2029}', "\\u2029"),
    ];
    escapes
        .into_iter()
        .fold(text, |text, (plain, escape)| text.replace(plain, escape))
}

/// What the device plugin says of a device, by the names that its code has (its README has others).
fn facts(device: &DeviceRecord) -> Facts {
    let mut facts = Facts::from([(
        "generic",
        BTreeMap::from([("deviceID".to_owned(), cdi_name(&device.id))]),
    )]);
    let mut add = |about, key: &str, value: &str| {
        facts
            .entry(about)
            .or_default()
            .insert(key.to_owned(), value.to_owned());
    };
    for node in &device.nodes {
        match node.as_str() {
            "/dev/vfio/vfio" => add("vfio", "mount", node),
            "/dev/vhost-net" => add("vhost", "net-mount", node),
            "/dev/net/tun" => add("vhost", "tun-mount", node),
            group if group.starts_with("/dev/vfio/") => add("vfio", "dev-mount", node),
            _ => {}
        }
        // Of several RDMA devices the last one's.
        if let Some(kind) = node.strip_prefix("/dev/infiniband/").and_then(rdma_kind) {
            add("rdma", kind, node);
        }
    }
    if let Some(name) = &device.extras.rdma_device {
        add("rdma", "rdma_dev", name);
    }
    if let Some(info) = &device.extras.info {
        facts.insert("extra", info.clone());
    }
    facts
}

fn rdma_kind(node: &str) -> Option<&'static str> {
    ["uverbs", "umad", "issm", "rdma_cm"]
        .into_iter()
        .find(|kind| node.starts_with(kind))
}
