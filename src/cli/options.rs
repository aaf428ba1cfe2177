//! Flags and their environment variables.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{cluster::ConfigMapName, inventory::Pattern, paths::Paths};

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
    /// Tell the life of a claim on a recorded host: no root, no cluster, nothing of this machine touched.
    Demo,
    /// Turn config.json, NetworkAttachmentDefinitions and pods into classes, claim templates and pods with claims, and
    /// report every field on standard error. Asks no cluster.
    Convert(ConvertArgs),
    /// Look at what this node lacks for the driver, and say how to mend it. Exit code 1 when something is broken.
    Doctor(DoctorArgs),
    /// Ask the agent of this node whether it lives (exit code 0) or, with --ready, whether it serves.
    Check(CheckArgs),
    /// Fail while pods of the cluster hold devices of this driver, and list them: the chart's pre-delete hook.
    UninstallCheck(UninstallCheckArgs),
}

/// Flags of `node`.
#[derive(Debug, Clone, Args)]
pub struct NodeArgs {
    /// The Kubernetes node that this is.
    #[arg(long, env = "SRIOV_DRA_NODE_NAME")]
    pub node_name: String,
    /// Name of the driver: API group, attribute domain and CDI vendor as well.
    #[arg(long, env = "SRIOV_DRA_DRIVER_NAME", default_value = "sriov-dra.io")]
    pub driver_name: String,
    /// UID of the agent's own pod: two agents serve side by side during a rolling update.
    #[arg(long, env = "SRIOV_DRA_POD_UID", default_value = "")]
    pub pod_uid: String,
    /// Functions that are published and prepared, no others: PCI addresses, names of PFs, numbers as in 8086:154c or
    /// 15b3:*. A PF stands for its VFs and SFs too. Default: all.
    #[arg(long, env = "SRIOV_DRA_INCLUDE", value_delimiter = ',')]
    pub include: Vec<Pattern>,
    /// Functions that are never published nor prepared, in the same form; over --include.
    #[arg(long, env = "SRIOV_DRA_EXCLUDE", value_delimiter = ',')]
    pub exclude: Vec<Pattern>,
    /// The SR-IOV device plugin's config.json: pools of devices. Or a directory with a file per node name, else
    /// `config.json`. Read again when it changes.
    #[arg(long, env = "SRIOV_DRA_CONFIG_FILE")]
    pub config_file: Option<PathBuf>,
    /// What is before the `/` in the names of pools that say nothing of it.
    #[arg(long, env = "SRIOV_DRA_RESOURCE_PREFIX", default_value = "intel.com")]
    pub resource_prefix: String,
    /// The namespace whose SriovResourcePolicies and DeviceAttributes apply, those of the Go DRA driver; none if absent.
    #[arg(long, env = "SRIOV_DRA_POLICY_NAMESPACE")]
    pub policy_namespace: Option<String>,
    /// Drivers that a claim may bind besides the one that a function has.
    #[arg(
        long,
        env = "SRIOV_DRA_ALLOW_DRIVERS",
        value_delimiter = ',',
        default_value = "vfio-pci"
    )]
    pub allow_drivers: Vec<String>,
    /// Places on the host.
    #[command(flatten)]
    pub places: PlaceArgs,
    /// Which log lines: a level, or targets as in `info,sriov_dra::claim=debug`.
    #[arg(long, env = "SRIOV_DRA_LOG", default_value = "info")]
    pub log: String,
    /// Form of the log lines.
    #[arg(long, env = "SRIOV_DRA_LOG_FORMAT", value_enum, default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,
}

/// Places on the host, for those who moved them.
#[derive(Debug, Clone, Args)]
pub struct PlaceArgs {
    /// The kubelet's root directory.
    #[arg(
        long,
        env = "SRIOV_DRA_KUBELET_ROOT",
        default_value = "/var/lib/kubelet"
    )]
    pub kubelet_root: PathBuf,
    /// Where the runtime reads CDI specs.
    #[arg(long, env = "SRIOV_DRA_CDI_ROOT", default_value = "/var/run/cdi")]
    pub cdi_root: PathBuf,
    /// Records of claims; a tmpfs, so that it dies with the boot.
    #[arg(long, env = "SRIOV_DRA_STATE_DIR", default_value = "/run/sriov-dra")]
    pub state_dir: PathBuf,
    /// The runtime's NRI socket.
    #[arg(
        long,
        env = "SRIOV_DRA_NRI_SOCKET",
        default_value = "/var/run/nri/nri.sock"
    )]
    pub nri_socket: PathBuf,
}

