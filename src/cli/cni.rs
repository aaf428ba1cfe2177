//! `cni`: the CNI plugin's file on the node.

mod exec;

use crate::{
    args::{CniArgs, CniCommand},
    cni_install::{install, uninstall},
};

pub(super) fn run(args: &CniArgs) -> anyhow::Result<()> {
    let text = match &args.command {
        CniCommand::Install(args) => install(args)?,
        CniCommand::Uninstall(args) => uninstall(args)?,
        CniCommand::Exec(args) => return exec::exec(args),
    };
    super::print(&text)
}
