//! IPAM plugins for claims: the host's, called by the agent.

use std::{ffi::OsString, path::PathBuf};

use super::{
    delegate::Delegate,
    protocol::{CniError, Command},
    result::CniResult,
};
use crate::{
    claim::Ipam,
    deadline::Deadline,
    ledger::{Assigned, Lease},
};

/// Where the plugins are, and how they are executed.
#[derive(Debug, Clone)]
pub struct HostPlugins {
    /// `CNI_PATH`, as the host has it.
    pub path: Vec<PathBuf>,
    /// Where the agent sees the host's root directory.
    pub root: PathBuf,
    /// Executes a plugin with that root; empty if it is the agent's own.
    pub launcher: Vec<OsString>,
}

impl HostPlugins {
    fn plugin<'a>(&'a self, lease: &'a Lease, path: &[PathBuf]) -> Result<Delegate<'a>, String> {
        let (call, stdin) = (&lease.call, lease.call.stdin.as_bytes());
        let found = Delegate::find_below(&self.root, &call.plugin, path, stdin).map_err(text)?;
        let variables = [
            ("CNI_CONTAINERID", lease.claim.uid.as_str()),
            ("CNI_IFNAME", lease.if_name.as_str()),
            ("CNI_NETNS", &lease.netns_path),
            ("CNI_ARGS", &call.args),
            ("CNI_PATH", &call.path),
        ];
        let variables = variables.map(|(name, value)| (name, OsString::from(value)));
        let plugin = found.with_variables(variables.to_vec());
        Ok(plugin.launched_by(&self.launcher))
    }

    /// Its `CNI_PATH`, and this agent's: plugins may have moved since.
    fn recorded<'a>(&'a self, lease: &'a Lease) -> Result<Delegate<'a>, String> {
        let recorded = std::env::split_paths(&lease.call.path);
        let path: Vec<PathBuf> = recorded.chain(self.path.iter().cloned()).collect();
        self.plugin(lease, &path)
    }
}

impl Ipam for HostPlugins {
    fn path(&self) -> String {
        let path = std::env::join_paths(&self.path).unwrap_or_default();
        path.to_string_lossy().into_owned()
    }

    fn find(&self, lease: &Lease) -> Result<(), String> {
        self.plugin(lease, &self.path).map(drop)
    }

    fn add(&self, lease: &Lease, deadline: Deadline) -> Result<Assigned, String> {
        let plugin = self.plugin(lease, &self.path)?.until(deadline);
        plugin.add().map(|result| assigned(&result)).map_err(text)
    }

    fn del(&self, lease: &Lease, deadline: Deadline) -> Result<(), String> {
        let plugin = self.recorded(lease)?.until(deadline);
        plugin.call(Command::Del).map_err(text)
    }
}

fn assigned(result: &CniResult) -> Assigned {
    Assigned {
        addresses: result.ips.iter().map(|ip| ip.address).collect(),
        routes: result.routes_with_gateways(),
        unknown: Default::default(),
    }
}

fn text(error: CniError) -> String {
    match error.details.is_empty() {
        true => error.msg,
        false => format!("{}: {}", error.msg, error.details),
    }
}

#[cfg(test)]
mod tests;
