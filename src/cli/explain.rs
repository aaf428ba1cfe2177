//! `explain`: why a claim is not allocated, from the cluster or from files.

pub(super) mod files;
#[cfg(test)]
mod tests;
mod text;

use serde_json::Value;

use crate::{
    args::{ExplainArgs, Report as Format},
    cluster::Kube,
    explain::{Query, Snapshot, explain},
};

pub(super) fn run(args: &ExplainArgs) -> anyhow::Result<()> {
    let objects = if args.file.is_empty() {
        from_cluster(&args.driver_name)?
    } else {
        files::objects(&args.file)?
    };
    super::print(&output(args, objects)?)
}

fn output(args: &ExplainArgs, objects: Vec<Value>) -> anyhow::Result<String> {
    let snapshot = Snapshot::read(objects)?;
    let report = explain(
        &snapshot,
        &Query::read(&args.subject, &args.namespace),
        &args.driver_name,
    )?;
    Ok(match args.output {
        Format::Json => serde_json::to_string_pretty(&report)? + "\n",
        Format::Table => text::text(&report, args.all),
    })
}

fn from_cluster(driver: &str) -> anyhow::Result<Vec<Value>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(async { Kube::connect(driver, "").await?.allocation_objects().await })?)
}
