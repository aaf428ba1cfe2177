//! Which number a VF has at its PF.

use std::{cell::OnceCell, collections::HashMap, path::PathBuf};

use crate::{device::Bdf, host::linux::sysfs};

/// How a PF numbers its VFs. One VF is looked up without reading the links of all.
pub(super) struct Numbering {
    pf: Bdf,
    dir: PathBuf,
    /// Offset and stride of the SR-IOV capability; none: not in sysfs.
    rule: OnceCell<Option<(u64, u64)>>,
    /// Each VF's name and number, from the links.
    links: OnceCell<HashMap<String, u32>>,
}

impl Numbering {
    pub(super) fn of(pf: Bdf, dir: PathBuf) -> Self {
        Self {
            pf,
            dir,
            rule: OnceCell::new(),
            links: OnceCell::new(),
        }
    }

    /// The VF's number, as the kernel numbers VFs (`pci_iov_virtfn_devfn` in `drivers/pci/iov.c`) if
    /// its link says the same, else from the links of all.
    pub(super) fn index(&self, vf: &Bdf) -> Option<u32> {
        let name = vf.to_string();
        let link = |index: &u32| sysfs::link_name(&self.dir.join(format!("virtfn{index}")));
        let likely = self.likely(vf);
        let known = likely.filter(|index| link(index).as_ref() == Some(&name));
        known.or_else(|| self.links().get(&name).copied())
    }

    fn likely(&self, vf: &Bdf) -> Option<u32> {
        let read = || {
            let offset = sysfs::parse(&self.dir, "sriov_offset")?;
            Some((offset, sysfs::parse(&self.dir, "sriov_stride")?))
        };
        let (offset, stride) = (*self.rule.get_or_init(read))?;
        let distance = vf.routing_id().checked_sub(self.pf.routing_id())?;
        // The stride of a PF with one VF says nothing.
        let index = distance.checked_sub(offset)?.checked_div(stride);
        u32::try_from(index.unwrap_or(0)).ok()
    }

    fn links(&self) -> &HashMap<String, u32> {
        let of = |name: String| {
            let index = name.strip_prefix("virtfn")?.parse().ok()?;
            Some((sysfs::link_name(&self.dir.join(name))?, index))
        };
        let read = || sysfs::list(&self.dir).into_iter().filter_map(of).collect();
        self.links.get_or_init(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::linux::test_sysfs::TestSysfs;

    const PF: &str = "0000:01:00.0";

    /// VFs 0 and 1 at 0000:01:10.0 and .2: 128 after the PF, each two after the one before.
    fn numbers(offset: &str, stride: &str) -> (Vec<Option<u32>>, bool) {
        let (tree, pf) = (TestSysfs::new(), PF.parse().unwrap());
        tree.igb();
        let dir = tree.sysfs().device(&pf);
        tree.file(&dir, "sriov_offset", offset);
        tree.file(&dir, "sriov_stride", stride);
        let numbering = Numbering::of(pf, dir);
        let vfs = ["0000:01:10.0", "0000:01:10.2"].map(|vf| numbering.index(&vf.parse().unwrap()));
        (vfs.to_vec(), numbering.links.get().is_some())
    }

    #[test]
    fn a_vf_is_found_by_its_address_without_reading_all_links() {
        assert_eq!(numbers("128", "2"), (vec![Some(0), Some(1)], false));
    }

    #[test]
    fn what_the_links_say_counts() {
        for (offset, stride) in [("0", "1"), ("128", "0"), ("256", "2"), ("", "")] {
            assert_eq!(numbers(offset, stride), (vec![Some(0), Some(1)], true));
        }
    }

    #[test]
    fn another_function_has_no_number() {
        let (tree, pf) = (TestSysfs::new(), PF.parse().unwrap());
        tree.igb();
        let numbering = Numbering::of(pf, tree.sysfs().device(&pf));
        assert_eq!(numbering.index(&"0000:01:10.4".parse().unwrap()), None);
    }
}
