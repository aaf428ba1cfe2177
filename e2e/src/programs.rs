//! Programs of others that a scenario brings into a guest: CNI plugins and what they need. `lab up`
//! has made them; nothing runs them unless a scenario does.

use std::{env, fs, path::PathBuf};

use anyhow::{Context, Result};

use crate::node::Node;

/// Where CNI plugins are on most nodes, and nothing is in a guest until a scenario puts it there.
pub(crate) const BIN_DIR: &str = "/opt/cni/bin";
/// Where containerd looks for the plugins of its own network in a guest: Debian's directory.
pub(crate) const RUNTIME_BIN_DIR: &str = "/usr/lib/cni";
/// What was brought in once stays here, where nobody looks for plugins.
const KEPT: &str = "/usr/local/lib/lab/programs";

/// A program: the part of the lab that it is from, and its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Program(&'static str, &'static str);

/// Multus, the thin plugin.
pub(crate) const MULTUS: Program = Program("multus", "multus");
/// Whereabouts' IPAM plugin.
pub(crate) const WHEREABOUTS: Program = Program("whereabouts", "whereabouts");
/// Whereabouts' control loop.
pub(crate) const CONTROL_LOOP: Program = Program("whereabouts", "ip-control-loop");

/// One of the reference plugins.
pub(crate) const fn plugin(name: &'static str) -> Program {
    Program("cniplugins", name)
}

impl Program {
    /// Puts it into a directory of the node.
    pub(crate) fn put(self, node: &Node, dir: &str) -> Result<()> {
        let file = self.file()?;
        let size = fs::metadata(&file)
            .with_context(|| file.display().to_string())?
            .len();
        let kept = format!("{KEPT}/{}", self.1);
        let there = node.answer(
            r#"[ "$(stat -c %s "$1")" = "$2" ]"#,
            &[&kept, &size.to_string()],
        )?;
        if there.code != 0 {
            let script = r#"mkdir -p "${1%/*}"; cat >"$1"; chmod 755 "$1""#;
            node.feed(script, &[&kept], &fs::read(&file)?)?;
        }
        let script = r#"mkdir -p "$2"; ln -f "$1" "$2/.new"; mv -f "$2/.new" "$2/${1##*/}""#;
        node.exec(script, &[&kept, dir]).map(drop)
    }

    fn file(self) -> Result<PathBuf> {
        let dir = env::var("LAB_DIR").context("LAB_DIR is not set")?;
        Ok([dir.as_str(), "cni", self.0, self.1].iter().collect())
    }
}
