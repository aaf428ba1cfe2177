//! `cni exec`: the agent's child, which becomes a plugin of the host.
//!
//! The agent's image has no libraries and no directories of the host, and plugins keep leases below
//! `/var/lib/cni` and read `/etc/cni`: they get the host's root directory. A thread of the agent
//! cannot change its root alone, hence a process of its own.

use std::{
    os::unix::{fs::chroot, process::CommandExt},
    process::Command,
};

use anyhow::Context;

use crate::args::CniExecArgs;

/// Does not return unless it does not succeed.
pub(super) fn exec(args: &CniExecArgs) -> anyhow::Result<()> {
    let CniExecArgs { root, plugin } = args;
    chroot(root).with_context(|| format!("chroot {}", root.display()))?;
    std::env::set_current_dir("/").context("chdir /")?;
    let error = Command::new(plugin).exec();
    Err(error).with_context(|| format!("execute {}", plugin.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_is_not_executed_below_a_root_that_is_not_there() {
        let args = CniExecArgs {
            root: "/nonexistent".into(),
            plugin: "/opt/cni/bin/host-local".into(),
        };
        let error = exec(&args).unwrap_err();
        assert!(
            error.to_string().starts_with("chroot /nonexistent"),
            "{error:#}"
        );
    }
}
