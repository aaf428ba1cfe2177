//! The networks that a pod selects by annotation, read as Multus reads them. Pure.
//!
//! Only what distinguishes networks is kept. Addresses, MAC, bandwidth and so on are Multus' to pass
//! on; they are checked, since Multus starts no pod whose annotation has a fault.

mod element;
mod hardware_address;

use std::net::IpAddr;

use super::NadRef;

/// Networks in addition to the default network.
pub const NETWORKS: &str = "k8s.v1.cni.cncf.io/networks";
/// The network in place of the cluster's default network.
pub const DEFAULT_NETWORK: &str = "v1.multus-cni.io/default-network";

/// One network of an annotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Which NetworkAttachmentDefinition.
    pub nad: NadRef,
    /// The interface's name, if one is requested. Otherwise Multus calls it `net` and its position
    /// among all networks of the pod.
    pub interface: Option<String>,
    /// Whether it has a `bandwidth`.
    pub asks_bandwidth: bool,
    /// `default-route`: gateways, at most one of each family.
    pub gateways: Vec<IpAddr>,
}

/// What is wrong with an annotation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("annotation {annotation}: {reason}")]
pub struct AnnotationError {
    /// Its name.
    pub annotation: &'static str,
    /// Which entry, what is wrong, and what would be right.
    pub reason: String,
}

/// Reads [`NETWORKS`]; names without a namespace are in the pod's.
///
/// # Errors
/// What Multus refuses too.
pub fn networks(text: &str, pod_namespace: &str) -> Result<Vec<Selection>, AnnotationError> {
    read(text, pod_namespace).map_err(|reason| AnnotationError {
        annotation: NETWORKS,
        reason,
    })
}

/// Reads [`DEFAULT_NETWORK`]; a name without a namespace is in Multus' own.
///
/// # Errors
/// What Multus refuses too: more or less than one network among it.
pub fn default_network(text: &str, multus_namespace: &str) -> Result<Selection, AnnotationError> {
    let one = |all: Vec<Selection>| {
        <[Selection; 1]>::try_from(all)
            .map(|[network]| network)
            .map_err(|all| format!("must name one network, has {}", all.len()))
    };
    read(text, multus_namespace)
        .and_then(one)
        .map_err(|reason| AnnotationError {
            annotation: DEFAULT_NETWORK,
            reason,
        })
}

fn read(text: &str, namespace: &str) -> Result<Vec<Selection>, String> {
    // Multus takes it for JSON when any of these is anywhere in it.
    if text.contains(['[', '{', '"']) {
        return element::list(text, namespace);
    }
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let entry = |(index, item): (usize, &str)| {
        short(item.trim(), namespace).map_err(|reason| format!("entry {}: {reason}", index + 1))
    };
    text.split(',').enumerate().map(entry).collect()
}

/// Reads `[namespace/]name[@interface]`.
fn short(item: &str, namespace: &str) -> Result<Selection, String> {
    const FORM: &str = "must be [namespace/]name[@interface]";
    let wrong = || format!("{item:?}: {FORM}");
    let mut path = item.split('/');
    let (first, second, more) = (path.next().unwrap_or_default(), path.next(), path.next());
    let (own, rest) = second.map_or(("", first), |rest| (first.trim(), rest));
    let mut parts = rest.split('@');
    let (name, interface) = (parts.next().unwrap_or_default().trim(), parts.next());
    if more.is_some() || parts.next().is_some() || name.is_empty() {
        return Err(wrong());
    }
    for part in [own, name] {
        if !part.is_empty() && !is_name(part) {
            let right = "must be lower case letters, digits and '-', and begin and end with a \
                         letter or digit";
            return Err(format!("{item:?}: {part:?} {right}"));
        }
    }
    let interface = interface.map(str::trim).filter(|name| !name.is_empty());
    if interface.is_some_and(|name| !is_interface(name)) {
        let right = "must have at most 15 bytes and contain no '/' or white space";
        return Err(format!("{item:?}: interface {right}"));
    }
    Ok(selection(
        own,
        name,
        interface.unwrap_or_default(),
        namespace,
    ))
}

fn selection(own: &str, name: &str, interface: &str, namespace: &str) -> Selection {
    Selection {
        nad: NadRef {
            namespace: if own.is_empty() { namespace } else { own }.to_owned(),
            name: name.to_owned(),
        },
        interface: (!interface.is_empty()).then(|| interface.to_owned()),
        asks_bandwidth: false,
        gateways: Vec::new(),
    }
}

/// Multus' `^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`, of any length.
fn is_name(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    text.chars().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

fn is_interface(text: &str) -> bool {
    text.len() <= 15 && !text.contains([' ', '\t', '\n', '\u{b}', '\u{c}', '\r', '/'])
}

#[cfg(test)]
mod tests;
