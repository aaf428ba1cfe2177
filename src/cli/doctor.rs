//! `doctor`: checks the node's requirements and prints how to fix what is missing.

use serde::Serialize;

use super::{columns::columns, document::Document};
use crate::{
    args::{DoctorArgs, DoctorOutput},
    doctor::{self, Finding, HostPaths, Verdict},
};

pub(super) fn run(args: &DoctorArgs) -> anyhow::Result<u8> {
    let paths = HostPaths {
        root: args.root.clone(),
        kubelet: args.paths.kubelet_root.clone(),
        cdi: args.paths.cdi_root.clone(),
        state: args.paths.state_dir.clone(),
        nri: args.paths.nri_socket.clone(),
    };
    let findings = doctor::run_checks(&doctor::gather(&paths));
    super::print(&match args.output {
        DoctorOutput::Table => table(&findings),
        DoctorOutput::Json => json(&findings)?,
    })?;
    Ok(u8::from(
        findings
            .iter()
            .any(|finding| finding.verdict == Verdict::Error),
    ))
}

/// `-o json`.
#[derive(Serialize)]
struct Findings<'a> {
    findings: &'a [Finding],
}

fn json(findings: &[Finding]) -> anyhow::Result<String> {
    Ok(Document::new("NodeFindings", Findings { findings }).json()?)
}

/// A remedy is on a line of its own, so that it can be copied.
fn table(findings: &[Finding]) -> String {
    let row = |finding: &Finding| {
        [finding.check, finding.verdict.as_str(), &*finding.found]
            .map(str::to_owned)
            .to_vec()
    };
    let lines = columns(&["CHECK", "STATUS", "DETAILS"], findings.iter().map(row));
    let mut lines = lines.lines();
    let mut text = format!("{}\n", lines.next().unwrap_or_default());
    for (line, finding) in lines.zip(findings) {
        text += &format!("{line}\n");
        if !finding.remedy.is_empty() {
            text += &format!("    fix: {}\n", finding.remedy);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remedy_is_below_its_finding() {
        let finding = |check, verdict, remedy: &str| Finding {
            check,
            verdict,
            found: "found".to_owned(),
            remedy: remedy.to_owned(),
        };
        let findings = [
            finding("NRI", Verdict::Error, "do this"),
            finding("state", Verdict::Ok, ""),
        ];
        insta::assert_snapshot!(table(&findings), @r#"
        CHECK  STATUS  DETAILS
        NRI    error   found
            fix: do this
        state  ok      found
        "#);
    }

    #[test]
    fn the_schema_describes_the_json() {
        let verdicts = [
            Verdict::Ok,
            Verdict::Unknown,
            Verdict::Warning,
            Verdict::Error,
        ];
        let findings = verdicts.map(|verdict| Finding {
            check: "NRI",
            verdict,
            found: "found".to_owned(),
            remedy: String::new(),
        });
        super::super::document::schema::check("node-findings", &json(&findings).unwrap());
    }
}
