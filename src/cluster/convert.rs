//! Slices between our nouns and the API's. Fields that newer servers know are left absent.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::resource::v1::{
        Counter, CounterSet as ApiCounterSet, Device as ApiDevice, DeviceAttribute,
        DeviceCounterConsumption, DeviceTaint, ResourcePool, ResourceSlice, ResourceSliceSpec,
    },
    apimachinery::pkg::{api::resource::Quantity, apis::meta::v1::Time},
};

use super::slice_name;
use crate::{
    api::Attribute,
    slice::{Consumption, CounterSet, Device, Effect, Placed, Slice, StoredSlice, Taint},
};

/// What is written for a slice.
pub(super) fn spec(slice: &Placed, driver: &str, node: &str) -> ResourceSliceSpec {
    let pool = ResourcePool {
        name: node.to_owned(),
        generation: slice.generation,
        resource_slice_count: i64::try_from(slice.count).unwrap_or(i64::MAX),
    };
    let base = ResourceSliceSpec {
        driver: driver.into(),
        node_name: Some(node.into()),
        pool,
        ..Default::default()
    };
    match &slice.content {
        Slice::Devices(all) if all.is_empty() => base,
        Slice::Devices(all) => ResourceSliceSpec {
            devices: Some(all.iter().map(device).collect()),
            ..base
        },
        Slice::SharedCounters(sets) => ResourceSliceSpec {
            shared_counters: Some(sets.iter().map(counter_set).collect()),
            ..base
        },
    }
}

/// How many bytes the object's specification has as JSON.
#[must_use]
pub fn slice_bytes(slice: &Placed, driver: &str, node: &str) -> usize {
    serde_json::to_vec(&spec(slice, driver, node)).map_or(0, |json| json.len())
}

fn device(device: &Device) -> ApiDevice {
    let attributes: BTreeMap<_, _> = device
        .attributes
        .iter()
        .map(|(name, value)| (name.clone(), attribute(value)))
        .collect();
    ApiDevice {
        name: device.name.clone(),
        attributes: filled(attributes, BTreeMap::is_empty),
        consumes_counters: filled(
            device.consumes.iter().map(consumption).collect(),
            Vec::is_empty,
        ),
        taints: filled(device.taints.iter().map(taint).collect(), Vec::is_empty),
        ..Default::default()
    }
}

/// Empty lists are absent on the wire.
fn filled<T>(all: T, is_empty: fn(&T) -> bool) -> Option<T> {
    (!is_empty(&all)).then_some(all)
}

fn attribute(value: &Attribute) -> DeviceAttribute {
    let none = DeviceAttribute::default();
    match value.clone() {
        Attribute::String(text) => DeviceAttribute {
            string: Some(text),
            ..none
        },
        Attribute::Int(number) => DeviceAttribute {
            int: Some(number),
            ..none
        },
        Attribute::Bool(value) => DeviceAttribute {
            bool: Some(value),
            ..none
        },
        Attribute::Version(text) => DeviceAttribute {
            version: Some(text),
            ..none
        },
    }
}

fn consumption(consumption: &Consumption) -> DeviceCounterConsumption {
    DeviceCounterConsumption {
        counter_set: consumption.set.clone(),
        counters: counters(&consumption.counters),
        ..Default::default()
    }
}

fn counter_set(set: &CounterSet) -> ApiCounterSet {
    ApiCounterSet {
        name: set.name.clone(),
        counters: counters(&set.counters),
    }
}

fn counters(counters: &BTreeMap<String, u64>) -> BTreeMap<String, Counter> {
    counters
        .iter()
        .map(|(name, amount)| {
            (
                name.clone(),
                Counter {
                    value: quantity(*amount),
                },
            )
        })
        .collect()
}

/// In the form to which the server brings it: 1000 is stored as `1k`.
fn quantity(amount: u64) -> Quantity {
    Quantity(if amount > 0 && amount.is_multiple_of(1000) {
        format!("{}k", amount / 1000)
    } else {
        amount.to_string()
    })
}

fn read_quantity(quantity: &Quantity) -> Option<u64> {
    match quantity.0.strip_suffix('k') {
        Some(thousands) => thousands.parse::<u64>().ok()?.checked_mul(1000),
        None => quantity.0.parse().ok(),
    }
}

