//! What the driver publishes.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{
    device::slice_name,
    eventually::eventually,
    kube::{self, items, text},
    node::Node,
};

/// The driver's name.
pub(crate) const DRIVER: &str = "sriov-dra.io";

/// One device of a slice.
#[derive(Debug, Clone)]
pub(crate) struct Published {
    /// Attribute → value, without the type.
    pub(crate) attributes: BTreeMap<String, Value>,
    /// Keys of its taints.
    pub(crate) taints: Vec<String>,
    /// It shares counters with others, so that a PF and its VFs exclude each other.
    pub(crate) counted: bool,
}

/// The slices of a node, as objects.
pub(crate) fn slices(node: &Node) -> Result<Vec<Value>> {
    kube::list(&path(node))
}

fn path(node: &Node) -> String {
    let here = format!(
        "fieldSelector=spec.driver={DRIVER},spec.nodeName={}",
        node.name
    );
    format!("/apis/resource.k8s.io/v1/resourceslices?{here}")
}

/// The version of the cluster's state now: where a [`history`] begins.
pub(crate) fn version(node: &Node) -> Result<String> {
    let list = kube::get(&path(node))?;
    Ok(text(&list, "/metadata/resourceVersion").to_owned())
}

/// One write of a slice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Write {
    /// `ADDED`, `MODIFIED` or `DELETED`.
    pub(crate) verb: String,
    /// Its name.
    pub(crate) slice: String,
}

/// Every write of a node's slices since a version, whoever did it, as a watch reports them.
pub(crate) fn history(node: &Node, version: &str) -> Result<Vec<Write>> {
    let events = kube::watched(&path(node), version)?;
    let write = |event: &Value| Write {
        verb: text(event, "/type").to_owned(),
        slice: text(event, "/object/metadata/name").to_owned(),
    };
    Ok(events.iter().map(write).collect())
}

/// Name, UID and resourceVersion of each slice of a node: the same again means that nobody wrote.
pub(crate) fn identities(node: &Node) -> Result<Vec<[String; 3]>> {
    let own = |slice: &Value| {
        [
            "/metadata/name",
            "/metadata/uid",
            "/metadata/resourceVersion",
        ]
        .map(|field| text(slice, field).to_owned())
    };
    let mut all: Vec<_> = slices(node)?.iter().map(own).collect();
    all.sort();
    Ok(all)
}

/// Slice → how often its content was written, and its devices.
pub(crate) type Writes = BTreeMap<String, (u64, BTreeSet<String>)>;

/// How often each slice of a node was written: `metadata.generation` counts changes of its content.
pub(crate) fn writes(node: &Node) -> Result<Writes> {
    let own = |slice: &Value| {
        let generation = slice
            .pointer("/metadata/generation")
            .and_then(Value::as_u64)
            .context("no generation")?;
        let devices = items(slice, "/spec/devices")
            .iter()
            .map(|device| text(device, "/name").to_owned())
            .collect();
        Ok((
            text(slice, "/metadata/name").to_owned(),
            (generation, devices),
        ))
    };
    slices(node)?.iter().map(own).collect()
}

/// Devices of a node by name. An error while the pool is incomplete.
pub(crate) fn devices(node: &Node) -> Result<BTreeMap<String, Published>> {
    let slices = slices(node)?;
    let generation = |slice: &Value| {
        slice
            .pointer("/spec/pool/generation")
            .and_then(Value::as_i64)
    };
    let newest = slices
        .iter()
        .filter_map(generation)
        .max()
        .context("no slices")?;
    let current: Vec<_> = slices
        .iter()
        .filter(|slice| generation(slice) == Some(newest))
        .collect();
    let expected = current[0]
        .pointer("/spec/pool/resourceSliceCount")
        .and_then(Value::as_u64);
    ensure!(
        expected == Some(current.len() as u64),
        "{} of {expected:?} slices",
        current.len()
    );
    Ok(current
        .iter()
        .flat_map(|slice| items(slice, "/spec/devices"))
        .map(published)
        .collect())
}

fn published(device: &Value) -> (String, Published) {
    let empty = serde_json::Map::new();
    let attributes = device
        .pointer("/attributes")
        .and_then(Value::as_object)
        .unwrap_or(&empty);
    let plain = |typed: &Value| {
        typed
            .as_object()
            .and_then(|t| t.values().next())
            .cloned()
            .unwrap_or_default()
    };
    let published = Published {
        attributes: attributes
            .iter()
            .map(|(name, typed)| (name.clone(), plain(typed)))
            .collect(),
        taints: items(device, "/taints")
            .iter()
            .map(|taint| text(taint, "/key").to_owned())
            .collect(),
        counted: !items(device, "/consumesCounters").is_empty(),
    };
    (text(device, "/name").to_owned(), published)
}

/// Whether the server keeps shared counters (Kubernetes 1.35).
pub(crate) fn has_counters() -> Result<bool> {
    let version = kube::get("/version")?;
    let minor = text(&version, "/minor")
        .trim_end_matches('+')
        .parse::<u32>();
    Ok(minor.context("the server's version")? >= 35)
}

/// Waits until the slices list exactly the functions that the node has, and returns them. Without
/// counters a PF is not listed while it has VFs.
pub(crate) fn follow(
    node: &Node,
    limit: std::time::Duration,
) -> Result<BTreeMap<String, Published>> {
    let counters = has_counters()?;
    eventually(
        &format!("the slices of {} list what it has", node.name),
        limit,
        || {
            let functions = node.pfs()?.into_iter().flat_map(|pf| {
                let vfs: Vec<_> = pf.vfs.iter().map(|vf| slice_name(&vf.pci)).collect();
                let whole = (counters || vfs.is_empty()).then(|| slice_name(&pf.pci));
                whole.into_iter().chain(vfs)
            });
            let (mut has, devices) = (functions.collect::<Vec<_>>(), devices(node)?);
            has.sort();
            let listed: Vec<_> = devices.keys().cloned().collect();
            ensure!(
                listed == has,
                "the slices list {listed:?}, the node has {has:?}"
            );
            Ok(devices)
        },
    )
}
