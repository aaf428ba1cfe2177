mod networks;
mod pods;
mod policies;
mod pools;

use serde_json::Value;

use super::*;
use crate::api::{self, ConfigSource, OpaqueConfig};

const DRIVER: &str = "sriov-dra.io";

fn options() -> Options {
    Options {
        driver: DRIVER.to_owned(),
        resource_prefix: "intel.com".to_owned(),
        claims: false,
    }
}

fn input(file: &str, text: &str) -> Input {
    Input {
        file: file.to_owned(),
        text: text.to_owned(),
    }
}

/// Converts, and validates every configuration in the result with the driver's own parser.
fn converted_with(texts: &[&str], options: &Options) -> Converted {
    let inputs: Vec<Input> = texts
        .iter()
        .enumerate()
        .map(|(i, text)| input(&format!("{i}.yaml"), text))
        .collect();
    let converted = convert(&inputs, options).unwrap();
    check(&converted.documents);
    converted
}

fn converted(texts: &[&str]) -> Converted {
    converted_with(texts, &options())
}

fn of_kind<'a>(documents: &'a [Value], kind: &str) -> Vec<&'a Value> {
    documents
        .iter()
        .filter(|document| document["kind"] == kind)
        .collect()
}

/// Every request of every template has a class, and the driver accepts their merged configuration.
fn check(documents: &[Value]) {
    let classes = of_kind(documents, "DeviceClass");
    let mut names: Vec<&str> = classes
        .iter()
        .filter_map(|class| class["metadata"]["name"].as_str())
        .collect();
    names.dedup();
    assert_eq!(names.len(), classes.len(), "names are unique");
    for class in &classes {
        api::merge(
            "request",
            None,
            &entries(&class["spec"], ConfigSource::Class),
            DRIVER,
        )
        .unwrap();
    }
    for template in of_kind(documents, "ResourceClaimTemplate") {
        let devices = &template["spec"]["spec"]["devices"];
        for request in devices["requests"].as_array().unwrap() {
            let wanted = request["exactly"]["deviceClassName"].as_str().unwrap();
            let class = classes
                .iter()
                .find(|class| class["metadata"]["name"] == wanted);
            let class = class.unwrap_or_else(|| panic!("no class {wanted} for {template}"));
            let mut configs = entries(&class["spec"], ConfigSource::Class);
            configs.extend(entries(devices, ConfigSource::Claim));
            api::merge(
                request["name"].as_str().unwrap(),
                Some(wanted),
                &configs,
                DRIVER,
            )
            .unwrap();
        }
    }
}

fn entries(of: &Value, source: ConfigSource) -> Vec<OpaqueConfig> {
    let entry = |config: &Value| OpaqueConfig {
        source,
        requests: config["requests"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(Into::into)
            .collect(),
        parameters: config["opaque"]["parameters"].clone(),
    };
    of["config"]
        .as_array()
        .into_iter()
        .flatten()
        .map(entry)
        .collect()
}

/// The report, one line per row.
fn report_lines(converted: &Converted) -> String {
    let line = |row: &Row| {
        let remedy = if row.remedy.is_empty() {
            String::new()
        } else {
            format!(" -> {}", row.remedy)
        };
        format!(
            "{} {} = {}: {}{remedy}",
            row.verdict.as_str(),
            row.field,
            row.value,
            row.what
        )
    };
    converted
        .report
        .rows
        .iter()
        .map(line)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn an_unreadable_input_is_an_error_with_its_place() {
    let error = |text: &str| {
        convert(&[input("x.yaml", text)], &options())
            .unwrap_err()
            .to_string()
    };
    insta::assert_snapshot!(
        [error(""), error("a: [1"), error(r#"{"resourceList": [{"resourceName": "a b"}]}"#)].join("\n"), @r#"
    x.yaml: file is empty
    x.yaml: neither YAML nor JSON: line 1 column 4: unclosed bracket '['
    x.yaml: config.json: resourceList[0].selectors: is missing or null, which the device plugin crashes on, must be an object like {"vendors": ["8086"]} or a list of them; {} selects every device
    "#
    );
}

#[test]
fn objects_of_other_kinds_are_reported() {
    let converted = converted(&["{kind: Service, metadata: {name: web}}\n---\njust: text\n"]);
    assert_eq!(converted.documents, Vec::<Value>::new());
    insta::assert_snapshot!(report_lines(&converted), @r#"
    unsupported  = : Service objects are not converted
    unsupported  = : has no kind and no resourceList
    "#);
}

#[test]
fn the_driver_name_is_configurable() {
    let options = Options {
        driver: "net.example.com".to_owned(),
        ..options()
    };
    let nad = networks::nad("blue", r#"{"type": "sriov", "vlan": 100}"#);
    let inputs = [input("a", &nad), input("b", pools::README)];
    let text = yaml(&convert(&inputs, &options).unwrap().documents);
    assert!(
        text.contains("net.example.com/v1alpha1") && !text.contains(DRIVER),
        "{text}"
    );
}
