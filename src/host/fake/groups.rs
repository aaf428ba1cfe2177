//! IOMMU groups and VFIO of the fake kernel: hosts without ACS, with functions of others in a group,
//! and without IOMMU; drivers without netdev.

use std::collections::BTreeMap;

use super::{
    super::{ErrorKind, HostError, NodeUse, Process, Recording, Result},
    Fake,
    function::{FakeFunction, FakeLink},
    namespaces::HOST_NETNS,
};
use crate::device::{Binding, DeviceId, Function, GroupMember, IommuGroup, Observed, Yields};

/// The number of the first group that VFIO makes without IOMMU.
const FIRST_WITHOUT: u32 = 700;

/// What confines DMA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Iommu {
    #[default]
    On,
    /// VFIO refuses devices, or makes a group for each (`enable_unsafe_noiommu_mode`).
    Off { unsafe_mode: bool },
}

/// What the host has beside its network functions.
#[derive(Debug, Default)]
pub(super) struct Groups {
    iommu: Iommu,
    /// Members that are no network functions, by group.
    foreign: BTreeMap<u32, Vec<GroupMember>>,
    open: BTreeMap<String, Vec<Process>>,
    made: u32,
}

impl Groups {
    pub(super) fn node_use(&self, path: &str) -> NodeUse {
        let open = self.open.get(path).cloned();
        open.map_or(NodeUse::Free, NodeUse::Open)
    }

    pub(super) fn serves_no_iommu(&self) -> bool {
        self.iommu == Iommu::Off { unsafe_mode: true }
    }
}

impl Fake {
    /// [`Fake::igb`] without ACS on the root port of the first PF: its first two VFs are in one
    /// group.
    #[must_use]
    pub fn shared_groups() -> Self {
        let fake = Self::igb();
        fake.share_group(&["0000-02-10-0", "0000-02-10-2"].map(device));
        fake
    }

    /// Two functions of an Elastic Fabric Adapter: RDMA devices, and no netdev
    /// (`drivers/infiniband/hw/efa`). `0000:00:04.0` and `0000:00:05.0`.
    #[must_use]
    pub fn efa() -> Self {
        Self::new(&Recording::efa())
    }

    /// Puts functions into the IOMMU group of the first, as without ACS.
    pub fn share_group(&self, devices: &[DeviceId]) {
        let mut state = self.state();
        let first = devices
            .first()
            .and_then(|device| state.functions.get(device));
        let group = first.and_then(|fake| fake.function.iommu_group);
        for device in devices {
            if let Some(fake) = state.functions.get_mut(device) {
                fake.function.iommu_group = group;
            }
        }
    }

    /// Puts a device that is no network function into a function's group.
    pub fn add_to_group(&self, device: &DeviceId, member: GroupMember) {
        let mut state = self.state();
        let group = state.functions.get(device);
        if let Some(group) = group.and_then(|fake| fake.function.iommu_group) {
            state.groups.foreign.entry(group).or_default().push(member);
        }
    }

    /// Switches the IOMMU off. In unsafe mode VFIO serves devices without it
    /// (`vfio_noiommu_group_alloc` in `drivers/vfio/group.c`).
    pub fn without_iommu(&self, unsafe_mode: bool) {
        let mut state = self.state();
        state.groups.iommu = Iommu::Off { unsafe_mode };
        for fake in state.functions.values_mut() {
            fake.function.iommu_group = None;
        }
    }

    /// A process opens a device node; one that nobody can see if none is named.
    pub fn open_node(&self, path: &str, by: &[(u32, &str)]) {
        let process = |(pid, name): &(u32, &str)| Process {
            pid: *pid,
            name: (*name).to_owned(),
        };
        let processes = by.iter().map(process).collect();
        self.state().groups.open.insert(path.to_owned(), processes);
        self.set_open(path, true);
    }

    /// It is closed again.
    pub fn close_node(&self, path: &str) {
        self.state().groups.open.remove(path);
        self.set_open(path, false);
    }
}

/// The functions of the host.
type Functions = BTreeMap<DeviceId, FakeFunction>;

