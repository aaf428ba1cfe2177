//! `convert`: prints objects on standard output and the report on standard error.

use std::{
    io::{self, Read, Write},
    path::Path,
};

use anyhow::Context;
use serde_json::{Value, json};

use super::{columns::columns, document::Document};
use crate::{
    args::{ConvertArgs, Documents, ReportFormat},
    convert::{self, Input, Report, Row, Verdict},
};

pub(super) fn run(args: &ConvertArgs) -> anyhow::Result<u8> {
    let inputs = args
        .files
        .iter()
        .map(|file| input(file))
        .collect::<anyhow::Result<Vec<Input>>>()?;
    let options = convert::Options {
        driver: args.driver_name.clone(),
        resource_prefix: args.resource_prefix.clone(),
        claims: args.claims,
    };
    let converted = convert::convert(&inputs, &options)?;
    super::print(&documents(&converted.documents, args.output)?)?;
    let report = match args.report {
        ReportFormat::Table => table(&converted.report),
        ReportFormat::Json => json(&converted.report)?,
    };
    io::stderr().write_all(report.as_bytes())?;
    Ok(u8::from(
        args.strict && converted.report.count(Verdict::Unsupported) > 0,
    ))
}

fn input(file: &Path) -> anyhow::Result<Input> {
    let name = file.display().to_string();
    let mut text = String::new();
    match file == Path::new("-") {
        true => io::stdin().read_to_string(&mut text).map(drop),
        false => std::fs::read_to_string(file).map(|read| text = read),
    }
    .with_context(|| name.clone())?;
    Ok(Input { file: name, text })
}

fn documents(documents: &[Value], format: Documents) -> anyhow::Result<String> {
    Ok(match format {
        Documents::Yaml => convert::yaml(documents),
        Documents::Json => {
            let list = json!({"apiVersion": "v1", "kind": "List", "items": documents});
            serde_json::to_string_pretty(&list)? + "\n"
        }
    })
}

fn json(report: &Report) -> anyhow::Result<String> {
    Ok(Document::new("ConversionReport", report).json()?)
}

/// The rows by object, and the totals.
fn table(report: &Report) -> String {
    let mut text = String::new();
    for rows in report
        .rows
        .chunk_by(|a, b| (&a.file, &a.object) == (&b.file, &b.object))
    {
        text += &format!("{}: {}\n", rows[0].file, rows[0].object);
        let lines = columns(&[], rows.iter().map(cells));
        text.extend(lines.lines().map(|line| format!("  {line}\n")));
    }
    let count = |verdict: Verdict| format!("{} {}", report.count(verdict), verdict.as_str());
    let sum = [Verdict::Ok, Verdict::Warning, Verdict::Unsupported]
        .map(count)
        .join(", ");
    format!("{text}fields: {sum}\n")
}

fn cells(row: &Row) -> Vec<String> {
    let field = match (&*row.field, &*row.value) {
        ("", value) => value.to_owned(),
        (field, "") => field.to_owned(),
        (field, value) => format!("{field}: {value}"),
    };
    let what = if row.remedy.is_empty() {
        row.what.clone()
    } else {
        format!("{} -> {}", row.what, row.remedy)
    };
    vec![row.verdict.as_str().to_owned(), field, what]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example in the documentation is the actual output.
    #[test]
    fn the_documented_example_is_the_output() {
        let doc = include_str!("../../docs/migration.md");
        let files = [
            (
                "config.json",
                include_str!("../../deployments/examples/migration/config.json"),
            ),
            (
                "networks.yaml",
                include_str!("../../deployments/examples/migration/networks.yaml"),
            ),
            (
                "pods.yaml",
                include_str!("../../deployments/examples/migration/pods.yaml"),
            ),
        ];
        let inputs = files.map(|(file, text)| Input {
            file: file.to_owned(),
            text: text.to_owned(),
        });
        let options = convert::Options {
            driver: "sriov-dra.io".to_owned(),
            resource_prefix: "intel.com".to_owned(),
            claims: false,
        };
        let converted = convert::convert(&inputs, &options).unwrap();
        let texts = [
            table(&converted.report),
            convert::yaml(&converted.documents),
        ];
        let missing: Vec<&String> = texts
            .iter()
            .filter(|text| !doc.contains(&format!("\n{text}```\n")))
            .collect();
        assert!(
            missing.is_empty(),
            "docs/migration.md does not have:\n{}",
            missing
                .iter()
                .map(|text| text.as_str())
                .collect::<Vec<_>>()
                .join("\n====\n")
        );
    }

    #[test]
    fn the_report_is_grouped_by_object() {
        let row = |object: &str, verdict, remedy: &str| Row {
            file: "nad.yaml".to_owned(),
            object: object.to_owned(),
            field: "config.vlan".to_owned(),
            value: "100".to_owned(),
            verdict,
            what: "vlan".to_owned(),
            remedy: remedy.to_owned(),
        };
        let rows = vec![
            row("a", Verdict::Ok, ""),
            row("a", Verdict::Unsupported, "do something"),
            row("b", Verdict::Warning, ""),
        ];
        let report = Report { rows };
        super::super::document::schema::check("conversion-report", &json(&report).unwrap());
        insta::assert_snapshot!(table(&report), @r#"
        nad.yaml: a
          ok           config.vlan: 100  vlan
          unsupported  config.vlan: 100  vlan -> do something
        nad.yaml: b
          warning  config.vlan: 100  vlan
        fields: 1 ok, 1 warning, 1 unsupported
        "#);
    }
}
