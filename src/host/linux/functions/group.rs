//! IOMMU groups: the unit that VFIO gives to a process.
//!
//! ```text
//!  0000:3b:02.1/iommu_group ─► kernel/iommu_groups/75/devices/ ─► 0000:3b:02.1, 0000:3b:02.2, …
//!                                                    /name      `vfio-noiommu`: no IOMMU
//! ```

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use super::yields::has_vfio;
use crate::{
    device::{GroupMember, IommuGroup},
    host::linux::sysfs::{self, Sysfs},
};

/// PCI bridges: base class 06, subclass 04.
const BRIDGE: u32 = 0x0604;
/// `vfio_noiommu_group_alloc` in `drivers/vfio/group.c`.
const NO_IOMMU: &str = "vfio-noiommu";

/// The number of a function's group.
pub(super) fn number(dir: &Path) -> Option<u32> {
    sysfs::link_name(&dir.join("iommu_group"))?.parse().ok()
}

/// The groups of one scan, each read once.
pub(super) struct Groups<'a> {
    sysfs: &'a Sysfs,
    known: HashMap<u32, IommuGroup>,
}

impl<'a> Groups<'a> {
    pub(super) fn new(sysfs: &'a Sysfs) -> Self {
        Self {
            sysfs,
            known: HashMap::new(),
        }
    }

    /// The group of the function in this directory.
    pub(super) fn of(&mut self, dir: &Path) -> Option<IommuGroup> {
        let number = number(dir)?;
        let sysfs = self.sysfs;
        let read = || {
            let functions = places(sysfs, dir, number)
                .into_iter()
                .filter(|dir| !is_bridge(dir));
            IommuGroup {
                no_iommu: sysfs::read(dir, "iommu_group/name").as_deref() == Some(NO_IOMMU),
                shared: functions.count() > 1,
            }
        };
        Some(*self.known.entry(number).or_insert_with(read))
    }
}

/// The other members of a function's group.
pub(in crate::host::linux) fn members(sysfs: &Sysfs, dir: &Path) -> Vec<GroupMember> {
    let own = dir.file_name();
    let mut others: Vec<GroupMember> = number(dir)
        .into_iter()
        .flat_map(|number| places(sysfs, dir, number))
        .filter(|other| other.file_name() != own)
        .filter_map(|other| member(&other))
        .collect();
    others.sort();
    others
}

/// The directories of all members. A host that was recorded without the group's list has its
/// functions.
fn places(sysfs: &Sysfs, dir: &Path, group: u32) -> Vec<PathBuf> {
    let below = |dir: PathBuf| {
        let join = move |name: String| dir.join(name);
        move |names: Vec<String>| names.into_iter().map(join).collect::<Vec<_>>()
    };
    let listed = dir.join("iommu_group/devices");
    match sysfs::list(&listed) {
        names if !names.is_empty() => below(listed)(names),
        _ => {
            let mut all = below(sysfs.devices())(sysfs::list(&sysfs.devices()));
            all.retain(|dir| number(dir) == Some(group));
            all
        }
    }
}

fn member(dir: &Path) -> Option<GroupMember> {
    Some(GroupMember {
        name: dir.file_name()?.to_str()?.to_owned(),
        driver: sysfs::link_name(&dir.join("driver")),
        vfio: has_vfio(dir),
        bridge: is_bridge(dir),
    })
}

fn is_bridge(dir: &Path) -> bool {
    sysfs::hex(dir, "class").is_some_and(|class| class >> 8 == BRIDGE)
}
