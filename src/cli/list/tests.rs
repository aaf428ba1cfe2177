mod json;

use clap::Parser;
use serde_json::Value;

use super::*;
use crate::{
    args::{Command, SriovDra},
    device::{Bdf, Binding, Function, FunctionKind, LinkType, PciIds, VfAddress},
    inventory::fixtures,
    pool::Config,
};

const PAGE: &str = include_str!("../../../docs/debugging.md");
const CLUSTER: &str = include_str!("../../../e2e/fixtures/explain.yaml");

fn list_args(line: &str) -> ListArgs {
    match SriovDra::try_parse_from(line.split_whitespace())
        .unwrap()
        .command
    {
        Command::List(args) => *args,
        other => panic!("{line} is parsed as {other:?}"),
    }
}

fn of_cluster(line: &str) -> String {
    cluster::render(
        &list_args(line),
        serde_saphyr::from_multiple(CLUSTER).unwrap(),
    )
    .unwrap()
}

fn unused(functions: &[Function]) -> Inventory {
    Inventory {
        functions: functions.to_vec(),
        ..Inventory::default()
    }
}

fn function(address: &str, kind: FunctionKind) -> Function {
    Function {
        id: address.parse::<Bdf>().unwrap().into(),
        incarnation: 1,
        kind,
        ids: PciIds {
            vendor: 0x8086,
            device: 0x10c9,
        },
        binding: Binding {
            driver: Some("igb".to_owned()),
            driver_override: None,
        },
        netdev: Some("eth0".parse().unwrap()),
        link_type: Some(LinkType::Ethernet),
        link_speed: Some(1000),
        carrier: Some(true),
        eswitch: None,
        numa_node: Some(1),
        pcie_root: None,
        iommu_group: Some(7),
        acpi_index: None,
        capabilities: Default::default(),
        yields: Default::default(),
    }
}

#[test]
fn vfs_follow_their_pf_by_index_with_their_holders() {
    let pf: Bdf = "0000:01:00.0".parse().unwrap();
    let vf = |index| FunctionKind::Vf {
        address: Some(VfAddress { pf, index }),
    };
    let functions = [
        function("0000:01:10.2", vf(1)),
        function("0000:01:10.0", vf(0)),
        function(
            "0000:01:00.0",
            FunctionKind::Pf {
                total_vfs: 7,
                num_vfs: 2,
            },
        ),
        function("0000:00:05.0", FunctionKind::Vf { address: None }),
    ];
    let holder = Holder {
        releasing: Some(7),
        claim: "shop/net".to_owned(),
        pod: Some("shop/upf-0".to_owned()),
    };
    let holders = Holders::from([(functions[0].id, holder)]);
    let pools = PoolNames::from([(functions[0].id, "intel.com/upf".to_owned())]);
    insta::assert_snapshot!(table(&unused(&functions), &pools, &holders, false), @r#"
    DEVICE          TYPE            NETDEV  DRIVER  LINK           POOL           CLAIM                        POD
    0000:01:00.0    pf, 2 of 7 VFs  eth0    igb     up, 1000 Mb/s  -              -                            -
      0000:01:10.0  vf 0            eth0    igb     up             -              -                            -
      0000:01:10.2  vf 1            eth0    igb     up             intel.com/upf  shop/net, releasing for 7 s  shop/upf-0
    0000:00:05.0    vf              eth0    igb     up             -              -                            -
    "#);
    let host = Host {
        node: Some("node1".to_owned()),
        inventory: unused(&functions[..1]),
        pools,
        holders,
        empty: Vec::new(),
    };
    let list: Value = serde_json::from_str(&host.render(Output::Json).unwrap()).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&list).unwrap(), @r#"
    {
      "apiVersion": "cli.sriov-dra.io/v1",
      "devices": [
        {
          "attributes": null,
          "claim": "shop/net",
          "device": "0000:01:10.2",
          "driver": "igb",
          "ids": "8086:10c9",
          "index": 1,
          "iommuGroup": 7,
          "linkSpeed": 1000,
          "linkType": "ethernet",
          "linkUp": true,
          "name": "0000-01-10-2",
          "netdev": "eth0",
          "node": "node1",
          "numVFs": null,
          "numaNode": 1,
          "pciAddress": "0000:01:10.2",
          "pcieRoot": null,
          "pfName": null,
          "pfPciAddress": "0000:01:00.0",
          "pods": [
            "shop/upf-0"
          ],
          "pool": "intel.com/upf",
          "published": null,
          "releasing": 7,
          "taints": null,
          "totalVFs": null,
          "type": "vf",
          "usedByHost": false
        }
      ],
      "emptyPools": [],
      "kind": "DeviceList"
    }
    "#);
}

