//! Flags and their environment variables: what `main` parses and the processes take.

mod check;
mod controller;
mod convert;
mod doctor;
mod explain;
mod list;
mod logs;
mod node;
mod places;
mod record;

pub use check::{CheckArgs, UninstallCheckArgs};
pub use controller::ControllerArgs;
pub use convert::{ConvertArgs, Documents, ReportForm};
pub use doctor::{DoctorArgs, DoctorOutput};
pub use explain::{ExplainArgs, Report};
pub use list::{ListArgs, Output};
pub use logs::LogFormat;
pub use node::NodeArgs;
pub use places::PlaceArgs;
pub use record::RecordArgs;

use clap::{Parser, Subcommand};

/// SR-IOV networking for Kubernetes on Dynamic Resource Allocation.
#[derive(Debug, Parser)]
#[command(name = "sriov-dra", version, propagate_version = true)]
pub struct SriovDra {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the agent of a node: publish its functions, prepare claims, attach netdevs to pods.
    Node(Box<NodeArgs>),
    /// Run the controller of a cluster: one DeviceClass per pool of the ConfigMaps and policies.
    Controller(Box<ControllerArgs>),
    /// Show functions, PFs with their VFs: pool, driver, link, and the claim and pod that have each. Of this host, or of the
    /// cluster.
    List(Box<ListArgs>),
    /// Say why a claim gets no device: for each, which selector, constraint, taint, counter or claim refuses it.
    Explain(ExplainArgs),
    /// Write this node's functions as one reviewable file, for bug reports and for the demo.
    Record(RecordArgs),
    /// Walk through a claim's life on a recorded host: no root, no cluster, nothing of this machine touched.
    Demo,
    /// Turn config.json, NetworkAttachmentDefinitions and pods into classes, claim templates and pods with claims, and
    /// report every field on standard error. Asks no cluster.
    Convert(ConvertArgs),
    /// Check what this node lacks for the driver, and how to fix it. Exit code 1 when something is broken.
    Doctor(DoctorArgs),
    /// Check that the agent of this node is alive (exit code 0) or, with --ready, that it serves.
    Check(CheckArgs),
    /// Fail while pods of the cluster hold devices of this driver, and list them: the chart's pre-delete hook.
    UninstallCheck(UninstallCheckArgs),
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
    fn a_wrong_address_is_refused_with_what_would_be_right() {
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
