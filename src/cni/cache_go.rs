//! What the Go plugin has attached: its files, which it writes neither atomically nor before it
//! changes anything.
//!
//! ```text
//!  <go_cache>/<container>-<interface>   its configuration, and the VF before
//!  <go_cache>/pci/<BDF>                 the path of the namespace that has the VF
//! ```

mod format;
#[cfg(test)]
mod tests;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::protocol::ContainerId;
use crate::{
    device::{Bdf, IfName, Mac, VfSetting, VfSettings},
    paths::Paths,
};

/// An attachment of the Go plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct GoAttachment {
    /// The VF.
    pub device: Bdf,
    /// Name of the PF.
    pub pf: String,
    /// Index of the VF.
    pub vf_index: u32,
    /// The network's name.
    pub network: Option<String>,
    /// The plugin that has assigned addresses.
    pub ipam: Option<String>,
    /// The VF's netdev before; none when it had none (vfio, uio).
    pub netdev: Option<GoNetdev>,
    /// What the PF had for the VF before.
    pub original: VfSettings,
    /// What the configuration asked for.
    pub requested: Requested,
}

/// A netdev before it was attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoNetdev {
    /// Its name.
    pub name: IfName,
    /// Its address.
    pub mac: Option<Mac>,
    /// Its MTU.
    pub mtu: Option<u32>,
}

/// Which settings were asked for, and so have to be restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Requested {
    /// VLAN, QoS and protocol.
    pub vlan: bool,
    /// One of the rates.
    pub rates: bool,
    /// Spoof check.
    pub spoof_chk: bool,
    /// Trust.
    pub trust: bool,
    /// Link state.
    pub link_state: bool,
}

impl GoAttachment {
    /// What the Go plugin's DEL would set on the VF, in its order: what was asked for, and the MAC
    /// in any case.
    #[must_use]
    pub fn restore(&self) -> Vec<VfSetting> {
        let Self {
            original,
            requested,
            ..
        } = self;
        let rates = original.min_tx_rate.zip(original.max_tx_rate);
        let when = |asked: bool, setting: Option<VfSetting>| setting.filter(|_| asked);
        let settings = [
            when(requested.vlan, original.vlan.map(VfSetting::Vlan)),
            when(
                requested.spoof_chk,
                original.spoof_chk.map(VfSetting::SpoofChk),
            ),
            original.mac.map(VfSetting::Mac),
            when(requested.trust, original.trust.map(VfSetting::Trust)),
            when(
                requested.rates,
                rates.map(|(min, max)| VfSetting::Rate { min, max }),
            ),
            when(
                requested.link_state,
                original.link_state.map(VfSetting::LinkState),
            ),
        ];
        settings.into_iter().flatten().collect()
    }
}

/// A file of the Go plugin that cannot be read: empty or cut short by a crash, or something else.
/// The Go plugin takes it for none.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct Unreadable {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub reason: String,
}

/// The files of the Go plugin.
#[derive(Debug, Clone)]
pub struct GoCache {
    dir: PathBuf,
}

impl GoCache {
    /// Those of this node.
    #[must_use]
    pub fn new(paths: &Paths) -> Self {
        Self {
            dir: paths.go_cache.clone(),
        }
    }

    /// The file of an attachment.
    #[must_use]
    pub fn attachment_file(&self, container: &ContainerId, if_name: &IfName) -> PathBuf {
        self.dir.join(format!("{container}-{if_name}"))
    }

    /// The file of a device.
    #[must_use]
    pub fn device_file(&self, device: Bdf) -> PathBuf {
        self.dir.join("pci").join(device.to_string())
    }

    /// The attachment; none if the Go plugin has no file of it.
    ///
    /// # Errors
    /// There is one, and it cannot be read.
    pub fn attachment(
        &self,
        container: &ContainerId,
        if_name: &IfName,
    ) -> Result<Option<GoAttachment>, Unreadable> {
        read(&self.attachment_file(container, if_name))
    }

    /// The namespace that has the device; none if the Go plugin has not attached it.
    ///
    /// # Errors
    /// The operating system's, but not "not found".
    pub fn namespace(&self, device: Bdf) -> io::Result<Option<PathBuf>> {
        match fs::read_to_string(self.device_file(device)) {
            Ok(text) => Ok(Some(text.trim_end())
                .filter(|path| !path.is_empty())
                .map(PathBuf::from)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All attachments, by file, sorted. Container and interface cannot be read from the name,
    /// since both may have a `-`.
    ///
    /// # Errors
    /// The operating system's, but not "not found".
    pub fn attachments(&self) -> io::Result<Vec<(PathBuf, Result<GoAttachment, Unreadable>)>> {
        let attachment = |path: PathBuf| Some((path.clone(), read(&path).transpose()?));
        Ok(list(&self.dir)?
            .into_iter()
            .filter_map(attachment)
            .collect())
    }

    /// All devices that the Go plugin holds to be attached, sorted, with their namespaces.
    ///
    /// # Errors
    /// The operating system's, but not "not found".
    pub fn devices(&self) -> io::Result<Vec<(Bdf, Option<PathBuf>)>> {
        let files = list(&self.dir.join("pci"))?.into_iter();
        let device = |path: PathBuf| path.file_name()?.to_str()?.parse().ok();
        files
            .filter_map(device)
            .map(|device| Ok((device, self.namespace(device)?)))
            .collect()
    }
}

fn read(path: &Path) -> Result<Option<GoAttachment>, Unreadable> {
    let unreadable = |reason: String| Unreadable {
        path: path.to_owned(),
        reason,
    };
    match fs::read(path) {
        Ok(content) => format::parse(&content).map(Some).map_err(unreadable),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(error.to_string())),
    }
}

/// The regular files of a directory; none if there is no directory.
fn list(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}
