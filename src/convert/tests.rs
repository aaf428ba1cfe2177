mod closed;
mod delegated;
mod native;
mod networks;
mod policies;
mod pools;
mod sources;

use serde_json::Value;

use super::*;
use crate::api::{self, ConfigSource, OpaqueConfig};

const DRIVER: &str = "sriov-dra.io";

fn options() -> Options {
    Options {
        driver: DRIVER.to_owned(),
        ..Options::default()
    }
}

fn native() -> Options {
    Options {
        native: true,
        ..options()
    }
}

fn input(file: &str, text: &str) -> Input {
    Input {
        file: file.to_owned(),
        text: Ok(text.to_owned()),
        found: false,
    }
}

/// Converts, and validates every configuration in the result with the driver's own parser.
fn converted_with(texts: &[&str], options: &Options) -> Converted {
    let inputs: Vec<Input> = texts
        .iter()
        .enumerate()
        .map(|(i, text)| input(&format!("{i}.yaml"), text))
        .collect();
    let converted = convert(&inputs, options);
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

/// The names of all documents of a kind.
fn names(converted: &Converted, kind: &str) -> Vec<String> {
    let names = of_kind(&converted.documents, kind).into_iter();
    let name = |document: &Value| document["metadata"]["name"].as_str().map(str::to_owned);
    names.filter_map(name).collect()
}

/// What becomes of each object: `unchanged Pod shop/one`.
fn outcomes(converted: &Converted) -> String {
    let line = |it: &Summary| format!("{} {}", it.outcome.as_str(), it.subject.object);
    let lines: Vec<String> = converted.report.objects.iter().map(line).collect();
    lines.join("\n")
}

/// The rows of an object with that verdict: `config.ipam.type = dhcp: why -> what to do`.
fn rows(converted: &Converted, object: &str, verdict: Verdict) -> Vec<String> {
    let rows = converted.report.rows.iter();
    let of_object = |row: &&Row| {
        let mut subjects = std::iter::once(&row.subject).chain(&row.others);
        row.verdict == verdict && subjects.any(|it| it.object == object)
    };
    let line = |row: &Row| {
        format!(
            "{} = {}: {} -> {}",
            row.field, row.value, row.what, row.remedy
        )
    };
    rows.filter(of_object).map(line).collect()
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
fn the_driver_name_is_configurable() {
    let options = Options {
        driver: "net.example.com".to_owned(),
        ..native()
    };
    let nad = networks::nad("blue", r#"{"type": "sriov", "vlan": 100}"#);
    let inputs = [input("a", &nad), input("b", pools::README)];
    let text = yaml(&convert(&inputs, &options).documents);
    assert!(
        text.contains("net.example.com/v1alpha1") && !text.contains(DRIVER),
        "{text}"
    );
}
