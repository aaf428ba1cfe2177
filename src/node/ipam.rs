//! The IPAM plugins of the node.

use std::path::Path;

use crate::{args::NodeArgs, cni::ipam::HostPlugins};

/// None: they are not to be run.
pub(super) fn plugins(args: &NodeArgs) -> Option<HostPlugins> {
    let root = args.host_root.clone();
    let exec = ["/proc/self/exe", "cni", "exec", "--root"].map(Into::into);
    let launcher = exec.into_iter().chain([root.clone().into()]);
    let is_own = root == Path::new("/");
    (!args.cni_path.is_empty()).then(|| HostPlugins {
        path: args.cni_path.clone(),
        launcher: launcher.filter(|_| !is_own).collect(),
        root,
    })
}