impl PlaceArgs {
    /// As the paths that everything else uses.
    #[must_use]
    pub fn paths(&self) -> Paths {
        Paths {
            kubelet: self.kubelet_root.clone(),
            cdi: self.cdi_root.clone(),
            run: self.state_dir.clone(),
            nri: self.nri_socket.clone(),
            ..Paths::default()
        }
    }
}

/// Flags of `controller`.
#[derive(Debug, Clone, Args)]
pub struct ControllerArgs {
    /// ConfigMaps of config.json, as NAMESPACE/NAME; every key is read.
    #[arg(long, env = "SRIOV_DRA_CONFIG_MAPS", value_delimiter = ',')]
    pub config_map: Vec<ConfigMapName>,
    /// ConfigMaps of any namespace by this label selector instead.
    #[arg(long, env = "SRIOV_DRA_CONFIG_LABEL", conflicts_with = "config_map")]
    pub config_label: Option<String>,
    /// The namespace whose SriovResourcePolicies and DeviceAttributes name pools too; none if absent.
    #[arg(long, env = "SRIOV_DRA_POLICY_NAMESPACE", required_unless_present_any = ["config_label", "config_map"])]
    pub policy_namespace: Option<String>,
    /// What is before the `/` in the names of pools that say nothing of it.
    #[arg(long, env = "SRIOV_DRA_RESOURCE_PREFIX", default_value = "intel.com")]
    pub resource_prefix: String,
    /// Name of the driver.
    #[arg(long, env = "SRIOV_DRA_DRIVER_NAME", default_value = "sriov-dra.io")]
    pub driver_name: String,
    /// Which log lines: a level, or targets as in `info,sriov_dra::controller=debug`.
    #[arg(long, env = "SRIOV_DRA_LOG", default_value = "info")]
    pub log: String,
    /// Form of the log lines.
    #[arg(long, env = "SRIOV_DRA_LOG_FORMAT", value_enum, default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,
}

/// Form of log lines.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// Flags of `list`.
#[derive(Debug, Clone, Args)]
pub struct ListArgs {
    /// All nodes' devices, from the cluster's slices and claims, instead of this host's functions. Needs no more than a
    /// kubeconfig.
    #[arg(long, group = "of_cluster")]
    pub cluster: bool,
    /// Manifests to take instead of the cluster: slices and claims, as YAML or JSON; - is standard input.
    #[arg(short, long, group = "of_cluster")]
    pub file: Vec<PathBuf>,
    /// Of the cluster, this node only.
    #[arg(long, requires = "of_cluster")]
    pub node: Option<String>,
    /// Name of the driver.
    #[arg(long, env = "SRIOV_DRA_DRIVER_NAME", default_value = "sriov-dra.io")]
    pub driver_name: String,
    /// The Kubernetes node that this host is; its host name if absent.
    #[arg(long, env = "SRIOV_DRA_NODE_NAME")]
    pub node_name: Option<String>,
    /// The pools' config.json, or a directory of them, as given to `node`: for a host that cannot ask the cluster.
    #[arg(long, env = "SRIOV_DRA_CONFIG_FILE")]
    pub config_file: Option<PathBuf>,
    /// What is before the `/` in the names of pools that say nothing of it.
    #[arg(long, env = "SRIOV_DRA_RESOURCE_PREFIX", default_value = "intel.com")]
    pub resource_prefix: String,
    /// Records of claims.
    #[arg(long, env = "SRIOV_DRA_STATE_DIR", default_value = "/run/sriov-dra")]
    pub state_dir: PathBuf,
    /// Form of the output.
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

/// Forms of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Table,
    /// For people with wide terminals: numbers, NUMA node, PCIe root, and the IOMMU group or the link's speed.
    Wide,
    /// Stable, for programs.
    Json,
    /// The same as YAML.
    Yaml,
}