impl Groups {
    /// What a function yields now.
    pub(super) fn yields(&self, fake: &FakeFunction, all: &Functions) -> Yields {
        let is_here = |link: &FakeLink| link.netns == HOST_NETNS;
        let driver = fake.function.binding.driver.as_deref();
        let more = &fake.function.yields.more_netdevs;
        Yields {
            more_netdevs: match fake.link.as_ref().is_some_and(is_here) {
                true => more.clone(),
                false => vec![],
            },
            netdev_elsewhere: fake.link.as_ref().is_some_and(|link| !is_here(link)),
            vfio: driver.is_some_and(is_vfio),
            uio: vec![],
            group: fake.function.iommu_group.map(|_| IommuGroup {
                no_iommu: self.iommu != Iommu::On,
                shared: self
                    .members(&fake.function, all)
                    .iter()
                    .any(|other| !other.bridge),
            }),
        }
    }

    /// The other members of a function's group.
    pub(super) fn members(&self, function: &Function, all: &Functions) -> Vec<GroupMember> {
        let Some(group) = function.iommu_group else {
            return vec![];
        };
        let is_mate = |other: &&Function| {
            other.iommu_group == Some(group)
                && other.id != function.id
                && matches!(other.id, DeviceId::Pci(_))
        };
        let mates = all.values().map(|fake| &fake.function);
        let mates = mates.filter(is_mate).map(|mate| GroupMember {
            name: mate.id.to_string(),
            driver: mate.binding.driver.clone(),
            vfio: mate.binding.driver.as_deref().is_some_and(is_vfio),
            bridge: false,
        });
        let foreign = self.foreign.get(&group).into_iter().flatten().cloned();
        let mut all: Vec<GroupMember> = mates.chain(foreign).collect();
        all.sort();
        all
    }

    /// VFIO needs a group; without IOMMU it makes one, or refuses the device.
    pub(super) fn join(&mut self, fake: &mut FakeFunction, driver: &str) -> Result<()> {
        if !is_vfio(driver) || fake.function.iommu_group.is_some() {
            return Ok(());
        }
        if !self.serves_no_iommu() {
            let (subject, op) = (fake.function.id.to_string(), format!("bind {driver}"));
            let text = "invalid argument";
            return Err(HostError::of_kind(ErrorKind::Invalid, subject, op, text));
        }
        fake.function.iommu_group = Some(FIRST_WITHOUT + self.made);
        self.made += 1;
        Ok(())
    }

    /// A group that VFIO made goes with its driver.
    pub(super) fn leave(&self, fake: &mut FakeFunction) {
        if self.iommu != Iommu::On {
            fake.function.iommu_group = None;
        }
    }
}

fn is_vfio(driver: &str) -> bool {
    driver.contains("vfio")
}

impl Recording {
    /// The host of [`Fake::efa`].
    #[must_use]
    pub fn efa() -> Self {
        let functions = [(4, 0), (5, 1)].map(|(slot, number)| efa(slot, number));
        Self {
            functions: functions.into(),
            ..Self::default()
        }
    }
}

fn device(name: &str) -> DeviceId {
    DeviceId::from_name(name).expect("written here")
}

fn efa(slot: u32, number: u32) -> Observed {
    let igb = Recording::igb().functions.into_iter().next();
    let mut function = igb.expect("it has functions").function;
    function.id = device(&format!("0000-00-{slot:02x}-0"));
    function.incarnation = u64::from(500 + slot);
    function.kind = crate::device::FunctionKind::Vf { address: None };
    (function.ids.vendor, function.ids.device) = (0x1d0f, 0xefa2);
    function.binding = Binding {
        driver: Some("efa".to_owned()),
        driver_override: None,
    };
    (function.netdev, function.carrier) = (None, None);
    (function.link_type, function.link_speed) = (None, None);
    (function.pcie_root, function.iommu_group) = (Some("pci0000:00".to_owned()), Some(slot));
    function.capabilities.rdma = true;
    function.capabilities.rdma_devices = vec![format!("efa_{number}")];
    Observed::of(function)
}
