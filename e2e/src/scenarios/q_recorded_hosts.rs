//! **Hosts of every kind**, those of `e2e/fixtures` and one with 2,048 VFs on 16 PFs, are published
//! to the real API server as nodes without a machine.
//!
//! **Must hold**: the server accepts every slice and keeps every field of it; the real scheduler
//! allocates the last VF of the large host to a pod.

use std::{collections::BTreeMap, fs, time::Instant};

use anyhow::{Context, Result, ensure};
use sriov_dra::{
    cluster::{Cluster, Kube},
    host::{Recording, recording::large},
    inventory::Inventory,
    pool::Assignment,
    publish::{self, Desired, PublishInput, Published},
};

use super::{Run, Scenario};
use crate::{kube, lab::Lab, log::Log, node::Node, phantom, slices::DRIVER, space::Space};

pub(super) const SCENARIO: Scenario = Scenario {
    letter: 'q',
    title: "recorded hosts of every kind, and one with 2,048 VFs, at the real API server",
    run: Run::Lab(run),
};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");
const POD: &str = include_str!("../../manifests/phantom-pod.yaml");

fn run(lab: &Lab, _: &[Node], log: &Log) -> Result<()> {
    let hosts = recordings()?;
    ensure!(hosts.len() >= 9, "{} recordings in {FIXTURES}", hosts.len());
    for (name, host) in &hosts {
        phantom::node(&format!("recorded-{name}"), |node| {
            log.step(published(node, host)?);
            Ok(())
        })?;
    }
    phantom::node("recorded-large", |node| {
        log.step(published(node, &large::host(8))?);
        lab.space(log, "e2e-q", |space| allocated(node, space))
    })
}

/// The recorded hosts, by name. Other files are there for other tests.
fn recordings() -> Result<BTreeMap<String, Recording>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(FIXTURES)? {
        let path = entry?.path();
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.extension().is_some_and(|ending| ending == "json")
            && !["claim-configs", "selectors"].contains(&&*name)
        {
            let text = fs::read_to_string(&path)?;
            all.insert(
                name,
                serde_json::from_str(&text).with_context(|| path.display().to_string())?,
            );
        }
    }
    Ok(all)
}

/// Publishes a host as the agent would, and compares what the server has with what it was given.
fn published(node: &str, host: &Recording) -> Result<String> {
    let inventory = Inventory::of_recording(host)?;
    kube::wait(async {
        let cluster = Kube::connect(DRIVER, node).await?;
        let published = Published {
            devices: BTreeMap::new(),
            features: cluster.features().await?,
        };
        let desired = desired(&inventory, &published);
        ensure!(
            desired.warnings.is_empty(),
            "{node}: {:?}",
            desired.warnings
        );
        let begun = Instant::now();
        let writes = publish::writes(&[], &desired);
        for slice in &writes {
            cluster
                .create_slice(slice)
                .await
                .with_context(|| node.to_owned())?;
        }
        let kept = cluster.slices().await?;
        let differ = publish::writes(&kept, &desired);
        ensure!(
            differ.is_empty(),
            "{node}: the server keeps {} slices otherwise: {differ:?}",
            differ.len()
        );
        let (devices, time) = (inventory.offered().count(), begun.elapsed().as_secs_f32());
        Ok(format!(
            "{node}: {devices} devices in {} slices, written in {time:.1} s, every field is kept",
            kept.len()
        ))
    })?
}

fn desired(inventory: &Inventory, published: &Published) -> Desired {
    publish::slices(&PublishInput {
        driver: DRIVER,
        inventory,
        claimed: &BTreeMap::new(),
        taints: &BTreeMap::new(),
        pools: Some(&Assignment::default()),
        policy_attributes: Some(&BTreeMap::new()),
        published,
    })
}

fn allocated(node: &str, space: &Space) -> Result<()> {
    let selector = r#"device.attributes["sriov-dra.io"].index == 127"#;
    let begun = Instant::now();
    space.apply(
        POD,
        &[("pod", "one"), ("node", node), ("selector", selector)],
    )?;
    let device = space.pod("one").claim()?.devices()?;
    space.step(format!(
        "the scheduler allocates {device:?} in {:.1} s",
        begun.elapsed().as_secs_f32()
    ));
    phantom::end_pods(space)
}