/// Flags of `explain`.
#[derive(Debug, Clone, Args)]
pub struct ExplainArgs {
    /// A ResourceClaim, ResourceClaimTemplate or DeviceClass: NAME, NAMESPACE/NAME, or with its kind as in class/NAME.
    #[arg(value_name = "CLAIM|CLASS")]
    pub subject: String,
    /// The namespace of a name that does not say its own.
    #[arg(short, long, default_value = "default")]
    pub namespace: String,
    /// Manifests to take instead of the cluster: claims, classes, slices, as YAML or JSON; - is standard input.
    #[arg(short, long)]
    pub file: Vec<PathBuf>,
    /// One line for each device, not for each reason.
    #[arg(long)]
    pub all: bool,
    /// Name of the driver.
    #[arg(long, env = "SRIOV_DRA_DRIVER_NAME", default_value = "sriov-dra.io")]
    pub driver_name: String,
    /// Form of the output.
    #[arg(short, long, value_enum, default_value_t = Report::Table)]
    pub output: Report,
}

/// Forms of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Report {
    /// For people.
    Table,
    /// Stable, for programs.
    Json,
}

/// Flags of `record`.
#[derive(Debug, Clone, Args)]
pub struct RecordArgs {
    /// The file to write; standard output if absent.
    #[arg(short, long)]
    pub out: Option<PathBuf>,
}

/// Flags of `convert`.
#[derive(Debug, Clone, Args)]
pub struct ConvertArgs {
    /// config.json, or YAML or JSON of ConfigMaps, NetworkAttachmentDefinitions, Pods, Deployments and so on; `-` is
    /// standard input. All together: the networks of a pod may be in another file.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Form of the objects, on standard output.
    #[arg(short, long, value_enum, default_value_t = Documents::Yaml)]
    pub output: Documents,
    /// Form of the report, on standard error.
    #[arg(long, value_enum, default_value_t = ReportForm::Table)]
    pub report: ReportForm,
    /// Give pods claims even where they could stay as they are.
    #[arg(long)]
    pub claims: bool,
    /// Exit code 1 if anything cannot be converted.
    #[arg(long)]
    pub strict: bool,
    /// Name of the driver.
    #[arg(long, env = "SRIOV_DRA_DRIVER_NAME", default_value = "sriov-dra.io")]
    pub driver_name: String,
    /// What is before the `/` in the names of pools that say nothing of it.
    #[arg(long, env = "SRIOV_DRA_RESOURCE_PREFIX", default_value = "intel.com")]
    pub resource_prefix: String,
}

/// Forms of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Documents {
    /// For `kubectl apply -f`, and for people.
    Yaml,
    /// One List.
    Json,
}

/// Forms of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportForm {
    /// For people.
    Table,
    /// Stable, for programs.
    Json,
}

/// Flags of `doctor`.
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    /// Where the node's `/` is: `/host` in a pod of `kubectl debug node/NAME`.
    #[arg(long, default_value = "/")]
    pub root: PathBuf,
    /// Form of the output.
    #[arg(short, long, value_enum, default_value_t = DoctorOutput::Table)]
    pub output: DoctorOutput,
    /// Places on the host.
    #[command(flatten)]
    pub places: PlaceArgs,
}

/// Forms of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DoctorOutput {
    /// For people.
    Table,
    /// Stable, for programs.
    Json,
}

/// Flags of `check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// Where the agent keeps its socket.
    #[arg(long, env = "SRIOV_DRA_STATE_DIR", default_value = "/run/sriov-dra")]
    pub state_dir: PathBuf,
    /// The agent's pod UID, as given to `node`.
    #[arg(long, env = "SRIOV_DRA_POD_UID", default_value = "")]
    pub pod_uid: String,
    /// Whether it serves, not only lives.
    #[arg(long)]
    pub ready: bool,
    /// Print its metrics instead.
    #[arg(long, conflicts_with = "ready")]
    pub metrics: bool,
}

/// Flags of `uninstall-check`.
#[derive(Debug, Clone, Args)]
pub struct UninstallCheckArgs {
    /// Name of the driver.
    #[arg(long, env = "SRIOV_DRA_DRIVER_NAME", default_value = "sriov-dra.io")]
    pub driver_name: String,
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
