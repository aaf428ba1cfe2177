//! Who in the cluster uses devices of this driver.

use k8s_openapi::api::resource::v1::ResourceClaim;
use kube::{Api, ResourceExt, api::ListParams};

use super::Kube;
use crate::{
    cluster::{Result, claims::device_ref},
    slice::DeviceRef,
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
}
