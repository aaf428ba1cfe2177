//! Calls of IPAM plugins: made, and made again from what an entry recorded.

use std::{ffi::OsString, path::PathBuf};

use super::entry::Entry;
use crate::{
    cni::{
        delegate::Delegate,
        netconf::Conf,
        protocol::{CniError, Command},
        request::{Call, StatusCall},
        result::CniResult,
    },
    ledger::{IpamCall, NetworkCall},
};

/// For whom an IPAM plugin is called.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IpamAt {
    /// `CNI_CONTAINERID`.
    pub container: String,
    /// `CNI_IFNAME`.
    pub if_name: String,
    /// `CNI_NETNS`.
    pub netns: String,
}

/// Runs IPAM plugins.
pub trait Ipam: Send + Sync {
    /// Runs `call.plugin` for ADD, DEL, CHECK or STATUS; only ADD has a result.
    ///
    /// # Errors
    /// The plugin's own, with its code.
    fn run(
        &self,
        command: Command,
        call: &IpamCall,
        at: &IpamAt,
    ) -> Result<Option<CniResult>, CniError>;
}

/// The call that the network asks for, if it has an IPAM plugin.
pub(super) fn of(call: &Call<Conf>) -> Option<IpamCall> {
    let plugin = call.network.ipam.as_ref()?.kind.clone();
    let args = call.attachment.args_text.clone();
    Some(of_parts(plugin, &call.stdin, args, &call.path))
}

/// STATUS is about no container.
pub(super) fn of_status(call: &StatusCall) -> Option<IpamCall> {
    let plugin = call.network.ipam.as_ref()?.kind.clone();
    Some(of_parts(plugin, &call.stdin, String::new(), &call.path))
}

/// As it is recorded.
pub(super) fn of_parts(plugin: String, stdin: &[u8], args: String, path: &[PathBuf]) -> IpamCall {
    let path = std::env::join_paths(path).unwrap_or_default();
    IpamCall {
        plugin,
        stdin: String::from_utf8_lossy(stdin).into_owned(),
        args,
        path: path.to_string_lossy().into_owned(),
        unknown: Default::default(),
    }
}

pub(super) fn at(call: &NetworkCall) -> IpamAt {
    IpamAt {
        container: call.container.clone(),
        if_name: call.if_name.to_string(),
        netns: call.netns_path.clone(),
    }
}

/// What an entry's IPAM plugin may have assigned, to be released.
pub(super) fn pending(entry: &Entry) -> Option<(&IpamCall, IpamAt)> {
    let call = entry.owner.call.as_deref()?;
    Some((call.ipam.as_ref()?, at(call)))
}

/// IPAM plugins as processes, found in the call's `CNI_PATH`.
#[derive(Debug, Clone, Copy)]
pub struct Processes;

impl Ipam for Processes {
    fn run(
        &self,
        command: Command,
        call: &IpamCall,
        at: &IpamAt,
    ) -> Result<Option<CniResult>, CniError> {
        let path: Vec<PathBuf> = std::env::split_paths(&call.path).collect();
        let variables = [
            ("CNI_CONTAINERID", &at.container),
            ("CNI_IFNAME", &at.if_name),
            ("CNI_NETNS", &at.netns),
            ("CNI_ARGS", &call.args),
            ("CNI_PATH", &call.path),
        ];
        let variables = variables.map(|(name, value)| (name, OsString::from(value)));
        let plugin = Delegate::find(&call.plugin, &path, call.stdin.as_bytes())?;
        let plugin = plugin.with_variables(variables.to_vec());
        match command {
            Command::Add => plugin.add().map(Some),
            command => plugin.call(command).map(|()| None),
        }
    }
}
