//! Metrics in the OpenMetrics text format.

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

/// The call that a duration is measured for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Call {
    /// Prepare of one claim.
    Prepare,
    /// Unprepare of one claim.
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
    releasing: Gauge,
    stuck: Gauge,
    hung: Gauge,
    bad_config: Gauge,
    bad_policies: Gauge,
    dropped: Gauge,
    cni_replaced: Gauge,
}

/// 1 ms to 33 s: shorter calls need no distinction, and the kubelet times out before longer ones.
fn buckets() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 16))
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("sriov_dra");
        let calls: Family<CallLabels, Histogram> = Family::new_with_constructor(buckets);
        registry.register_with_unit(
            "call_duration",
            "Duration of a call for one claim",
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
        let releasing = Gauge::default();
        registry.register(
            "claims_releasing",
            "Claims that are unprepared and whose devices are not restored yet",
            releasing.clone(),
        );
        let stuck = Gauge::default();
        let help =
            "Claims whose release has failed or takes longer than 5 s: their devices are tainted";
        registry.register("claims_releasing_stuck", help, stuck.clone());
        let hung = Gauge::default();
        registry.register(
            "kernel_calls_hung",
            "Calls into the kernel that have not returned for 30 s",
            hung.clone(),
        );
        let bad_config = Gauge::default();
        registry.register(
            "config_bad",
            "1 while config.json is invalid",
            bad_config.clone(),
        );
        let bad_policies = Gauge::default();
        let help = "Invalid parts of SriovResourcePolicies and DeviceAttributes, which are ignored";
        registry.register("policies_bad", help, bad_policies.clone());
        let dropped = Gauge::default();
        let help = "Attributes of policies dropped because a device has too many attributes";
        registry.register("attributes_dropped", help, dropped.clone());
        let cni_replaced = Gauge::default();
        let help = "CNI plugins of this driver that another program has replaced or removed";
        registry.register("cni_plugins_replaced", help, cni_replaced.clone());
        Self {
            registry,
            calls,
            devices,
            claims,
            releasing,
            stuck,
            hung,
            bad_config,
            bad_policies,
            dropped,
            cni_replaced,
        }
    }
}

impl Metrics {
    /// Observes a finished call.
    pub fn called(&self, call: Call, error: bool, took: Duration) {
        self.calls
            .get_or_create(&CallLabels { call, error })
            .observe(took.as_secs_f64());
    }

    /// Sets the number of published devices.
    pub fn published(&self, devices: usize) {
        self.devices.set(i64::try_from(devices).unwrap_or(i64::MAX));
    }

    /// Sets the number of claims with a record.
    pub fn prepared(&self, claims: usize) {
        self.claims.set(i64::try_from(claims).unwrap_or(i64::MAX));
    }

    /// Sets the number of claims whose release is not complete, and of those that are stuck.
    pub fn releasing(&self, releasing: usize, stuck: usize) {
        let gauge = |number| i64::try_from(number).unwrap_or(i64::MAX);
        self.releasing.set(gauge(releasing));
        self.stuck.set(gauge(stuck));
    }

    /// Sets the number of calls into the kernel that hang.
    pub fn hung(&self, calls: usize) {
        self.hung.set(i64::try_from(calls).unwrap_or(i64::MAX));
    }

    /// Sets whether config.json is invalid.
    pub fn config_is_bad(&self, bad: bool) {
        self.bad_config.set(bad.into());
    }

    /// Sets the number of invalid parts of policies, and of attributes that are dropped.
    pub fn policies(&self, bad: usize, dropped: usize) {
        self.bad_policies
            .set(i64::try_from(bad).unwrap_or(i64::MAX));
        self.dropped.set(i64::try_from(dropped).unwrap_or(i64::MAX));
    }

    /// Sets the number of installed CNI plugins that are not there any more.
    pub fn cni_plugins_replaced(&self, plugins: usize) {
        self.cni_replaced
            .set(i64::try_from(plugins).unwrap_or(i64::MAX));
    }

    /// All metrics as text.
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
    fn a_call_is_counted_by_name_and_result() {
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