fn taint(taint: &Taint) -> DeviceTaint {
    DeviceTaint {
        key: taint.key.clone(),
        value: (!taint.value.is_empty()).then(|| taint.value.clone()),
        effect: taint.effect.as_str().to_owned(),
        time_added: taint.time_added.map(Time),
    }
}

/// What is read of a slice. It is foreign when writing it again would not give the same.
pub(super) fn stored(slice: ResourceSlice, driver: &str, node: &str) -> StoredSlice {
    let ResourceSlice { metadata, spec } = slice;
    let content = match &spec.shared_counters {
        Some(sets) if !sets.is_empty() => {
            Slice::SharedCounters(sets.iter().map(read_set).collect())
        }
        _ => Slice::Devices(spec.devices.iter().flatten().map(read_device).collect()),
    };
    let index = metadata
        .generate_name
        .as_deref()
        .and_then(|prefix| slice_name::index(prefix, driver, node));
    let (generation, count) = (spec.pool.generation, spec.pool.resource_slice_count);
    let placed = Placed {
        index: index.unwrap_or_default(),
        generation,
        count: usize::try_from(count).unwrap_or_default(),
        content,
    };
    let foreign = self::spec(&placed, driver, node) != normal(spec.clone());
    StoredSlice {
        name: metadata.name.unwrap_or_default(),
        uid: metadata.uid.unwrap_or_default(),
        version: metadata.resource_version.unwrap_or_default(),
        index: index.filter(|_| spec.pool.name == node),
        own_pool: spec.driver == driver && spec.pool.name == node,
        generation,
        count,
        content: placed.content,
        foreign,
    }
}

/// Absent and empty are the same, and so are false and absent.
fn normal(mut spec: ResourceSliceSpec) -> ResourceSliceSpec {
    spec.devices = spec.devices.filter(|all| !all.is_empty());
    spec.shared_counters = spec.shared_counters.filter(|all| !all.is_empty());
    spec.all_nodes = spec.all_nodes.filter(|all| *all);
    spec.per_device_node_selection = spec.per_device_node_selection.filter(|all| *all);
    for device in spec.devices.iter_mut().flatten() {
        device.attributes = device.attributes.take().filter(|all| !all.is_empty());
        device.capacity = device.capacity.take().filter(|all| !all.is_empty());
        device.consumes_counters = device
            .consumes_counters
            .take()
            .filter(|all| !all.is_empty());
        device.taints = device.taints.take().filter(|all| !all.is_empty());
        for taint in device.taints.iter_mut().flatten() {
            taint.value = taint.value.take().filter(|value| !value.is_empty());
        }
    }
    spec
}

fn read_device(device: &ApiDevice) -> Device {
    let attributes = device.attributes.iter().flatten();
    Device {
        name: device.name.clone(),
        attributes: attributes
            .filter_map(|(name, value)| Some((name.clone(), read_attribute(value)?)))
            .collect(),
        consumes: device
            .consumes_counters
            .iter()
            .flatten()
            .map(read_consumption)
            .collect(),
        taints: device.taints.iter().flatten().map(read_taint).collect(),
    }
}

fn read_attribute(value: &DeviceAttribute) -> Option<Attribute> {
    let DeviceAttribute {
        string,
        int,
        bool,
        version,
        ..
    } = value.clone();
    let text = string
        .map(Attribute::String)
        .or(version.map(Attribute::Version));
    text.or(int.map(Attribute::Int))
        .or(bool.map(Attribute::Bool))
}

fn read_consumption(consumption: &DeviceCounterConsumption) -> Consumption {
    Consumption {
        set: consumption.counter_set.clone(),
        counters: read_counters(&consumption.counters),
    }
}

fn read_set(set: &ApiCounterSet) -> CounterSet {
    CounterSet {
        name: set.name.clone(),
        counters: read_counters(&set.counters),
    }
}

fn read_counters(counters: &BTreeMap<String, Counter>) -> BTreeMap<String, u64> {
    counters
        .iter()
        .filter_map(|(name, counter)| Some((name.clone(), read_quantity(&counter.value)?)))
        .collect()
}

fn read_taint(taint: &DeviceTaint) -> Taint {
    Taint {
        key: taint.key.clone(),
        value: taint.value.clone().unwrap_or_default(),
        effect: match taint.effect.as_str() {
            "NoSchedule" => Effect::NoSchedule,
            "NoExecute" => Effect::NoExecute,
            _ => Effect::None,
        },
        time_added: taint.time_added.as_ref().map(|time| time.0),
    }
}
