//! `-o json`: one form, and the pools that take no device.

use super::*;
use crate::cli::document::schema;

/// The keys of a device.
fn shape(list: &Value) -> Vec<String> {
    let device = list["devices"][0].as_object().unwrap();
    device.keys().cloned().collect()
}

#[test]
fn host_and_cluster_have_one_form_with_ids_as_in_the_tables() {
    let host = Host {
        inventory: fixtures::host("connectx6dx"),
        ..Host::default()
    };
    let of_host: Value = serde_json::from_str(&host.render(Output::Json).unwrap()).unwrap();
    let cluster = of_cluster("sriov-dra list --cluster -o json");
    let of_cluster_json: Value = serde_json::from_str(&cluster).unwrap();
    assert_eq!(shape(&of_host), shape(&of_cluster_json));
    let tables = [
        (&of_host, host.render(Output::Wide).unwrap()),
        (
            &of_cluster_json,
            of_cluster("sriov-dra list --cluster -o wide"),
        ),
    ];
    schema::check("device-list", &cluster);
    for (list, table) in tables {
        assert_eq!(list["apiVersion"], "cli.sriov-dra.io/v1");
        assert_eq!(list["kind"], "DeviceList");
        for device in list["devices"].as_array().unwrap() {
            for key in ["device", "ids"] {
                let cell = device[key].as_str().unwrap_or("-");
                assert!(
                    table.split_whitespace().any(|word| word == cell),
                    "{key} {cell}: {table}"
                );
            }
            let text = device.to_string();
            for internal in ["incarnation", "binding", "abilities", "eswitch"] {
                assert!(
                    !text.contains(&format!("\"{internal}\"")),
                    "{internal}: {text}"
                );
            }
        }
    }
}

#[test]
fn a_pool_that_takes_no_device_is_listed_with_the_nearest() {
    let config = r#"{"resourceList": [{"resourceName": "old", "selectors": {"vendors": ["15b3"], "devices": ["1018"]}}]}"#;
    let (config, _) = Config::read(config, "example.com").unwrap();
    let inventory = fixtures::host("connectx6dx");
    let (pools, empty) = pools::assigned(&config, &inventory, &[]);
    let host = Host {
        node: Some("node1".to_owned()),
        inventory,
        pools,
        empty,
        ..Host::default()
    };
    let table = host.render(Output::Table).unwrap();
    insta::assert_snapshot!(table.lines().last().unwrap(), @r#"pool example.com/old takes no device; nearest 0000:3b:00.2: devices is 101e, wanted 1018"#);
    let json = host.render(Output::Json).unwrap();
    schema::check("device-list", &json);
    let json: Value = serde_json::from_str(&json).unwrap();
    insta::assert_snapshot!(json["emptyPools"].to_string(), @r#"[{"node":"node1","pool":"example.com/old","reason":"nearest 0000:3b:00.2: devices is 101e, wanted 1018"}]"#);
}

#[test]
fn a_cluster_explains_the_pools_of_its_config_maps() {
    let map = "---\nkind: ConfigMap\nmetadata: {name: sriov-dra-pools}\ndata:\n  config.json: |\n    {\"resourceList\": [{\"resourceName\": \"upf\", \"selectors\": {}}, {\"resourceName\": \"fast\", \"selectors\": {\"drivers\": [\"vfio-pci\"]}}]}\n";
    let objects = serde_saphyr::from_multiple(&format!("{CLUSTER}{map}")).unwrap();
    let table = cluster::render(&list_args("sriov-dra list --cluster"), objects).unwrap();
    insta::assert_snapshot!(table.lines().last().unwrap(), @r#"node1: pool intel.com/fast takes no device; nearest 0000:3b:00.0: drivers is ice, wanted vfio-pci"#);
}

#[test]
fn the_schema_describes_every_recorded_host() {
    for (_, inventory) in fixtures::inventories() {
        let host = Host {
            inventory,
            ..Host::default()
        };
        schema::check("device-list", &host.render(Output::Json).unwrap());
    }
}
