//! Flags of `convert`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::names;

/// Flags of `convert`.
#[derive(Debug, Clone, Args)]
#[command(after_help = CODES)]
pub struct ConvertArgs {
    /// config.json, YAML or JSON of any objects, directories with such files (*.yaml, *.yml,
    /// *.json), or - for standard input. All files are looked at together: the networks of a pod
    /// can be in another file.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Format of the objects, on standard output.
    #[arg(short, long, value_enum, default_value_t = Documents::Yaml)]
    pub output: Documents,
    /// Format of the report, on standard error.
    #[arg(long, value_enum, default_value_t = ReportFormat::Table)]
    pub report: ReportFormat,
    /// Rewrite pods with SR-IOV networks to claims. Without it they stay as they are.
    #[arg(long)]
    pub native: bool,
    /// Rewrite pods with extended resources only as well; implies --native.
    #[arg(long)]
    pub claims: bool,
    /// Write what is unsupported all the same. The exit code is still 1.
    #[arg(long)]
    pub force: bool,
    /// Multus looks devices of DRA up in ResourceSlices, as those after v4.3.0 do: it gives them to
    /// plugins like host-device and ovs too.
    #[arg(long)]
    pub multus_dra: bool,
    /// Namespace of objects that do not set one.
    #[arg(short, long, value_parser = names::namespace)]
    pub namespace: Option<String>,
    /// Has no effect any more: the exit code is always 1 if anything is unsupported.
    #[arg(long, hide = true)]
    pub strict: bool,
    /// Name of the driver.
    #[arg(long, env = "SRIOV_DRA_DRIVER_NAME", default_value = "sriov-dra.io", value_parser = names::driver)]
    pub driver_name: String,
    /// Resource prefix of pools that do not set one [default: the flag of a device plugin's
    /// DaemonSet in the input; openshift.io for the SR-IOV operator's objects; else intel.com].
    #[arg(long, env = "SRIOV_DRA_RESOURCE_PREFIX", value_parser = names::prefix)]
    pub resource_prefix: Option<String>,
}

const CODES: &str = "Exit codes:
  0  everything works as it is or was rewritten
  1  something is unsupported, or an input cannot be read
  2  wrong usage";

/// Formats of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Documents {
    /// YAML documents, for `kubectl apply -f`.
    Yaml,
    /// A List in JSON.
    Json,
}

/// Formats of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// Human-readable.
    Table,
    /// Machine-readable and stable.
    Json,
}
