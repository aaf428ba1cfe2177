//! The lab that the scenarios run in, and what every scenario may use of it.

use std::{env, path::PathBuf, thread};

use anyhow::{Context, Result, anyhow};

use crate::{keep, log::Log, node::Node, release::Release, space::Space};

/// Two nodes and the release under test.
#[derive(Debug)]
pub(crate) struct Lab {
    /// node1 (containerd 1.7) and node2 (containerd 2).
    pub(crate) nodes: Vec<Node>,
    /// The driver's installation.
    pub(crate) release: Release,
    /// Keep what scenarios created.
    pub(crate) keep: bool,
    /// Where logs of failures go.
    pub(crate) out: PathBuf,
}

impl Lab {
    /// The lab whose settings are in the environment, as `lab run` puts them there.
    pub(crate) fn from_env(keep: bool, out: PathBuf) -> Result<Self> {
        let api = env::var("LAB_API")
            .context("LAB_API is not set: run it by `e2e/lab/lab run -- cargo run -p e2e`")?;
        let host = api
            .trim_start_matches("https://")
            .split(':')
            .next()
            .unwrap_or_default()
            .to_owned();
        let nodes = [1, 2].map(|number| Node::new(number, &host)).to_vec();
        Ok(Self {
            nodes,
            release: Release::from_env()?,
            keep,
            out,
        })
    }

    /// Runs a part of a scenario in a namespace of its own. When it fails, what explains it is kept
    /// before all is removed.
    pub(crate) fn space(
        &self,
        log: &Log,
        name: &str,
        work: impl FnOnce(&Space) -> Result<()>,
    ) -> Result<()> {
        let space = Space::make(name, log)?;
        let result = work(&space);
        if result.is_err() {
            keep::explanation(&self.out, &space.name);
        }
        if self.keep {
            return result;
        }
        let removed = space.remove();
        result.and(removed)
    }

    /// Nodes by number.
    pub(crate) fn numbered(&self, numbers: &[u8]) -> Vec<Node> {
        let chosen = |node: &&Node| numbers.contains(&node.number);
        self.nodes.iter().filter(chosen).cloned().collect()
    }

    /// Runs the same on these nodes at once, in a namespace each.
    pub(crate) fn on_nodes(
        &self,
        nodes: &[Node],
        log: &Log,
        name: &str,
        work: impl Fn(&Node, &Space) -> Result<()> + Sync,
    ) -> Result<()> {
        let work = &work;
        thread::scope(|scope| {
            let mut running = Vec::new();
            for node in nodes {
                let log = log.of(&format!("{name} {}", node.name));
                let space = format!("e2e-{name}-{}", node.name);
                running.push(scope.spawn(move || {
                    self.space(&log, &space, |space| work(node, space))
                        .context(node.name.clone())
                }));
            }
            together(
                running
                    .into_iter()
                    .map(|t| t.join().unwrap_or_else(|_| Err(anyhow!("panicked"))))
                    .collect(),
            )
        })
    }
}

/// One error of all.
pub(crate) fn together(results: Vec<Result<()>>) -> Result<()> {
    let errors: Vec<String> = results
        .into_iter()
        .filter_map(|r| r.err().map(|e| format!("{e:#}")))
        .collect();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(anyhow!(errors.join("; ")))
    }
}
