//! The plugin leaves the runtime's directory, and what was there before is there again.

use std::fs;

use anyhow::Context;

use super::{lock, original, plugin, read, record::Record};
use crate::{
    args::{CniPlace, CniUninstallArgs},
    files::remove,
};

/// Returns what was done, a line each.
pub(crate) fn uninstall(args: &CniUninstallArgs) -> anyhow::Result<String> {
    let place = &args.place;
    let dir = place.bin_dir.display();
    let _lock = lock(place)?;
    let Some(record) = Record::read(&place.bin_dir) else {
        return Ok(format!("{dir}: not installed\n"));
    };
    if args.own && record.installed_by != place.pod_uid {
        let pod = &record.installed_by;
        return Ok(format!("{dir}: pod {pod} has installed it since\n"));
    }
    let mut text = String::new();
    for kind in record.kinds() {
        text += &restore(place, &record, kind)?;
    }
    remove(&place.config).with_context(|| format!("remove {}", place.config.display()))?;
    Record::remove(&place.bin_dir).with_context(|| format!("remove in {dir}"))?;
    Ok(text)
}

/// Puts back what was there before the plugin for networks of this type.
pub(super) fn restore(place: &CniPlace, record: &Record, kind: &str) -> anyhow::Result<String> {
    let (target, kept) = (plugin(place, kind), original(place, kind));
    if read(&target)?.is_some_and(|present| !record.is_ours(&present)) {
        // Whoever replaced ours has put back the original, or a newer one.
        remove(&kept).with_context(|| format!("remove {}", kept.display()))?;
        return Ok(format!("{} is another's and stays\n", target.display()));
    }
    if kept.exists() {
        fs::rename(&kept, &target)
            .with_context(|| format!("rename {} to {}", kept.display(), target.display()))?;
        return Ok(format!("{} is the original again\n", target.display()));
    }
    remove(&target).with_context(|| format!("remove {}", target.display()))?;
    Ok(format!("{} is removed\n", target.display()))
}
