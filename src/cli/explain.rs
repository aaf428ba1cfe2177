//! `explain`: why a claim is not allocated, from the cluster or from files.

pub(super) mod files;
#[cfg(test)]
mod tests;
mod text;

use serde::Serialize;
use serde_json::Value;

use crate::{
    args::{ExplainArgs, Report as Format},
    cluster::Kube,
    explain::{Query, Report, Snapshot, explain_all},
};

/// Where manifests name no namespace, and for them.
const NAMESPACE: &str = "default";

/// `-o json` of a pod.
#[derive(Serialize)]
struct OfPod<'a> {
    subject: Option<String>,
    claims: &'a [Report],
}

/// The exit code is 1 unless everything is, or can be, allocated.
pub(super) fn run(args: &ExplainArgs) -> anyhow::Result<u8> {
    let (query, objects) = if args.file.is_empty() {
        from_cluster(args)?
    } else {
        (query(args, NAMESPACE), files::objects(&args.file)?)
    };
    let (text, code) = output(args, &query, objects)?;
    super::print(&text)?;
    Ok(code)
}

fn query(args: &ExplainArgs, default: &str) -> Query {
    Query::read(&args.subject, args.namespace.as_deref().unwrap_or(default))
}

fn output(args: &ExplainArgs, query: &Query, objects: Vec<Value>) -> anyhow::Result<(String, u8)> {
    let reports = explain_all(&Snapshot::read(objects)?, query, &args.driver_name)?;
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
        (None, [report]) => serde_json::to_string_pretty(report)?,
        (pod, claims) => serde_json::to_string_pretty(&OfPod {
            subject: pod.map(|(namespace, name)| format!("pod {namespace}/{name}")),
            claims,
        })?,
    };
    Ok(text + "\n")
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
