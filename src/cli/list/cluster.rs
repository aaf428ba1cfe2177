//! The devices of all nodes, from slices, claims and taint rules.

use serde_json::Value;

use super::structured;
use crate::{
    args::{ListArgs, Output},
    cli::{columns::columns, explain::files},
    cluster::Kube,
    explain::{DeviceView, Snapshot, devices},
};

const PLAIN: [&str; 9] = [
    "NODE", "DEVICE", "TYPE", "PF", "DRIVER", "POOL", "TAINTS", "CLAIM", "PODS",
];
const WIDE: [&str; 4] = ["IDS", "NUMA", "PCIE ROOT", "SPEED"];

/// The output, from the cluster or from files.
pub(super) fn output(args: &ListArgs) -> anyhow::Result<String> {
    let objects = if args.file.is_empty() {
        from_cluster(&args.driver_name)?
    } else {
        files::objects(&args.file)?
    };
    render(args, objects)
}

pub(super) fn render(args: &ListArgs, objects: Vec<Value>) -> anyhow::Result<String> {
    let mut all = devices(&Snapshot::read(objects)?, &args.driver_name);
    if let Some(node) = &args.node {
        all.retain(|device| device.node.as_ref().is_none_or(|of| of == node));
    }
    match args.output {
        Output::Json | Output::Yaml => structured(&all, args.output),
        output => Ok(table(&all, output == Output::Wide, &args.driver_name)),
    }
}

fn from_cluster(driver: &str) -> anyhow::Result<Vec<Value>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(async { Kube::connect(driver, "").await?.device_objects().await })?)
}

fn table(devices: &[DeviceView], wide: bool, driver: &str) -> String {
    if devices.is_empty() {
        return format!("no devices of {driver} found in slices or claims\n");
    }
    let header: Vec<&str> = PLAIN
        .iter()
        .chain(if wide { &WIDE[..] } else { &[] })
        .copied()
        .collect();
    columns(&header, devices.iter().map(|device| row(device, wide)))
}

fn row(view: &DeviceView, wide: bool) -> Vec<String> {
    let indent = if view.is_part() { "  " } else { "" };
    let mut cells = vec![
        dash(view.node.as_deref().unwrap_or_default()),
        format!("{indent}{}", view.device),
        kind(view),
        dash(view.text("pfName")),
        dash(view.text("driver")),
        dash(view.text("pool")),
        dash(&view.taints.join(", ")),
        dash(view.claim.as_deref().unwrap_or_default()),
        dash(&view.pods.join(", ")),
    ];
    if wide {
        let number = |name: &str| {
            view.number(name)
                .map(|number| number.to_string())
                .unwrap_or_default()
        };
        let speed = view.number("linkSpeed").filter(|speed| *speed > 0);
        cells.extend([
            dash(&[view.text("vendor"), view.text("deviceID")].join(":")),
            dash(&number("resource.kubernetes.io/numaNode")),
            dash(view.text("resource.kubernetes.io/pcieRoot")),
            dash(
                &speed
                    .map(|speed| format!("{speed} Mb/s"))
                    .unwrap_or_default(),
            ),
        ]);
    }
    cells
}

fn kind(view: &DeviceView) -> String {
    match (view.published, view.number("index")) {
        (false, _) => "in no slice".to_owned(),
        (true, Some(index)) if index >= 0 => format!("{} {index}", view.text("type")),
        (true, _) => dash(view.text("type")),
    }
}

fn dash(text: &str) -> String {
    if text.is_empty() || text == ":" {
        "-".to_owned()
    } else {
        text.to_owned()
    }
}
