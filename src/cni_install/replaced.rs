//! Whether the plugin that was installed is still there. The SR-IOV operator's daemon, and the
//! DaemonSet of the Go plugin, copy their own over it each time they start.

use std::path::PathBuf;

use super::{lock, plugin, read, record::Record};
use crate::args::CniPlace;

/// An installed plugin that is not there any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replaced {
    /// Where it was.
    pub(crate) file: PathBuf,
    /// Another program's is there instead.
    pub(crate) by_another: bool,
}

/// What of the installation is not there any more; nothing where nothing is installed.
pub(crate) fn replaced(place: &CniPlace) -> anyhow::Result<Vec<Replaced>> {
    // Not in the middle of an installation or of its removal.
    let _lock = lock(place)?;
    let Some(record) = Record::read(&place.bin_dir) else {
        return Ok(vec![]);
    };
    let mut all = vec![];
    for kind in record.kinds() {
        let file = plugin(place, kind);
        let present = read(&file)?;
        if !present.as_ref().is_some_and(|bytes| record.is_ours(bytes)) {
            all.push(Replaced {
                file,
                by_another: present.is_some(),
            });
        }
    }
    Ok(all)
}
