//! What is written into the status of a claim.

use super::*;

const STATUS: &str = "PATCH /apis/resource.k8s.io/v1/namespaces/default/resourceclaims/web-nic/status?&force=true&fieldManager=sriov-dra.io";
const EARLIER: &str = "2026-01-01T00:00:00Z";

fn web_nic() -> ClaimRef {
    ClaimRef {
        uid: "claim-uid".parse().unwrap(),
        namespace: "default".into(),
        name: "web-nic".into(),
    }
}

fn status(device: &str, conditions: Vec<Condition>) -> DeviceStatus {
    DeviceStatus {
        device: DeviceRef {
            driver: "sriov-dra.io".into(),
            slice_pool: "node-1".into(),
            device: device.into(),
        },
        share_id: None,
        conditions,
        network: None,
    }
}

fn ready(device: &str) -> DeviceStatus {
    status(device, vec![Condition::ready(Ok(()))])
}

/// The claim with these entries of this driver in its status.
fn with(devices: &Value) -> Value {
    let mut claim = claim();
    claim["status"]["devices"] = devices.clone();
    claim
}

/// The time of a condition, which is taken out.
fn time(condition: &mut Value) -> String {
    let time = condition.as_object_mut().unwrap();
    let time = time.remove("lastTransitionTime").unwrap();
    time.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_status_is_applied_for_this_very_claim() {
    let (kube, task) = server(vec![(CLAIM, 200, claim()), (STATUS, 200, claim())]);
    let status = DeviceStatus {
        network: Some(NetworkData {
            interface_name: "net1".into(),
            hardware_address: "02:00:00:00:00:01".into(),
            ips: vec![
                "10.0.0.7/24".parse().unwrap(),
                "2001:DB8::7/64".parse().unwrap(),
            ],
        }),
        ..status(
            "0000-3b-02-1",
            vec![
                Condition::ready(Ok(())),
                Condition::network_ready(Err("no such namespace".into())),
            ],
        )
    };
    kube.report(&web_nic(), &[status]).await.unwrap();
    let mut body = sent(kube, task).await.remove(1);
    let device = &mut body["status"]["devices"][0];
    for condition in device["conditions"].as_array_mut().unwrap() {
        let time = time(condition);
        assert!(time.len() == 20 && time.ends_with('Z'), "{time}");
    }
    assert_eq!(
        body,
        json!({
            "apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaim",
            "metadata": {"name": "web-nic", "namespace": "default", "uid": "claim-uid"},
            "status": {"devices": [{
                "driver": "sriov-dra.io", "pool": "node-1", "device": "0000-3b-02-1",
                "conditions": [
                    {"type": "Ready", "status": "True", "reason": "Prepared", "message": ""},
                    {"type": "NetworkReady", "status": "False", "reason": "NotAttached", "message": "no such namespace"},
                ],
                "networkData": {
                    "interfaceName": "net1", "hardwareAddress": "02:00:00:00:00:01",
                    "ips": ["10.0.0.7/24", "2001:db8::7/64"],
                },
            }]},
        })
    );
}

#[tokio::test]
async fn each_address_is_listed_once() {
    let (kube, task) = server(vec![(CLAIM, 200, claim()), (STATUS, 200, claim())]);
    let ips = [
        "10.0.0.7/24",
        "2001:DB8::7/64",
        "10.0.0.7/24",
        "10.0.0.8/24",
    ];
    let network = NetworkData {
        ips: ips.map(|ip| ip.parse().unwrap()).into(),
        ..NetworkData::default()
    };
    let status = DeviceStatus {
        network: Some(network),
        ..ready("0000-3b-02-1")
    };
    kube.report(&web_nic(), &[status]).await.unwrap();
    let body = sent(kube, task).await.remove(1);
    assert_eq!(
        body["status"]["devices"][0]["networkData"]["ips"],
        json!(["10.0.0.7/24", "2001:db8::7/64", "10.0.0.8/24"])
    );
}

#[tokio::test]
async fn a_condition_has_the_time_of_its_last_change() {
    let before = json!([
        {"driver": "gpu.example.com", "pool": "node-1", "device": "0000-3b-02-1", "conditions": [
            {"type": "NetworkReady", "status": "True", "reason": "x", "message": "", "lastTransitionTime": "2025-01-01T00:00:00Z"}]},
        {"driver": "sriov-dra.io", "pool": "node-1", "device": "0000-3b-02-1", "conditions": [
            {"type": "Ready", "status": "False", "reason": "DeviceInUse", "message": "held", "lastTransitionTime": EARLIER},
            {"type": "NetworkReady", "status": "True", "reason": "Attached", "message": "", "lastTransitionTime": EARLIER}]},
    ]);
    let (kube, task) = server(vec![(CLAIM, 200, with(&before)), (STATUS, 200, claim())]);
    // The same status for another reason, and another status.
    let failed = status(
        "0000-3b-02-1",
        vec![
            Condition::ready(Err(("PrepareFailed", "no memory".into()))),
            Condition::network_ready(Err("it left".into())),
        ],
    );
    kube.report(&web_nic(), &[failed]).await.unwrap();
    let mut body = sent(kube, task).await.remove(1);
    let conditions = &mut body["status"]["devices"][0]["conditions"];
    assert_eq!(time(&mut conditions[0]), EARLIER);
    assert_ne!(time(&mut conditions[1]), EARLIER);
    assert_eq!(
        conditions[0],
        json!({"type": "Ready", "status": "False", "reason": "PrepareFailed", "message": "no memory"})
    );
}

#[tokio::test]
async fn what_the_server_has_is_not_written_again() {
    let ready_since = json!([{"driver": "sriov-dra.io", "pool": "node-1", "device": "0000-3b-02-1", "conditions": [
        {"type": "Ready", "status": "True", "reason": "Prepared", "message": "", "lastTransitionTime": EARLIER}]}]);
    let (kube, task) = server(vec![(CLAIM, 200, with(&ready_since))]);
    kube.report(&web_nic(), &[ready("0000-3b-02-1")])
        .await
        .unwrap();
    sent(kube, task).await;
}

#[tokio::test]
async fn the_status_of_a_device_that_is_not_allocated_is_not_written() {
    let (kube, task) = server(vec![(CLAIM, 200, claim()), (STATUS, 200, claim())]);
    let both = [ready("0000-3b-02-1"), ready("0000-3b-02-7")];
    kube.report(&web_nic(), &both).await.unwrap();
    let body = sent(kube, task).await.remove(1);
    let devices = body["status"]["devices"].as_array().unwrap();
    assert_eq!(devices.len(), 1);
    assert_eq!(devices[0]["device"], "0000-3b-02-1");
}

#[tokio::test]
async fn a_claim_that_is_no_concern_of_this_node_is_not_written() {
    let (mut replaced, mut free, mut elsewhere) = (claim(), claim(), claim());
    replaced["metadata"]["uid"] = "another".into();
    free["status"] = json!({});
    for index in [0, 2] {
        elsewhere["status"]["allocation"]["devices"]["results"][index]["pool"] = "node-2".into();
    }
    for claim in [replaced, free, elsewhere] {
        let (kube, task) = server(vec![(CLAIM, 200, claim)]);
        let written = kube.report(&web_nic(), &[ready("0000-3b-02-1")]).await;
        assert_eq!(written.unwrap_err().kind, ErrorKind::NotFound);
        sent(kube, task).await;
    }
}