#[test]
fn a_recorded_host_is_listed_as_the_documentation_shows() {
    let host = fixtures::host("connectx6dx");
    let config = r#"{"resourceList": [
        {"resourceName": "dpdk", "selectors": {"drivers": ["vfio-pci"]}},
        {"resourceName": "vf", "selectors": {"pfNames": ["ens1f1np1"]}},
        {"resourceName": "sf", "deviceType": "auxNetDevice", "selectors": {"auxTypes": ["sf"]}}]}"#;
    let config = Config::read(config, "example.com").unwrap().0;
    let (pools, empty) = pools::assigned(&config, &host, &[]);
    let host = Host {
        inventory: host,
        pools,
        empty,
        ..Host::default()
    };
    let table = host.render(Output::Table).unwrap();
    assert!(
        PAGE.contains(&table),
        "docs/debugging.md does not show the actual output:\n{table}"
    );
}

#[test]
fn yaml_and_json_have_the_same_content() {
    let host = Host {
        inventory: fixtures::host("connectx6dx"),
        ..Host::default()
    };
    let text = |output| host.render(output).unwrap();
    let json: Value = serde_json::from_str(&text(Output::Json)).unwrap();
    assert_eq!(
        serde_saphyr::from_str::<Value>(&text(Output::Yaml)).unwrap(),
        json
    );
    let devices = json["devices"].as_array().map(Vec::len);
    assert_eq!(devices, Some(host.inventory.functions.len()));
}

#[test]
fn a_host_without_functions_gets_a_hint() {
    assert_eq!(
        no_functions(false),
        "no SR-IOV functions found on this host\n"
    );
    assert_eq!(
        no_functions(true),
        "no SR-IOV functions found on this host; to list those of the cluster: sriov-dra list --cluster\n"
    );
}

#[test]
fn a_cluster_is_listed_as_the_documentation_shows() {
    let table = of_cluster("sriov-dra list -f e2e/fixtures/explain.yaml");
    assert!(
        PAGE.contains(&table),
        "docs/debugging.md does not show the actual output:\n{table}"
    );
}

#[test]
fn json_of_a_cluster_has_every_attribute() {
    let rows: Value =
        serde_json::from_str(&of_cluster("sriov-dra list --cluster -o json")).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&rows["devices"][2]).unwrap(), @r#"
        {
          "attributes": {
            "driver": "iavf",
            "index": 1,
            "pciAddress": "0000:3b:02.1",
            "pfName": "ens1f0",
            "pfPciAddress": "0000:3b:00.0",
            "pool": "intel.com/upf",
            "resource.kubernetes.io/numaNode": 0,
            "type": "vf",
            "vendor": "8086"
          },
          "claim": "shop/smf",
          "device": "0000-3b-02-1",
          "driver": "iavf",
          "ids": null,
          "index": 1,
          "iommuGroup": null,
          "linkSpeed": null,
          "linkType": null,
          "linkUp": null,
          "name": "0000-3b-02-1",
          "netdev": null,
          "node": "node1",
          "numVFs": null,
          "numaNode": 0,
          "pciAddress": "0000:3b:02.1",
          "pcieRoot": null,
          "pfName": "ens1f0",
          "pfPciAddress": "0000:3b:00.0",
          "pods": [
            "shop/smf-0"
          ],
          "pool": "intel.com/upf",
          "published": true,
          "releasing": null,
          "taints": [],
          "totalVFs": null,
          "type": "vf",
          "usedByHost": null
        }
        "#);
    let yaml = of_cluster("sriov-dra list --cluster --node node1 -o yaml");
    assert_eq!(serde_saphyr::from_str::<Value>(&yaml).unwrap(), rows);
}

