use super::*;
use crate::api::AttachMode;
use crate::{
    ledger::{Attachment, ClaimOwner, ClaimRef, Extras, NetdevPlan, Phase},
    pool::PoolName,
};

const UID: &str = "5f0c7f0e-8e6f-4a44-9d3b-7f2f6a5f4f3e";
const DRIVER: &str = "sriov-dra.io";

fn device(address: &str, request: &str) -> DeviceRecord {
    DeviceRecord {
        id: address.parse::<crate::device::Bdf>().unwrap().into(),
        incarnation: 1,
        request: request.to_owned(),
        slice_pool: "node1".to_owned(),
        share_id: None,
        admin_access: false,
        cdi: Vec::new(),
        nodes: Vec::new(),
        extras: Default::default(),
        steps: Vec::new(),
        netdev: None,
        attachment: None,
        definition: None,
        ipam: None,
        network: None,
        used: None,
        mirrored: false,
        published: Default::default(),
        unknown: Default::default(),
    }
}

fn netdev(address: &str, request: &str) -> DeviceRecord {
    let plan = NetdevPlan {
        attach: AttachMode::Pod,
        if_name: None,
        mac: None,
        mtu: None,
        addresses: vec!["10.0.0.7/24".parse().unwrap()],
        routes: Vec::new(),
        unknown: Default::default(),
    };
    DeviceRecord {
        netdev: Some(plan),
        ..device(address, request)
    }
}

fn attached(done: bool) -> Option<Attachment> {
    Some(Attachment {
        sandbox: "box".to_owned(),
        pod_uid: "pod".to_owned(),
        pod: "shop/upf".to_owned(),
        netns_path: "/var/run/netns/x".to_owned(),
        netns: 7,
        if_name: "net1".parse().unwrap(),
        mac: Some("02:00:00:00:00:01".parse().unwrap()),
        done,
        unknown: Default::default(),
    })
}

fn record(devices: Vec<DeviceRecord>) -> Record {
    Record {
        version: 1,
        owner: ClaimOwner {
            claim: ClaimRef {
                uid: UID.parse().unwrap(),
                namespace: "shop".to_owned(),
                name: "upf-net".to_owned(),
            }
            .into(),
            pod_claim_name: Some("net".to_owned()),
            reserved_for: Vec::new(),
        },
        phase: Phase::Prepared,
        releasing_since: None,
        devices,
        unknown: Default::default(),
    }
}

/// The golden file of a device mode, which the documents link to.
fn golden(name: &str, record: &Record) {
    let text =
        serde_json::to_string_pretty(&cdi_spec(record, DRIVER, &Paths::default())).unwrap() + "\n";
    let path = format!("{}/cdi/{name}.json", env!("CARGO_MANIFEST_DIR"));
    assert_eq!(
        text,
        std::fs::read_to_string(&path).unwrap_or_default(),
        "{path} should be:\n{text}"
    );
}

#[test]
fn a_netdev_mounts_its_document_and_gets_no_device_node() {
    golden("netdev", &record(vec![netdev("0000:3b:02.1", "data")]));
}

#[test]
fn vfio_gets_its_group_and_the_common_node() {
    let nodes = vec!["/dev/vfio/42".to_owned(), "/dev/vfio/vfio".to_owned()];
    golden(
        "vfio",
        &record(vec![DeviceRecord {
            nodes,
            ..device("0000:3b:02.1", "dpdk/fast")
        }]),
    );
}

#[test]
fn a_pool_brings_nodes_and_the_device_plugins_variables() {
    let nodes = [
        "/dev/vfio/42",
        "/dev/vfio/vfio",
        "/dev/vhost-net",
        "/dev/net/tun",
    ]
    .map(str::to_owned)
    .to_vec();
    let zone = ("ZONE".to_owned(), "a".to_owned());
    let extras = Extras {
        pool: Some(
            PoolName {
                prefix: "intel.com".to_owned(),
                name: "sriov_dpdk".to_owned(),
            }
            .into(),
        ),
        env: BTreeMap::from([zone.clone()]),
        info: Some(BTreeMap::from([
            zone,
            ("token".to_owned(), "abc".to_owned()),
        ])),
        ..Extras::default()
    };
    golden(
        "pool",
        &record(vec![DeviceRecord {
            nodes,
            extras,
            ..device("0000:3b:02.1", "dpdk")
        }]),
    );
}

#[test]
fn devices_of_one_request_share_variable_and_document() {
    golden(
        "two-of-one-request",
        &record(vec![
            netdev("0000:3b:02.1", "data"),
            netdev("0000:3b:02.2", "data"),
        ]),
    );
}

#[test]
fn the_document_has_the_interface() {
    let mut record = record(vec![netdev("0000:3b:02.1", "data")]);
    record.devices[0].attachment = attached(true);
    insta::assert_snapshot!(document(&record, "data", DRIVER).text(), @r#"
    {
      "apiVersion": "metadata.resource.k8s.io/v1alpha1",
      "kind": "DeviceMetadata",
      "metadata": {
        "name": "upf-net",
        "namespace": "shop",
        "uid": "5f0c7f0e-8e6f-4a44-9d3b-7f2f6a5f4f3e",
        "generation": 1
      },
      "podClaimName": "net",
      "requests": [
        {
          "name": "data",
          "devices": [
            {
              "driver": "sriov-dra.io",
              "pool": "node1",
              "name": "0000-3b-02-1",
              "attributes": {
                "resource.kubernetes.io/pciBusID": {
                  "string": "0000:3b:02.1"
                }
              },
              "networkData": {
                "interfaceName": "net1",
                "ips": [
                  "10.0.0.7/24"
                ],
                "hardwareAddress": "02:00:00:00:00:01"
              }
            }
          ]
        }
      ]
    }
    "#);
}

#[test]
fn the_start_gate_opens_when_all_netdevs_of_the_request_are_there_and_closes_again() {
    let dir = tempfile::tempdir().unwrap();
    let paths = Paths::below(dir.path());
    let mut record = record(vec![
        netdev("0000:3b:02.1", "data"),
        netdev("0000:3b:02.2", "data"),
        device("0000:3b:02.3", "raw"),
    ]);
    let gate = |request| host_path(&paths, &record_uid(), request).exists();
    record.devices[0].attachment = attached(true);
    record.devices[1].attachment = attached(false);
    open(&paths, &record, DRIVER).unwrap();
    assert_eq!((gate("data"), gate("raw")), (false, true));
    record.devices[1].attachment = attached(true);
    open(&paths, &record, DRIVER).unwrap();
    assert_eq!((gate("data"), gate("raw")), (true, true));
    close(&paths, &record, false).unwrap();
    assert_eq!((gate("data"), gate("raw")), (false, true));
    close(&paths, &record, true).unwrap();
    assert!(!paths.attached().join(UID).exists());
}

fn record_uid() -> ClaimUid {
    UID.parse().unwrap()
}

#[test]
fn a_mount_names_its_claim() {
    let paths = Paths::default();
    let source = host_path(&paths, &record_uid(), "data")
        .display()
        .to_string();
    assert_eq!(claim_of_mount(&paths, &source), Some(record_uid()));
    assert_eq!(claim_of_mount(&paths, "/run/other/x.json"), None);
    assert_eq!(
        claim_of_mount(&paths, "/run/sriov-dra/attached/../claims/x"),
        None
    );
}
