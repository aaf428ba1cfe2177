//! Flags that choose a cluster, as `kubectl` has them.

use std::path::PathBuf;

use clap::Args;

use crate::cluster::Access;

/// Flags that choose a cluster.
#[derive(Debug, Clone, Default, Args)]
pub struct KubeconfigArgs {
    /// kubeconfig file to use instead of KUBECONFIG or ~/.kube/config.
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig to use instead of the current one.
    #[arg(long)]
    pub context: Option<String>,
}

impl KubeconfigArgs {
    /// The cluster that they choose.
    #[must_use]
    pub fn access(&self) -> Access {
        Access {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
        }
    }
}
