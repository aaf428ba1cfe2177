//! What VFIO hands out: a whole IOMMU group, by a node that one process at a time may have open.

use super::{Engine, nodes::WITHOUT_IOMMU};
use crate::{
    claim::{
        ClaimError, Wanted,
        yields::{gives_group, group_node, is_handed_over, nodes},
    },
    device::{Bdf, DeviceId, Function, GroupMember, Observed},
    host::NodeUse,
};

impl Engine {
    /// The same engine, which lets VFIO serve devices without IOMMU, or not.
    #[must_use]
    pub fn allowing_no_iommu(mut self, allowed: bool) -> Self {
        self.no_iommu = allowed;
        self
    }

    /// Whether the device is in no process, and its IOMMU group can be given if the claim gives it.
    /// `all` are the claim's devices.
    pub(super) fn check_nodes(
        &self,
        wanted: &Wanted,
        observed: &Observed,
        all: &[Wanted],
    ) -> Result<(), ClaimError> {
        if wanted.result.admin_access {
            return Ok(());
        }
        let function = &observed.function;
        let fault = match gives_group(&wanted.settings, function) {
            true => self
                .iommu_fault(function)
                .or(self.group_fault(observed, all)?),
            false => None,
        };
        let has_no_node = !function.yields.vfio;
        let open = || match has_no_node && gives_group(&wanted.settings, function) {
            // By another member.
            true => group_node(function).and_then(|node| self.in_use(&node)),
            false => None,
        };
        let fault = fault.or_else(|| self.open_fault(function));
        match fault.or_else(open) {
            Some(reason) => Err(ClaimError::refused(wanted.id, reason)),
            None => Ok(()),
        }
    }

    /// Whether the group of a device that is handed to processes as it is can be given at all.
    pub(super) fn check_group(
        &self,
        wanted: &Wanted,
        observed: &Observed,
    ) -> Result<(), ClaimError> {
        if !gives_group(&wanted.settings, &observed.function) {
            return Ok(());
        }
        match self.group_fault(observed, std::slice::from_ref(wanted))? {
            Some(reason) => Err(ClaimError::refused(wanted.id, reason)),
            None => Ok(()),
        }
    }

    /// The VFs of a PF go with it, also those that a program has.
    pub(super) fn check_parts_closed(
        &self,
        pf: DeviceId,
        vfs: &[Observed],
    ) -> Result<(), ClaimError> {
        for vf in vfs.iter().map(|vf| &vf.function) {
            if let Some(reason) = self.open_fault(vf) {
                let reason = format!("its VF {} {reason}, and would go with it", vf.id);
                return Err(ClaimError::refused(pf, reason));
            }
        }
        Ok(())
    }

    /// A program may have the device without a claim: a switch in userspace, a virtual machine. Its
    /// driver could not be unbound before that ends.
    fn open_fault(&self, function: &Function) -> Option<String> {
        let mut nodes = nodes(function).into_iter();
        nodes.find_map(|(node, _)| self.in_use(&node))
    }

    fn in_use(&self, node: &str) -> Option<String> {
        match self.kernel.node_use(node) {
            NodeUse::Free => None,
            NodeUse::Open(processes) if processes.is_empty() => Some(format!(
                "is in use: {node} is open in a process that the agent cannot see; agent.hostPID \
                 of the chart shows it"
            )),
            NodeUse::Open(processes) => {
                let all: Vec<String> = processes.iter().map(ToString::to_string).collect();
                Some(format!("is in use: {node} is open in {}", all.join(", ")))
            }
        }
    }

    /// Why VFIO could not or must not serve the device.
    fn iommu_fault(&self, function: &Function) -> Option<String> {
        let no_iommu = function.yields.group.is_none_or(|group| group.no_iommu);
        if function.iommu_group.is_some() && !no_iommu {
            return None;
        }
        let served = function.iommu_group.is_some() || self.kernel.serves_no_iommu();
        match (self.no_iommu, served) {
            (true, true) => None,
            (true, false) => Some(format!(
                "{WITHOUT_IOMMU}; to go without, load the module vfio with enable_unsafe_noiommu_mode=1"
            )),
            (false, _) => Some(format!(
                "{WITHOUT_IOMMU}; VFIO without IOMMU is not allowed on this node (--allow-noiommu, agent.allowNoIOMMU)"
            )),
        }
    }

