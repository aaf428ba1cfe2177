//! What a container sees of a claim: its CDI devices, and the metadata document that is also the
//! pod's start gate.
//!
//! The CDI device of a netdev that goes into the pod mounts the document from a path that exists
//! only while the netdev is there. Without it the runtime refuses the container, also while no
//! agent runs: see [`open`] and [`close`].

mod env;
#[cfg(test)]
mod tests;

pub use env::joined_variables;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::PathBuf,
};

use crate::{
    cdi::{self, DeviceNode, Edits, Mount},
    device::DeviceId,
    files,
    ledger::{ClaimUid, DeviceRecord, Record},
    metadata::{self, Attribute, Document, NetworkData, ObjectMeta, Request},
    paths::Paths,
};

/// The name of a device in the claim's CDI spec: its PCI address, and for a sub-function its name
/// in slices.
#[must_use]
pub fn cdi_name(device: &DeviceId) -> String {
    match device {
        DeviceId::Pci(bdf) => bdf.to_string(),
        DeviceId::Sf { .. } => device.name(),
    }
}

/// The CDI spec of a claim.
#[must_use]
pub fn cdi_spec(record: &Record, driver: &str, paths: &Paths) -> cdi::Spec {
    let devices = record
        .devices
        .iter()
        .map(|device| cdi::Device::new(cdi_name(&device.id), edits(record, device, driver, paths)));
    cdi::Spec::new(driver, &record.owner.claim.uid, devices.collect())
}

fn edits(record: &Record, device: &DeviceRecord, driver: &str, paths: &Paths) -> Edits {
    let request = device.base_request();
    let inside = metadata::container_path(
        &record.owner.claim.name,
        record.owner.pod_claim_name.as_deref(),
        request,
        driver,
    );
    Edits {
        env: env::of(record, device),
        device_nodes: device
            .nodes
            .iter()
            .map(|node| node_of(device, node))
            .collect(),
        mounts: vec![Mount::read_only(
            host_path(paths, &record.owner.claim.uid, request)
                .display()
                .to_string(),
            inside,
        )],
    }
}

fn node_of(device: &DeviceRecord, path: &str) -> DeviceNode {
    DeviceNode {
        host_path: device.extras.host_nodes.get(path).cloned(),
        ..DeviceNode::new(path)
    }
}

fn of_request<'a>(record: &'a Record, request: &'a str) -> impl Iterator<Item = &'a DeviceRecord> {
    record
        .devices
        .iter()
        .filter(move |device| device.base_request() == request)
}

/// The document's place on the host.
#[must_use]
pub fn host_path(paths: &Paths, uid: &ClaimUid, request: &str) -> PathBuf {
    paths
        .attached()
        .join(uid.as_str())
        .join(format!("{request}.json"))
}

/// The claim that a mounted document belongs to, from the mount's source on the host.
#[must_use]
pub fn claim_of_mount(paths: &Paths, source: &str) -> Option<ClaimUid> {
    let rest = std::path::Path::new(source)
        .strip_prefix(paths.attached())
        .ok()?;
    rest.components().next()?.as_os_str().to_str()?.parse().ok()
}

/// The metadata document of a request.
#[must_use]
pub fn document(record: &Record, request: &str, driver: &str) -> Document {
    let claim = &record.owner.claim;
    let meta = ObjectMeta {
        name: claim.name.clone(),
        namespace: claim.namespace.clone(),
        uid: claim.uid.to_string(),
        generation: 1,
    };
    let devices = of_request(record, request)
        .map(|device| describe(device, driver))
        .collect();
    Document::new(
        meta,
        record.owner.pod_claim_name.clone(),
        vec![Request {
            name: request.to_owned(),
            devices,
        }],
    )
}

fn describe(device: &DeviceRecord, driver: &str) -> metadata::Device {
    let address = Attribute::String(cdi_name(&device.id));
    metadata::Device {
        driver: driver.to_owned(),
        pool: device.slice_pool.clone(),
        name: device.id.name(),
        attributes: BTreeMap::from([("resource.kubernetes.io/pciBusID".to_owned(), address)]),
        network_data: network_data(device),
    }
}

fn network_data(device: &DeviceRecord) -> Option<NetworkData> {
    let (plan, attachment) = (device.netdev.as_ref()?, device.attachment.as_ref()?);
    Some(NetworkData {
        interface_name: attachment.if_name.to_string(),
        ips: device.addresses(plan).map(|net| net.to_string()).collect(),
        hardware_address: attachment.mac.map(|mac| mac.to_string()),
    })
}

/// Whether nothing is missing for a request's containers: each netdev that goes into the pod is
/// there.
#[must_use]
pub fn is_complete(record: &Record, request: &str) -> bool {
    let arrived = |device: &DeviceRecord| {
        device
            .attachment
            .as_ref()
            .is_some_and(|attachment| attachment.done)
    };
    of_request(record, request).all(|device| !goes_into_pod(device) || arrived(device))
}

fn goes_into_pod(device: &DeviceRecord) -> bool {
    device
        .netdev
        .as_ref()
        .is_some_and(|plan| plan.attach.is_into_pod())
}

/// Opens the start gate of every request that is complete: writes its document. Closes those of the
/// others, which may be left from when it could not be done.
///
/// # Errors
/// The file system's.
pub fn open(paths: &Paths, record: &Record, driver: &str) -> io::Result<()> {
    for request in requests(record) {
        let path = host_path(paths, &record.owner.claim.uid, request);
        if is_complete(record, request) {
            let text = document(record, request, driver).text();
            files::write_atomic(&path, text.as_bytes(), 0o644)?;
        } else {
            files::remove(&path)?;
        }
    }
    Ok(())
}

/// Closes the start gates of all requests with a netdev that goes into the pod; all gates of the
/// claim when `all`.
///
/// # Errors
/// The file system's.
pub fn close(paths: &Paths, record: &Record, all: bool) -> io::Result<()> {
    let held = |request: &str| of_request(record, request).any(goes_into_pod);
    for request in requests(record)
        .into_iter()
        .filter(|request| all || held(request))
    {
        files::remove(&host_path(paths, &record.owner.claim.uid, request))?;
    }
    if all {
        remove_dir(paths, &record.owner.claim.uid)?;
    }
    Ok(())
}

fn remove_dir(paths: &Paths, uid: &ClaimUid) -> io::Result<()> {
    match std::fs::remove_dir_all(paths.attached().join(uid.as_str())) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn requests(record: &Record) -> BTreeSet<&str> {
    record
        .devices
        .iter()
        .map(DeviceRecord::base_request)
        .collect()
}
