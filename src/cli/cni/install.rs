//! The plugin goes into the runtime's directory.

use std::{env, path::PathBuf};

use anyhow::Context;

use super::{lock, original, plugin, read, record::Record};
use crate::{
    args::{CniInstallArgs, CniPlace},
    files::write_durable,
    paths::{AgentFile, Paths},
};

/// Returns what was done, a line each.
pub(super) fn install(args: &CniInstallArgs) -> anyhow::Result<String> {
    let place = &args.place;
    let source = source(args)?;
    let new = read(&source)?
        .with_context(|| format!("{}: no such file: the CNI plugin", source.display()))?;
    let _lock = lock(place)?;
    let present = read(&plugin(place))?;
    let other = present.filter(|bytes| *bytes != new);
    let is_new = other.is_none() && plugin(place).exists();
    let known = Record::read(&place.bin_dir);
    let mut text = String::new();
    if let Some(other) = &other
        && args.keep_original
        && is_original(place, known.as_ref(), other)
    {
        text = keep(place, other)?;
    }
    let mut record = known.unwrap_or_default();
    record.add(&new);
    record.installed_by.clone_from(&place.pod_uid);
    record
        .write(&place.bin_dir)
        .with_context(|| format!("write in {}", place.bin_dir.display()))?;
    agent_file(args)
        .write(&place.config)
        .with_context(|| format!("write {}", place.config.display()))?;
    Ok(text + &put(place, &new, is_new)?)
}

fn source(args: &CniInstallArgs) -> anyhow::Result<PathBuf> {
    match &args.plugin {
        Some(path) => Ok(path.clone()),
        None => Ok(env::current_exe()?.with_file_name("sriov")),
    }
}

/// Whether the plugin that is there is another's. Without a record that is not known: then what was
/// kept before stays.
fn is_original(place: &CniPlace, known: Option<&Record>, plugin: &[u8]) -> bool {
    match known {
        Some(record) => !record.is_ours(plugin),
        None => !original(place).exists(),
    }
}

fn keep(place: &CniPlace, other: &[u8]) -> anyhow::Result<String> {
    let kept = original(place);
    write_durable(&kept, other, 0o755).with_context(|| format!("write {}", kept.display()))?;
    let (plugin, kept) = (plugin(place), kept.display());
    Ok(format!("{} is kept as {kept}\n", plugin.display()))
}

fn put(place: &CniPlace, new: &[u8], is_new: bool) -> anyhow::Result<String> {
    let target = plugin(place);
    if is_new {
        return Ok(format!("{} is up to date\n", target.display()));
    }
    write_durable(&target, new, 0o755).with_context(|| format!("write {}", target.display()))?;
    Ok(format!("{} is installed\n", target.display()))
}

fn agent_file(args: &CniInstallArgs) -> AgentFile {
    let paths = Paths {
        run: args.state_dir.clone(),
        ..Paths::default()
    };
    AgentFile {
        state_dir: args.state_dir.clone(),
        socket: paths.cni_socket(),
        driver_name: args.driver_name.clone(),
        cdi_root: args.cdi_root.clone(),
    }
}
