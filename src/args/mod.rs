//! Flags and their environment variables: what `main` parses and the processes take.

mod check;
mod cni;
mod controller;
mod convert;
mod doctor;
mod explain;
mod kubeconfig;
mod list;
mod logs;
mod names;
mod node;
mod paths;
mod record;

pub use check::{CheckArgs, UninstallCheckArgs};
pub use cni::{CniArgs, CniCommand, CniExecArgs, CniInstallArgs, CniPlace, CniUninstallArgs};
pub use controller::ControllerArgs;
pub use convert::{ConvertArgs, Documents, ReportFormat};
pub use doctor::{DoctorArgs, DoctorOutput};
pub use explain::{ExplainArgs, Report};
pub use kubeconfig::KubeconfigArgs;
pub use list::{ListArgs, Output};
pub use logs::LogFormat;
pub use node::NodeArgs;
pub use paths::PathArgs;
pub use record::RecordArgs;

use clap::{Parser, Subcommand};

/// SR-IOV networking for Kubernetes on Dynamic Resource Allocation.
#[derive(Debug, Parser)]
#[command(name = "sriov-dra", version, propagate_version = true)]
pub struct SriovDra {
    /// The subcommand.
    #[command(subcommand)]
    pub command: Command,
}

/// Subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the node agent: publish SR-IOV functions, prepare claims, attach netdevs to pods.
    Node(Box<NodeArgs>),
    /// Run the cluster's controller: one DeviceClass per pool of the ConfigMaps and policies.
    Controller(Box<ControllerArgs>),
    /// List the functions of this host or of the cluster: PFs with their VFs, pool, driver, link,
    /// and the claim and pod that hold each.
    List(Box<ListArgs>),
    /// Explain why a claim is not allocated: how many devices each selector, constraint, taint,
    /// counter or other claim rejects. The exit code is 0 if it is or can be allocated, 1 if not,
    /// and 2 after an error.
    Explain(ExplainArgs),
    /// Record the functions of this node to a file, for bug reports and for the demo.
    Record(RecordArgs),
    /// Walk through the life cycle of a claim on a recorded host, without root, a cluster, or
    /// changes to this machine.
    Demo,
    /// Convert config.json, NetworkAttachmentDefinitions and pods to DeviceClasses,
    /// ResourceClaimTemplates and pods with claims, with a report of every field on standard error.
    /// Needs no cluster.
    Convert(ConvertArgs),
    /// Check whether this node meets the requirements of the driver, and print how to fix what is
    /// missing. The exit code is 1 if a check fails with an error.
    Doctor(DoctorArgs),
    /// Check whether the agent of this node is alive or, with --ready, ready. The exit code is 0 if
    /// so.
    Check(CheckArgs),
    /// Fail while pods hold devices of this driver, and list them. Used by the chart's pre-delete
    /// hook.
    UninstallCheck(UninstallCheckArgs),
    /// Install the CNI plugin on this node, or remove it. Used by the chart's agents.
    Cni(CniArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        SriovDra::command().debug_assert();
    }

    #[test]
    fn an_invalid_address_is_rejected_with_the_expected_format() {
        let wrong = SriovDra::try_parse_from([
            "sriov-dra",
            "node",
            "--node-name",
            "a",
            "--exclude",
            "3b:00.1",
        ]);
        let text = wrong.unwrap_err().to_string();
        assert!(
            text.contains("must be a PCI address like 0000:3b:02.1, a PF's name like ens1f0"),
            "{text}"
        );
    }
}