#[test]
fn the_option_node_requires_cluster() {
    let error = SriovDra::try_parse_from(["sriov-dra", "list", "--node", "node1"])
        .unwrap_err()
        .to_string();
    assert!(error.contains("--cluster"), "{error}");
}

#[test]
fn a_recording_is_listed_as_its_host_with_what_the_host_uses() {
    let list = |name: &str, flags: &str| {
        let file = format!("{}/e2e/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let args = list_args(&format!("sriov-dra list -f {file} {flags}"));
        match files::read(&args.file).unwrap() {
            files::Content::Host(recording) => recorded(&args, &recording),
            files::Content::Cluster(_) => panic!("{name} is no recording"),
        }
    };
    let table = list("bluefield2", "").unwrap();
    let used: Vec<&str> = table
        .lines()
        .filter(|line| line.contains("used by the host "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(used, ["0000:03:00.0", "0000:03:00.0/sf0"], "{table}");
    let error = list("bluefield2", "--node a").unwrap_err();
    assert!(error.to_string().starts_with("--node applies to clusters"));
    let json: Value = serde_json::from_str(&list("connectx6dx", "-o json").unwrap()).unwrap();
    assert_eq!(json["devices"].as_array().map(Vec::len), Some(10));
    assert_eq!(
        json["devices"][0]["node"],
        Value::Null,
        "a recording has no node"
    );
}

#[test]
fn functions_that_the_host_uses_are_marked() {
    let pf: Bdf = "0000:01:00.0".parse().unwrap();
    let address = Some(VfAddress { pf, index: 0 });
    let (total_vfs, num_vfs) = (7, 1);
    let functions = [
        function("0000:01:00.0", FunctionKind::Pf { total_vfs, num_vfs }),
        function("0000:01:10.0", FunctionKind::Vf { address }),
    ];
    let host = Inventory {
        host_used: [functions[1].id].into(),
        ..unused(&functions)
    };
    insta::assert_snapshot!(table(&host, &PoolNames::new(), &Holders::new(), false), @r#"
    DEVICE          TYPE            NETDEV  DRIVER  LINK           POOL  CLAIM                     POD
    0000:01:00.0    pf, 1 of 7 VFs  eth0    igb     up, 1000 Mb/s  -     used by the host in part  -
      0000:01:10.0  vf 0            eth0    igb     up             -     used by the host          -
    "#);
}

#[test]
fn an_unknown_node_is_an_error_that_names_the_known_ones() {
    let list = |node: &str, objects: &str| {
        cluster::render(
            &list_args(&format!("sriov-dra list --cluster --node {node}")),
            serde_saphyr::from_multiple(objects).unwrap(),
        )
        .map_err(|error| error.to_string())
    };
    assert_eq!(
        list("node2", CLUSTER).unwrap_err(),
        "node node2 is unknown: slices and claims are of node1"
    );
    assert_eq!(
        list("node2", "{kind: List, items: []}").unwrap_err(),
        "node node2 is unknown: no slice or claim is of a node"
    );
    let slice = |node: usize| {
        format!(
            "---\n{{kind: ResourceSlice, metadata: {{name: s{node}}}, spec: {{driver: gpu.example.com, nodeName: n{node:02}, \
             pool: {{name: n{node:02}, generation: 1, resourceSliceCount: 1}}, devices: []}}}}\n"
        )
    };
    let slices: String = (0..12).map(slice).collect();
    assert_eq!(
        list("n1", &slices).unwrap_err(),
        "node n1 is unknown: slices and claims are of n00, n01, n02, n03, n04, n05, n06, n07, n08, n09 and 2 more"
    );
    assert_eq!(
        list("n11", &slices).unwrap(),
        "no devices of sriov-dra.io found on node n11\n"
    );
}
