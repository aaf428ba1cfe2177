//! `convert`: prints objects on standard output and the report on standard error.

pub(super) mod files;
mod table;

use std::io::{self, Write};

use serde_json::{Value, json};

use super::document::Document;
use crate::{
    args::{ConvertArgs, Documents, ReportFormat},
    convert::{self, Report, Verdict},
};

/// Exit code 1: something is unsupported.
pub(super) fn run(args: &ConvertArgs) -> anyhow::Result<u8> {
    let converted = convert::convert(&files::inputs(&args.files), &options(args));
    super::print(&documents(&converted.documents, args.output)?)?;
    let report = match args.report {
        ReportFormat::Table => table::table(&converted.report),
        ReportFormat::Json => json(&converted.report)?,
    };
    super::unless_closed(
        io::stderr()
            .write_all(report.as_bytes())
            .map_err(Into::into),
    )?;
    Ok(code(&converted.report))
}

/// The exit code.
fn code(report: &Report) -> u8 {
    u8::from(report.count(Verdict::Unsupported) > 0)
}

fn options(args: &ConvertArgs) -> convert::Options {
    convert::Options {
        driver: args.driver_name.clone(),
        resource_prefix: args.resource_prefix.clone(),
        namespace: args.namespace.clone(),
        native: args.native || args.claims,
        claims: args.claims,
        force: args.force,
        multus_dra: args.multus_dra,
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::{Input, Outcome, Row, Subject, Summary};

    const FILES: [(&str, &str); 3] = [
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

    fn example(native: bool) -> convert::Converted {
        let inputs = FILES.map(|(file, text)| Input {
            file: file.to_owned(),
            text: Ok(text.to_owned()),
            found: false,
        });
        let options = convert::Options {
            driver: "sriov-dra.io".to_owned(),
            native,
            ..convert::Options::default()
        };
        convert::convert(&inputs, &options)
    }

    /// The examples in the documentation are the actual output.
    #[test]
    fn the_documented_examples_are_the_output() {
        let doc = include_str!("../../docs/migration.md");
        let (as_it_is, native) = (example(false), example(true));
        let texts = [
            table::table(&as_it_is.report),
            convert::yaml(&as_it_is.documents),
            table::table(&native.report),
            convert::yaml(&native.documents),
        ];
        let missing: Vec<&str> = texts
            .iter()
            .map(String::as_str)
            .filter(|text| !doc.contains(&format!("\n{text}```\n")))
            .collect();
        let missing = missing.join("\n====\n");
        assert!(
            missing.is_empty(),
            "docs/migration.md does not have:\n{missing}"
        );
    }

    fn report() -> Report {
        let subject = |object: &str| Subject {
            file: "nad.yaml".to_owned(),
            object: object.to_owned(),
        };
        let row = |object: &str, verdict, remedy: &str| Row {
            subject: subject(object),
            field: "config.vlan".to_owned(),
            value: "100".to_owned(),
            verdict,
            what: "vlan".to_owned(),
            remedy: remedy.to_owned(),
            others: Vec::new(),
        };
        let mut common = row("a", Verdict::Warning, "");
        common.others = ["b", "c", "d", "e", "f"].map(subject).to_vec();
        let object = |name: &str, outcome| Summary {
            subject: subject(name),
            outcome,
            what: "sriov".to_owned(),
        };
        Report {
            objects: vec![
                object("a", Outcome::Unsupported),
                object("b", Outcome::Unchanged),
            ],
            rows: vec![
                row("a", Verdict::Ok, ""),
                row("a", Verdict::Unsupported, "do something"),
                common,
            ],
            unrelated: [("Service".to_owned(), 600), ("Role".to_owned(), 6)].into(),
        }
    }

    #[test]
    fn the_table_has_a_line_per_object_and_per_reason() {
        insta::assert_snapshot!(table::table(&report()), @r#"
        unsupported  nad.yaml: a  sriov
          unsupported  config.vlan: 100  vlan -> do something
        unchanged    nad.yaml: b  sriov
        6 objects: a, b, c, d and 2 more
          warning  config.vlan: 100  vlan
        without SR-IOV: 6 Role, 600 Service
        objects: 1 unchanged, 0 changed, 1 unsupported
        "#);
    }

    #[test]
    fn what_is_unsupported_is_in_the_exit_code() {
        assert_eq!((code(&report()), code(&Report::default())), (1, 0));
    }

    #[test]
    fn the_report_for_programs_is_as_its_schema_says() {
        super::super::document::schema::check("conversion-report", &json(&report()).unwrap());
    }
}
