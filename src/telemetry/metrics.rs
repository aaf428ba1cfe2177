//! Metrics in the text form of OpenMetrics.

use std::time::Duration;

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, text::encode},
    metrics::{
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

/// Which work a duration is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Call {
    /// One claim prepared.
    Prepare,
    /// One claim unprepared.
    Unprepare,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    call: Call,
    error: bool,
}

/// The agent's metrics.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    calls: Family<CallLabels, Histogram>,
    devices: Gauge,
    claims: Gauge,
    bad_config: Gauge,
    bad_policies: Gauge,
    dropped: Gauge,
}

/// 1 ms to 33 s: below is noise, above the kubelet has hung up.
fn buckets() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 16))
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("sriov_dra");
        let calls: Family<CallLabels, Histogram> = Family::new_with_constructor(buckets);
        registry.register_with_unit(
            "call_duration",
            "Duration of one claim's work",
            Unit::Seconds,
            calls.clone(),
        );
        let devices = Gauge::default();
        registry.register(
            "devices_published",
            "Devices in the slices of this node",
            devices.clone(),
        );
        let claims = Gauge::default();
        registry.register(
            "claims_prepared",
            "Claims with a record on this node",
            claims.clone(),
        );
        let bad_config = Gauge::default();
        registry.register(
            "config_bad",
            "1 while config.json cannot be used",
            bad_config.clone(),
        );
        let bad_policies = Gauge::default();
        let help = "Things in SriovResourcePolicies and DeviceAttributes that cannot be used";
        registry.register("policies_bad", help, bad_policies.clone());
        let dropped = Gauge::default();
        let help = "Attributes of policies for which devices of this node have no room";
        registry.register("attributes_dropped", help, dropped.clone());
        Self {
            registry,
            calls,
            devices,
            claims,
            bad_config,
            bad_policies,
            dropped,
        }
    }
}

impl Metrics {
    /// One call has ended.
    pub fn called(&self, call: Call, error: bool, took: Duration) {
        self.calls
            .get_or_create(&CallLabels { call, error })
            .observe(took.as_secs_f64());
    }

    /// How many devices are published.
    pub fn published(&self, devices: usize) {
        self.devices.set(i64::try_from(devices).unwrap_or(i64::MAX));
    }

    /// How many claims have a record.
    pub fn prepared(&self, claims: usize) {
        self.claims.set(i64::try_from(claims).unwrap_or(i64::MAX));
    }

    /// Whether the pools' configuration cannot be used.
    pub fn config_is_bad(&self, bad: bool) {
        self.bad_config.set(bad.into());
    }

    /// How many things in policies cannot be used, and how many attributes of theirs are left out.
    pub fn policies(&self, bad: usize, dropped: usize) {
        self.bad_policies
            .set(i64::try_from(bad).unwrap_or(i64::MAX));
        self.dropped.set(i64::try_from(dropped).unwrap_or(i64::MAX));
    }

    /// All of them as text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_counted_under_its_name_and_outcome() {
        let metrics = Metrics::default();
        metrics.called(Call::Prepare, false, Duration::from_millis(3));
        let text = metrics.text();
        assert!(
            text.contains(
                "sriov_dra_call_duration_seconds_count{call=\"Prepare\",error=\"false\"} 1"
            ),
            "{text}"
        );
    }
}
