//! `explain`: why a claim is not allocated, from the cluster or from files.

mod constraints;
pub(super) mod files;
#[cfg(test)]
mod tests;
mod text;

use anyhow::ensure;
use serde::Serialize;
use serde_json::Value;

use crate::{
    args::{ExplainArgs, Report as Format},
    cli::document::Document,
    cluster::Kube,
    errors::{print_error, with_sources},
    explain::{Query, Report, Snapshot, explain_all},
};

/// Where manifests name no namespace, and for them.
const NAMESPACE: &str = "default";

/// The exit code where there is no answer: that of a wrong command line, as clap has it.
const NO_ANSWER: u8 = 2;

/// `-o json` of a pod.
#[derive(Serialize)]
struct OfPod<'a> {
    subject: Option<String>,
    claims: &'a [Report],
}

/// The exit code is 0 if everything is or can be allocated, 1 if not, and 2 if that could not be
/// found out: a script must not take a wrong name for an answer.
pub(super) fn run(args: &ExplainArgs) -> u8 {
    answer(args).unwrap_or_else(|error| {
        print_error(&format!("sriov-dra: {}", with_sources(error.as_ref())));
        NO_ANSWER
    })
}

fn answer(args: &ExplainArgs) -> anyhow::Result<u8> {
    let query = query(args, NAMESPACE);
    ensure!(
        query.is_name(),
        "{:?} is no name, must be NAME, NAMESPACE/NAME, or either after a kind, as in pod/upf-0",
        args.subject
    );
    let (query, objects) = if args.file.is_empty() {
        from_cluster(args)?
    } else {
        (query, files::objects(&args.file)?)
    };
    let (text, code) = output(args, &query, objects)?;
    super::print(&text)?;
    Ok(code)
}

fn query(args: &ExplainArgs, default: &str) -> Query {
    Query::read(&args.subject, args.namespace.as_deref().unwrap_or(default))
}

fn output(args: &ExplainArgs, query: &Query, objects: Vec<Value>) -> anyhow::Result<(String, u8)> {
    let snapshot = Snapshot::read_all(objects).with_prefix(&args.resource_prefix);
    let reports = explain_all(&snapshot, query, &args.driver_name)?;
    let text = match args.output {
        Format::Json => json(query, &reports)?,
        Format::Table => {
            let texts = reports.iter().map(|report| text::text(report, args.all));
            texts.collect::<Vec<_>>().join("\n")
        }
    };
    Ok((text, u8::from(!reports.iter().all(Report::is_ok))))
}

/// A report; for a pod, one for each claim.
fn json(query: &Query, reports: &[Report]) -> anyhow::Result<String> {
    let text = match (query.pod(), reports) {
        (None, [report]) => Document::new("Explanation", report).json()?,
        (pod, claims) => {
            let subject = pod.map(|(namespace, name)| format!("pod {namespace}/{name}"));
            Document::new("PodExplanation", OfPod { subject, claims }).json()?
        }
    };
    Ok(text)
}

fn from_cluster(args: &ExplainArgs) -> anyhow::Result<(Query, Vec<Value>)> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let kube = Kube::connect_by(&args.cluster.access(), &args.driver_name, "").await?;
        let query = query(args, kube.namespace());
        let mut objects = kube.allocation_objects().await?;
        if let Some((namespace, name)) = query.pod() {
            objects.extend(kube.pod_object(namespace, name).await?);
        }
        Ok((query, objects))
    })
}
