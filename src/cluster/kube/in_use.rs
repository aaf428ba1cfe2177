//! Who in the cluster uses devices of this driver, and which are not as they were before.

use k8s_openapi::api::resource::v1::{ResourceClaim, ResourceSlice};
use kube::{Api, ResourceExt, api::ListParams};

use super::Kube;
use crate::{
    cluster::{Result, claims::device_ref},
    slice::{DeviceRef, Reason, Taint},
};

/// A claim with devices of this driver that somebody holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InUse {
    /// `namespace/name` of the claim.
    pub claim: String,
    /// Names of the pods in `status.reservedFor`.
    pub holders: Vec<String>,
    /// Its devices.
    pub devices: Vec<DeviceRef>,
}

impl Kube {
    /// All claims of the cluster that are reserved and have devices of this driver.
    ///
    /// # Errors
    /// The server's.
    pub async fn claims_in_use(&self) -> Result<Vec<InUse>> {
        let api: Api<ResourceClaim> = Api::all(self.client.clone());
        let claims = self
            .request("resource claims", api.list(&ListParams::default()))
            .await?;
        Ok(claims
            .items
            .iter()
            .filter_map(|claim| in_use(claim, &self.driver))
            .collect())
    }

    /// Devices of this driver that a release has not restored, as their taint says. It is set once
    /// a release fails or takes a few seconds.
    ///
    /// # Errors
    /// The server's.
    pub async fn unrestored(&self) -> Result<Vec<DeviceRef>> {
        let api: Api<ResourceSlice> = Api::all(self.client.clone());
        let ours = ListParams::default().fields(&format!("spec.driver={}", self.driver));
        let slices = self.request("resource slices", api.list(&ours)).await?;
        let devices = slices
            .items
            .iter()
            .map(|slice| unrestored(slice, &self.driver));
        Ok(devices.flatten().collect())
    }
}

fn unrestored(slice: &ResourceSlice, driver: &str) -> Vec<DeviceRef> {
    let spec = &slice.spec;
    let key = Taint::no_schedule(driver, Reason::UndoFailed).key;
    let devices = spec.devices.iter().flatten().filter(|device| {
        let mut taints = device.taints.iter().flatten();
        taints.any(|taint| taint.key == key)
    });
    let named = devices.map(|device| DeviceRef {
        driver: driver.to_owned(),
        slice_pool: spec.pool.name.clone(),
        device: device.name.clone(),
    });
    named.collect()
}

fn in_use(claim: &ResourceClaim, driver: &str) -> Option<InUse> {
    let status = claim.status.as_ref()?;
    let holders: Vec<String> = status
        .reserved_for
        .iter()
        .flatten()
        .map(|holder| holder.name.clone())
        .collect();
    let devices: Vec<DeviceRef> = status
        .allocation
        .iter()
        .filter_map(|allocation| allocation.devices.as_ref())
        .flat_map(|devices| devices.results.iter().flatten())
        .filter(|result| result.driver == driver)
        .map(device_ref)
        .collect();
    let claim = format!(
        "{}/{}",
        claim.namespace().unwrap_or_default(),
        claim.name_any()
    );
    (!holders.is_empty() && !devices.is_empty()).then_some(InUse {
        claim,
        holders,
        devices,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn found(status: Value) -> Option<InUse> {
        let claim =
            json!({"metadata": {"namespace": "shop", "name": "net"}, "spec": {}, "status": status});
        in_use(&serde_json::from_value(claim).unwrap(), "sriov-dra.io")
    }

    #[test]
    fn a_claim_counts_when_it_is_reserved_and_has_a_device_of_ours() {
        let results = |driver: &str| {
            json!({"devices": {"results": [
            {"request": "r", "driver": driver, "pool": "node1", "device": "0000-3b-02-1"}]}})
        };
        let pods = json!([{"resource": "pods", "name": "upf-0", "uid": "u"}]);
        let ours =
            found(json!({"allocation": results("sriov-dra.io"), "reservedFor": pods})).unwrap();
        assert_eq!(
            (ours.claim.as_str(), ours.holders, ours.devices),
            (
                "shop/net",
                vec!["upf-0".to_owned()],
                vec![DeviceRef {
                    driver: "sriov-dra.io".into(),
                    slice_pool: "node1".into(),
                    device: "0000-3b-02-1".into(),
                }],
            )
        );
        assert_eq!(
            found(json!({"allocation": results("gpu.example.com"), "reservedFor": pods})),
            None
        );
        assert_eq!(found(json!({"allocation": results("sriov-dra.io")})), None);
        assert_eq!(found(json!({})), None);
    }

    #[test]
    fn a_device_counts_whose_taint_says_that_it_is_not_restored() {
        let device = |name: &str, key: &str| {
            let taint = json!({"key": key, "effect": "NoSchedule"});
            json!({"name": name, "taints": [taint]})
        };
        let slice = json!({
            "metadata": {"name": "s"},
            "spec": {
                "driver": "sriov-dra.io",
                "nodeName": "node1",
                "pool": {"name": "node1", "generation": 1, "resourceSliceCount": 1},
                "devices": [
                    {"name": "0000-3b-02-0"},
                    device("0000-3b-02-1", "sriov-dra.io/undo-failed"),
                    device("0000-3b-02-2", "sriov-dra.io/link-down"),
                ],
            },
        });
        let found = unrestored(&serde_json::from_value(slice).unwrap(), "sriov-dra.io");
        let names: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["node1/0000-3b-02-1"]);
    }
}
