//! The nouns of `resource.k8s.io/v1` ResourceSlices, as far as this driver writes them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Taint;
use crate::api::Attribute;

/// What one ResourceSlice holds; its place among the others is its index. Since Kubernetes 1.35 it
/// holds devices or counters, never both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Slice {
    /// Devices, in the order in which the scheduler tries them.
    Devices(Vec<Device>),
    /// Counter sets that the pool's devices consume from.
    SharedCounters(Vec<CounterSet>),
}

impl Slice {
    /// Its devices; none in a slice of counters.
    #[must_use]
    pub fn devices(&self) -> &[Device] {
        match self {
            Self::Devices(devices) => devices,
            Self::SharedCounters(_) => &[],
        }
    }
}

/// One published device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// A DNS label.
    pub name: String,
    /// By qualified name; one without a domain is in the driver's.
    pub attributes: BTreeMap<String, Attribute>,
    /// What it takes from counter sets while it is allocated.
    pub consumes: Vec<Consumption>,
    /// Why it is not to be used.
    pub taints: Vec<Taint>,
}

impl Device {
    /// A text attribute; empty when it is absent or of another type.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        match self.attributes.get(name) {
            Some(Attribute::String(text)) => text,
            _ => "",
        }
    }

    /// A number attribute; 0 when it is absent or of another type.
    #[must_use]
    pub fn number(&self, name: &str) -> i64 {
        match self.attributes.get(name) {
            Some(Attribute::Int(number)) => *number,
            _ => 0,
        }
    }
}

/// Amounts that devices of a pool share (KEP-4815).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CounterSet {
    /// A DNS label, one in the pool.
    pub name: String,
    /// How much there is of each.
    pub counters: BTreeMap<String, u64>,
}

/// What a device takes from one counter set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consumption {
    /// The set's name.
    pub set: String,
    /// How much of each.
    pub counters: BTreeMap<String, u64>,
}
