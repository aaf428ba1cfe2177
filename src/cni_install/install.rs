//! The plugin goes into the runtime's directory.

use std::{env, path::PathBuf};

use anyhow::Context;

use super::{IB_SRIOV, SRIOV, lock, original, plugin, read, record::Record, uninstall};
use crate::{
    args::{CniInstallArgs, CniPlace},
    files::write_durable,
    paths::{AgentFile, Paths},
};

/// Returns what was done, a line each.
pub(crate) fn install(args: &CniInstallArgs) -> anyhow::Result<String> {
    let place = &args.place;
    let source = source(args)?;
    let new = read(&source)?
        .with_context(|| format!("{}: no such file: the CNI plugin", source.display()))?;
    let _lock = lock(place)?;
    let known = Record::read(&place.bin_dir);
    let mut text = String::new();
    for kind in kinds(args) {
        text += &keep(args, known.as_ref(), kind, &new)?;
    }
    let mut record = known.unwrap_or_default();
    let unwanted: Vec<String> = record.leaves(&kinds(args));
    for kind in &unwanted {
        text += &uninstall::restore(place, &record, kind)?;
    }
    record.add(&new);
    record.is_of(&kinds(args), args.keep_original);
    record.installed_by.clone_from(&place.pod_uid);
    record
        .write(&place.bin_dir)
        .with_context(|| format!("write in {}", place.bin_dir.display()))?;
    agent_file(args)
        .write(&place.config)
        .with_context(|| format!("write {}", place.config.display()))?;
    for kind in kinds(args) {
        text += &put(place, kind, &new)?;
    }
    Ok(text)
}

/// Installs it as it was, unless it was uninstalled meanwhile; returns what was done, a line each.
/// Under which names, and whether an original is kept, is as recorded.
pub(crate) fn put_back(args: &CniInstallArgs) -> anyhow::Result<String> {
    let Some(record) = Record::read(&args.place.bin_dir) else {
        return Ok(String::new());
    };
    install(&CniInstallArgs {
        infiniband: record.kinds().iter().any(|kind| kind == IB_SRIOV),
        keep_original: record.keeps_original(),
        ..args.clone()
    })
}

fn kinds(args: &CniInstallArgs) -> Vec<&'static str> {
    match args.infiniband {
        true => vec![SRIOV, IB_SRIOV],
        false => vec![SRIOV],
    }
}

fn source(args: &CniInstallArgs) -> anyhow::Result<PathBuf> {
    match &args.plugin {
        Some(path) => Ok(path.clone()),
        None => Ok(env::current_exe()?.with_file_name("sriov")),
    }
}

/// Keeps the plugin of another origin, if there is one and it is to be kept.
fn keep(
    args: &CniInstallArgs,
    known: Option<&Record>,
    kind: &str,
    new: &[u8],
) -> anyhow::Result<String> {
    let (target, kept) = (plugin(&args.place, kind), original(&args.place, kind));
    let other = read(&target)?.filter(|bytes| *bytes != new);
    let is_original = |bytes: &Vec<u8>| match known {
        Some(record) => !record.is_ours(bytes),
        // Whose it is is not known: then what was kept before stays.
        None => !kept.exists(),
    };
    let Some(other) = other.filter(|bytes| args.keep_original && is_original(bytes)) else {
        return Ok(String::new());
    };
    write_durable(&kept, &other, 0o755).with_context(|| format!("write {}", kept.display()))?;
    let (target, kept) = (target.display(), kept.display());
    Ok(format!("{target} is kept as {kept}\n"))
}

fn put(place: &CniPlace, kind: &str, new: &[u8]) -> anyhow::Result<String> {
    let target = plugin(place, kind);
    if read(&target)?.is_some_and(|present| present == new) {
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
