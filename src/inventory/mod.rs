//! Which functions the host has, and which of them may be given away.

mod filter;
#[cfg(test)]
pub(crate) mod fixtures;
mod restart;
#[cfg(test)]
mod selector_tests;

pub use filter::{DeviceFilter, Pattern, PfNames, pf_names};
pub use restart::{Loss, losses};

use std::{collections::BTreeSet, io};

use crate::{
    device::{DeviceId, Function},
    host::{Kernel, Recording, Result},
};

/// One scan of the host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inventory {
    /// All network functions, sorted by address.
    pub functions: Vec<Function>,
    /// Those that the host itself uses. Netdevs of pods are not among them.
    pub host_used: BTreeSet<DeviceId>,
}

/// Looks at the host.
///
/// # Errors
/// The kernel's. Without knowing what the host uses nothing may be given away, so there is no
/// inventory then.
pub fn observe(kernel: &dyn Kernel) -> Result<Inventory> {
    Ok(Inventory {
        functions: kernel.functions()?,
        host_used: kernel.host_used()?.into_iter().collect(),
    })
}

/// What of a function the host itself uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostUse {
    /// The function.
    Whole,
    /// A VF or SF of it, which would go with it.
    Part,
}

impl Inventory {
    /// The inventory of a recorded host.
    ///
    /// # Errors
    /// No temporary directory can be written.
    pub fn of_recording(recording: &Recording) -> io::Result<Self> {
        Ok(Self {
            functions: recording.functions()?,
            host_used: recording.host_used.iter().copied().collect(),
        })
    }

    /// The functions that may be given away: all but those that the host uses, and PFs of which it
    /// uses a part, which would go with them. The other VFs of such a PF, and those of a PF that the
    /// host uses, are offered. SFs are not, as long as every claim for one is refused, nor PFs that
    /// every claim is refused for, since its release would lose something.
    pub fn offered(&self) -> impl Iterator<Item = &Function> {
        let (torn, losses) = (self.torn(), losses(&self.functions));
        self.functions.iter().filter(move |function| {
            !self.host_used.contains(&function.id)
                && !torn.contains(&function.id)
                && !losses.contains_key(&function.id)
                && function.auxiliary().is_none()
        })
    }

    /// The functions that are not offered.
    pub fn withheld(&self) -> impl Iterator<Item = &Function> {
        let torn = self.torn();
        self.functions.iter().filter(move |function| {
            self.host_used.contains(&function.id) || torn.contains(&function.id)
        })
    }

    /// Whether the host uses it, or a part of it.
    #[must_use]
    pub fn host_use(&self, id: DeviceId) -> Option<HostUse> {
        if self.host_used.contains(&id) {
            return Some(HostUse::Whole);
        }
        self.torn().contains(&id).then_some(HostUse::Part)
    }

    /// Takes out what the administrator does not let this driver use, as if the host used it.
    /// `away` are names of PFs that are in pods.
    pub fn withhold(&mut self, filter: &DeviceFilter, away: &PfNames) {
        let mut names = away.clone();
        names.extend(pf_names(&self.functions));
        let withheld = self
            .functions
            .iter()
            .filter(|function| filter.refusal(function, &names).is_some());
        self.host_used.extend(withheld.map(|function| function.id));
    }

    /// PFs of which the host uses a part.
    fn torn(&self) -> BTreeSet<DeviceId> {
        let parts = self
            .functions
            .iter()
            .filter(|function| function.is_part() && self.host_used.contains(&function.id));
        parts.filter_map(Function::pf).map(DeviceId::Pci).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{Bdf, Binding, FunctionKind, PciIds, VfAddress};

    fn function(bdf: &str, kind: FunctionKind) -> Function {
        Function {
            id: DeviceId::Pci(bdf.parse().unwrap()),
            incarnation: 1,
            kind,
            ids: PciIds {
                vendor: 0x8086,
                device: 0x10ca,
            },
            binding: Binding::default(),
            netdev: None,
            link_type: None,
            link_speed: None,
            carrier: None,
            eswitch: None,
            numa_node: None,
            pcie_root: None,
            iommu_group: None,
            acpi_index: None,
            capabilities: Default::default(),
            yields: Default::default(),
        }
    }

    fn inventory(host_used: &[&str]) -> Inventory {
        let pf = "0000:01:00.0";
        let vf = |index| FunctionKind::Vf {
            address: Some(VfAddress {
                pf: pf.parse().unwrap(),
                index,
            }),
        };
        let functions = vec![
            function(
                pf,
                FunctionKind::Pf {
                    total_vfs: 7,
                    num_vfs: 2,
                },
            ),
            function("0000:01:10.0", vf(0)),
            function("0000:01:10.2", vf(1)),
        ];
        Inventory {
            functions,
            host_used: host_used
                .iter()
                .map(|bdf| DeviceId::Pci(bdf.parse().unwrap()))
                .collect(),
        }
    }

    fn names(inventory: &Inventory) -> Vec<String> {
        inventory
            .offered()
            .map(|function| function.id.to_string())
            .collect()
    }

    #[test]
    fn a_pf_that_the_host_uses_is_withheld_and_its_vfs_are_not() {
        assert_eq!(
            names(&inventory(&["0000:01:00.0"])),
            ["0000:01:10.0", "0000:01:10.2"]
        );
    }

    #[test]
    fn a_vf_that_the_host_uses_is_withheld_with_its_pf() {
        assert_eq!(names(&inventory(&["0000:01:10.2"])), ["0000:01:10.0"]);
    }

    #[test]
    fn what_the_filter_refuses_is_withheld_even_while_its_pfs_netdev_is_in_a_pod() {
        let pf: Bdf = "0000:01:00.0".parse().unwrap();
        let away = PfNames::from([(pf, vec!["ens1f0".parse().unwrap()])]);
        let left = |filter: DeviceFilter, away: &PfNames| {
            let mut inventory = inventory(&[]);
            inventory.withhold(&filter, away);
            names(&inventory).len()
        };
        let ens1f0 = vec![Pattern::Pf("ens1f0".parse().unwrap())];
        let included = DeviceFilter {
            include: ens1f0.clone(),
            ..DeviceFilter::default()
        };
        assert_eq!(
            (
                left(included.clone(), &away),
                left(included, &PfNames::new())
            ),
            (3, 0)
        );
        assert_eq!(
            left(
                DeviceFilter {
                    exclude: ens1f0,
                    ..DeviceFilter::default()
                },
                &away
            ),
            0
        );
        let one_vf = DeviceFilter {
            exclude: vec!["0000:01:10.2".parse().unwrap()],
            ..DeviceFilter::default()
        };
        assert_eq!(
            left(one_vf, &away),
            1,
            "the PF would go with its excluded VF"
        );
    }
}
