//! Device information files (version 1.1.0 of the Network Plumbing Working Group's specification):
//! what Multus copies into `k8s.v1.cni.cncf.io/network-status` for a device that it knows.
//!
//! ```text
//!  <devinfo>/dp/<resource, / as ->-<device>-device.json    others write theirs there too
//!  <run>/device-info/<claim>.json                          the names of a claim's, to distinguish them
//! ```

use std::{fs, io, path::PathBuf};

use serde::Serialize;

use super::view::cdi_name;
use crate::{
    api::Attribute,
    files,
    ledger::{ClaimUid, DeviceRecord, Record},
    paths::Paths,
};

const VERSION: &str = "1.1.0";

/// The document.
#[derive(Debug, Serialize)]
struct DeviceInfo {
    #[serde(rename = "type")]
    kind: &'static str,
    version: &'static str,
    pci: Pci,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Pci {
    pci_address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    vhost_net: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rdma_device: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pf_pci_address: Option<String>,
}

/// Name and content of a device's file; none if it is in no pool, or only observed.
fn file(device: &DeviceRecord) -> Option<(String, Vec<u8>)> {
    let pool = device
        .extras
        .pool
        .as_ref()
        .filter(|_| !device.admin_access)?;
    let id = cdi_name(&device.id);
    let name = format!("{}-{id}-device.json", pool.to_string().replace('/', "-"));
    let vhost_net = device.nodes.iter().find(|node| *node == "/dev/vhost-net");
    let info = DeviceInfo {
        kind: "pci",
        version: VERSION,
        pci: Pci {
            pci_address: id,
            vhost_net: vhost_net.cloned(),
            rdma_device: device.extras.rdma_device.clone(),
            pf_pci_address: pf(device),
        },
    };
    Some((name, serde_json::to_vec(&info).ok()?))
}

/// As it is published; a PF is published with its own.
fn pf(device: &DeviceRecord) -> Option<String> {
    match device.published.get("pfPciAddress") {
        Some(Attribute::String(pf)) if *pf != cdi_name(&device.id) => Some(pf.clone()),
        _ => None,
    }
}

/// Writes the files of a claim's devices that are in pools.
pub(super) fn write(paths: &Paths, record: &Record) -> io::Result<()> {
    let files: Vec<(String, Vec<u8>)> = record.devices.iter().filter_map(file).collect();
    if files.is_empty() {
        return Ok(());
    }
    let names: Vec<&String> = files.iter().map(|(name, _)| name).collect();
    let list = list_of(paths, &record.owner.claim.uid);
    files::write_atomic(&list, &serde_json::to_vec(&names)?, 0o600)?;
    files.iter().try_for_each(|(name, content)| {
        files::write_atomic(&paths.device_info().join(name), content, 0o444)
    })
}

/// Removes the files of a claim.
pub(super) fn remove(paths: &Paths, uid: &ClaimUid) -> io::Result<()> {
    let list = list_of(paths, uid);
    let names = match fs::read(&list) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        read => read?,
    };
    // One that cannot be read is no list of ours.
    let names: Vec<String> = serde_json::from_slice(&names).unwrap_or_default();
    let is_plain = |name: &&String| !name.contains('/');
    names
        .iter()
        .filter(is_plain)
        .try_for_each(|name| files::remove(&paths.device_info().join(name)))?;
    files::remove(&list)
}

/// Whether a claim has files.
pub(super) fn exist(paths: &Paths, uid: &ClaimUid) -> bool {
    list_of(paths, uid).exists()
}

/// Removes the files of claims that are not known.
pub(super) fn remove_orphans(paths: &Paths, known: impl Fn(&str) -> bool) -> io::Result<()> {
    let entries = match fs::read_dir(paths.device_info_lists()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let name = entry?.file_name();
        let uid = name.to_str().and_then(|name| name.strip_suffix(".json"));
        if let Some(uid) = uid
            .filter(|uid| !known(uid))
            .and_then(|uid| uid.parse().ok())
        {
            remove(paths, &uid)?;
        }
    }
    Ok(())
}

fn list_of(paths: &Paths, uid: &ClaimUid) -> PathBuf {
    paths.device_info_lists().join(format!("{uid}.json"))
}