    /// Why the group cannot be given: the members that keep it.
    fn group_fault(
        &self,
        observed: &Observed,
        all: &[Wanted],
    ) -> Result<Option<String>, ClaimError> {
        let mut kept = Vec::new();
        for member in &observed.group {
            if self.goes_with(&observed.function, member) {
                continue;
            }
            let why = self.keeps(member, all)?;
            kept.extend(why.map(|why| format!("{} ({why})", member.name)));
        }
        let group = observed.function.iommu_group.filter(|_| !kept.is_empty());
        Ok(group.map(|group| {
            format!(
                "IOMMU group {group} cannot be given, VFIO gives it as a whole: {} {} in it; select \
                 devices whose attribute isolated is true",
                kept.join(", "),
                if kept.len() == 1 { "is" } else { "are" },
            )
        }))
    }

    /// Whether a member is a VF that goes away with the driver of its PF, the function.
    fn goes_with(&self, function: &Function, member: &GroupMember) -> bool {
        let has_vfs = function.vfs().is_some_and(|(_, num_vfs)| num_vfs > 0);
        let id = member.name.parse::<Bdf>().ok().filter(|_| has_vfs);
        let member = id.and_then(|id| self.kernel.observe(&id.into()).ok());
        member.is_some_and(|member| {
            member.function.is_part() && member.function.pf() == Some(function.id.pci())
        })
    }

    /// Why a member keeps its group from being given.
    fn keeps(&self, member: &GroupMember, all: &[Wanted]) -> Result<Option<String>, ClaimError> {
        let id = member.name.parse::<Bdf>().ok().map(DeviceId::Pci);
        let own = all.iter().find(|wanted| Some(wanted.id) == id);
        if let Some(wanted) = own.filter(|wanted| !wanted.result.admin_access) {
            let function = self.observe(&wanted.id)?.function;
            let with = !gives_group(&wanted.settings, &function);
            return Ok(with.then(|| "of this claim, not for VFIO".to_owned()));
        }
        if !member.blocks() {
            return Ok(id.and_then(|id| self.withheld(&id)));
        }
        let driver = format!("driver {}", member.driver.as_deref().unwrap_or_default());
        let used = self
            .kernel
            .host_used()
            .map_err(ClaimError::host("prepare"))?;
        let by_host = id.is_some_and(|id| used.contains(&id));
        Ok(Some(match by_host {
            true => format!("{driver}, used by the host"),
            false => driver,
        }))
    }

    /// Why the administrator keeps a member from this driver.
    fn withheld(&self, id: &DeviceId) -> Option<String> {
        if self.choice().is_all() {
            return None;
        }
        let function = self.kernel.observe(id).ok()?.function;
        let refusal = self.choice().refusal(&function, &self.names(&function))?;
        Some(refusal.trim_start_matches("is ").to_owned())
    }
}

/// What is locked for a group of several, the same for each of its members: the first address.
pub(super) fn group_lock(observed: &Observed) -> Option<Bdf> {
    let others = observed.group.iter().filter(|member| !member.bridge);
    let first = others.filter_map(|member| member.name.parse().ok()).min();
    first.map(|first: Bdf| first.min(observed.function.id.pci()))
}

/// The other PCI functions of a device's group.
pub(super) fn mates(observed: &Observed) -> impl Iterator<Item = DeviceId> {
    let others = observed.group.iter().filter(|member| !member.bridge);
    others.filter_map(|member| Some(DeviceId::Pci(member.name.parse().ok()?)))
}

/// Whether the device is not for a netdev as it is.
pub(super) fn is_to_be_bound(function: &Function) -> bool {
    function.binding.driver.is_none() || is_handed_over(function)
}
