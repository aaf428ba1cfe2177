//! An in-memory kernel for tests and the demo that behaves like the real one.
//!
//! ```text
//!  Recording ─► Fake ─► trait Kernel, writes with fault injection ─► dump()
//! ```
//!
//! It models what leaks VFs on real kernels: a VF without an administrative MAC gets a random one
//! whenever its driver is bound; with one, the driver reads it at its next probe and rejects
//! others. Moving a netdev sets it down and flushes its addresses. Destroying a namespace returns
//! the netdev to the host under the pod's name (`default_device_exit_net` in `net/core/dev.c`).
//! Rebinding creates a new netdev with the kernel's default name. A name in use is EEXIST. VFs that
//! are created again are different devices.

mod fault;
mod function;
mod groups;
mod igb;
mod infiniband;
mod namespaces;
mod quirks;
mod rdma;
mod state;

pub use fault::Fault;
pub use quirks::Quirks;

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{HostError, Kernel, Netns, NodeUse, Recording, Result};
use crate::{
    deadline::Deadline,
    device::{
        Bdf, Binding, Bound, DeviceId, Function, Guid, IfName, LinkSetting, Netdev, Observed,
        RdmaDevice, VfAddress, VfSetting, VfSettings,
    },
    files::{ChangeHook, Moment},
};
use function::FakeLink;
use quirks::RebindHook;
use state::State;

/// The fake kernel. Clones share its state.
#[derive(Debug, Clone)]
pub struct Fake(Arc<Mutex<State>>);

impl Fake {
    /// A host in the recorded state.
    #[must_use]
    pub fn new(recording: &Recording) -> Self {
        Self(Arc::new(Mutex::new(State::new(recording))))
    }

    /// Every later operation whose description contains `part` (`802.1ad`, `link-state`) fails with
    /// this error number.
    pub fn refuse(&self, part: &str, errno: i32) {
        self.state().refusals.push((part.to_owned(), errno));
    }

    /// Operations that [`Fake::refuse`] named succeed again.
    pub fn allow(&self, part: &str) {
        self.state().refusals.retain(|(refused, _)| refused != part);
    }

    /// The drivers behave so from now on.
    pub fn set_quirks(&self, quirks: Quirks) {
        self.state().quirks = quirks;
    }

    /// Whether RDMA devices are in one namespace each.
    pub fn set_exclusive_rdma(&self, exclusive: bool) {
        self.state().exclusive_rdma = exclusive;
    }

    /// The GUIDs of node and port that the VF's driver has read when it started.
    #[must_use]
    pub fn guids(&self, vf: &DeviceId) -> Option<(Guid, Guid)> {
        self.state().functions.get(vf)?.guids
    }

    /// How the drivers behave.
    #[must_use]
    pub fn quirks(&self) -> Quirks {
        self.state().quirks.clone()
    }

    /// A process opens a device node, or closes it.
    pub fn set_open(&self, node: &str, open: bool) {
        let nodes = &mut self.state().open_nodes;
        match open {
            true => drop(nodes.insert(node.to_owned())),
            false => drop(nodes.remove(node)),
        }
    }

    /// A tenant puts a VLAN interface on the netdev, in whatever namespace it is.
    ///
    /// # Errors
    /// The device has no netdev.
    pub fn add_upper(&self, device: &DeviceId, name: &str) -> Result<()> {
        self.state().add_upper(device, name)
    }

    /// VFs whose values at the PF were changed while a tenant could send through them: its netdev
    /// was up in a pod's namespace, or up on the host with an upper left in one, or its driver was
    /// a userspace one whose device node was open.
    #[must_use]
    pub fn exposed(&self) -> Vec<String> {
        self.state().exposed.clone()
    }

    /// Creates a network namespace at a path, with a loopback and the pod's own `eth0`.
    #[must_use]
    pub fn add_netns(&self, path: &Path) -> Netns {
        self.state().namespaces.add(path)
    }

    /// Destroys the namespace: its path is removed, its netdevs return to the host under their
    /// current names.
    pub fn destroy_netns(&self, path: &Path) {
        self.state().destroy_netns(path);
    }

    /// Removes the namespace's path while a process holds it open: its netdevs cannot be found.
    pub fn leak_netns(&self, path: &Path) {
        self.state().namespaces.leak(path);
    }

    /// Destroys all leaked namespaces.
    pub fn release_leaked_netns(&self) {
        self.state().release_leaked_netns();
    }

    /// State that a tenant leaves on the netdev and that only recreating the netdev removes:
    /// `promisc`, `xdp`.
    ///
    /// # Errors
    /// The device has no netdev.
    pub fn add_residue(&self, device: &DeviceId, what: &str) -> Result<()> {
        self.state().add_residue(device, what)
    }

    /// Unloads the driver: functions that were bound to it have none, and nothing can be bound to
    /// it.
    pub fn unload(&self, driver: &str) {
        self.state().unload(driver);
    }

    /// Removes the function, even while it is in use.
    pub fn unplug(&self, device: &DeviceId) {
        self.state().functions.remove(device);
    }

    /// The kernel probes the function anew, with the driver that it has.
    ///
    /// # Errors
    /// It is not there, or has no driver.
    pub fn reprobe(&self, device: &DeviceId) -> Result<()> {
        let mut state = self.state();
        let binding = state.function(device)?.function.binding.clone();
        state.rebind(device, &binding)
    }

    /// Adds the function in its recorded state, as another device than before.
    pub fn plug(&self, device: &DeviceId) {
        self.state().plug(device);
    }

    /// From now on udev renames new netdevs and sets their MAC, when [`Kernel::is_settled`] has
    /// been called twice.
    pub fn run_udev(&self) {
        self.state().udev = true;
    }

    /// Runs the pending work of udev.
    pub fn settle(&self) {
        self.state()
            .functions
            .values_mut()
            .filter_map(|fake| fake.link.as_mut())
            .for_each(FakeLink::settle);
    }

    /// Removes a device node or adds it again. All exist at first.
    pub fn set_node(&self, path: &str, there: bool) {
        self.state().set_node(path, there);
    }

    /// Whether the host itself uses a function.
    pub fn use_by_host(&self, bdf: Bdf, used: bool) {
        self.state().use_by_host(bdf.into(), used);
    }

    /// Arms a fault and counts writes from 1.
    pub fn arm(&self, fault: Fault) {
        self.state().faults.arm(fault);
    }

    /// Removes the fault and ends the simulated crash, as a restart of the process would.
    pub fn restart(&self) {
        self.state().faults.restart();
    }

    /// Whether the fault has crashed the process.
    #[must_use]
    pub fn is_crashed(&self) -> bool {
        self.state().faults.is_crashed()
    }

    /// The number of writes since the fault was armed.
    #[must_use]
    pub fn writes(&self) -> u32 {
        self.state().faults.writes()
    }

    /// The writes since the last call, in order.
    #[must_use]
    pub fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut self.state().log)
    }

    /// Called before and after each rebind, on its thread.
    pub fn on_rebind(&self, hook: impl Fn(&DeviceId, Moment) + Send + Sync + 'static) {
        self.state().on_rebind = RebindHook(Some(Arc::new(hook)));
    }

    /// What the PF stores for the VF, whatever it reports.
    #[must_use]
    pub fn stored(&self, vf: &DeviceId) -> Option<VfSettings> {
        self.state().functions.get(vf)?.vf
    }

    /// The hook that counts changes of files among the writes, for
    /// [`crate::files::Disk::with_hook`].
    #[must_use]
    pub fn change_hook(&self) -> ChangeHook {
        let fake = self.clone();
        Arc::new(move |moment, what| {
            let faults = &mut fake.state().faults;
            match moment {
                Moment::Before => faults.before(what),
                Moment::After => faults.after(what),
            }
            .map_err(|error| error.source)
        })
    }

    /// Everything that a claim can change, one property per line, sorted: equal dumps, equal hosts.
    /// Interface indexes are not included, since they may differ after release.
    #[must_use]
    pub fn dump(&self) -> String {
        self.state().dump()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(&self, read: impl FnOnce(&State) -> Result<T>) -> Result<T> {
        let state = self.state();
        state.faults.check_running("read")?;
        read(&state)
    }

    /// One write, with fault injection and the errors of [`Fake::refuse`].
    fn write<T>(
        &self,
        subject: String,
        op: String,
        act: impl FnOnce(&mut State) -> Result<T>,
    ) -> Result<T> {
        let mut state = self.state();
        let what = format!("{subject}: {op}");
        state.faults.before(&what)?;
        if let Some((_, errno)) = state.refusals.iter().find(|(part, _)| what.contains(part)) {
            return Err(HostError::new(
                subject,
                op,
                std::io::Error::from_raw_os_error(*errno),
            ));
        }
        let done = act(&mut state)?;
        state.faults.after(&what)?;
        state.log.push(what);
        Ok(done)
    }
}

impl Kernel for Fake {
    fn functions(&self) -> Result<Vec<Function>> {
        self.read(|state| {
            Ok(state
                .functions
                .keys()
                .filter_map(|id| state.seen(id).ok())
                .map(|o| o.function)
                .collect())
        })
    }

    fn observe(&self, device: &DeviceId) -> Result<Observed> {
        self.read(|state| state.observed(device))
    }

    fn bound(&self, device: &DeviceId) -> Result<Bound> {
        self.read(|state| {
            let function = &state.function(device)?.function;
            Ok(Bound {
                incarnation: function.incarnation,
                binding: function.binding.clone(),
                pf: function.pf().filter(|_| function.is_part()),
                is_pf: function.vfs().is_some(),
            })
        })
    }

    fn native_driver(&self, device: &DeviceId) -> Result<Option<String>> {
        self.read(|state| Ok(state.function(device)?.native.clone()))
    }

    fn rdma(&self, device: &DeviceId) -> Result<Vec<RdmaDevice>> {
        self.read(|state| state.rdma(device))
    }

    fn has_exclusive_rdma(&self) -> bool {
        self.state().exclusive_rdma
    }

    fn rdma_names(&self, netns: &Netns) -> Result<Vec<String>> {
        self.read(|state| Ok(state.rdma_names(netns)))
    }

    fn rdma_nodes(&self, name: &str) -> Vec<String> {
        self.state().rdma_nodes(name)
    }

    fn move_rdma(&self, name: &str, from: &Netns, to: &Netns) -> Result<()> {
        let op = format!("move to netns {}", to.inode);
        self.write(format!("rdma device {name}"), op, |state| {
            state.move_rdma(name, from, to)
        })
    }

    fn has_node(&self, path: &str) -> bool {
        self.state().has_node(path)
    }

    fn node_use(&self, path: &str) -> NodeUse {
        let state = self.state();
        match state.groups.node_use(path) {
            NodeUse::Free if state.open_nodes.contains(path) => NodeUse::Open(vec![]),
            known => known,
        }
    }

    fn serves_no_iommu(&self) -> bool {
        self.state().groups.serves_no_iommu()
    }

    fn has_driver(&self, name: &str) -> bool {
        !self.state().unloaded.contains(name)
    }

    fn open_netns(&self, path: &Path) -> Result<Netns> {
        self.read(|state| state.namespaces.open(path))
    }

    fn link(&self, device: &DeviceId, netns: &Netns) -> Result<Option<Netdev>> {
        self.read(|state| {
            let link = state.function(device)?.link_seen();
            Ok(link
                .filter(|link| link.netns == netns.inode)
                .map(|link| link.netdev.clone()))
        })
    }

    fn uppers(&self, device: &DeviceId, netns: &Netns) -> Result<Vec<String>> {
        self.read(|state| {
            let link = state.function(device)?.link.as_ref();
            let here = link.filter(|link| link.netns == netns.inode);
            let uppers = here.into_iter().flat_map(|link| &link.uppers);
            Ok(uppers
                .filter(|(_, at)| *at == netns.inode)
                .map(|(name, _)| name.clone())
                .collect())
        })
    }

    fn is_open(&self, node: &str) -> bool {
        self.state().open_nodes.contains(node)
    }

    fn is_settled(&self, device: &DeviceId, _: &Netdev) -> bool {
        let mut state = self.state();
        let Some(link) = state
            .functions
            .get_mut(device)
            .and_then(|fake| fake.link.as_mut())
        else {
            return true;
        };
        let settled = link.udev.is_none();
        link.settle();
        settled
    }

    fn link_names(&self, netns: &Netns) -> Result<Vec<String>> {
        self.read(|state| Ok(state.names(netns.inode)))
    }

    fn host_used(&self) -> Result<Vec<DeviceId>> {
        self.read(|state| Ok(state.host_used.iter().copied().collect()))
    }

    fn set_num_vfs(&self, pf: &Bdf, count: u32) -> Result<()> {
        self.write(
            format!("pf {pf}"),
            format!("set sriov_numvfs {count}"),
            |state| state.set_num_vfs(*pf, count),
        )
    }

    fn set_driver(&self, device: &DeviceId, binding: &Binding, _: Deadline) -> Result<()> {
        let driver = binding.driver.as_deref().unwrap_or("none");
        self.write(device.to_string(), format!("bind {driver}"), |state| {
            state.set_driver(device, binding)
        })
    }

    fn rebind(&self, device: &DeviceId, binding: &Binding, _: Deadline) -> Result<()> {
        let hook = self.state().on_rebind.clone();
        hook.call(device, Moment::Before);
        let done = self.write(device.to_string(), "rebind".into(), |state| {
            state.rebind(device, binding)
        });
        hook.call(device, Moment::After);
        done
    }

    fn set_vf(&self, vf: &VfAddress, setting: &VfSetting) -> Result<()> {
        let subject = self.state().vf_subject(vf);
        self.write(subject, format!("set {setting}"), |state| {
            state.set_vf(vf, setting)
        })
    }

    fn set_link(&self, device: &DeviceId, netns: &Netns, setting: &LinkSetting) -> Result<()> {
        self.write(
            format!("link of {device}"),
            format!("set {setting}"),
            |state| state.set_link(device, netns, setting),
        )
    }

    fn move_link(&self, device: &DeviceId, from: &Netns, to: &Netns, name: &IfName) -> Result<()> {
        let op = format!("move to netns {} as {name}", to.inode);
        self.write(format!("link of {device}"), op, |state| {
            state.move_link(device, from, to, name)
        })
    }

    fn announce(&self, device: &DeviceId, netns: &Netns) -> Result<()> {
        let op = format!("announce in netns {}", netns.inode);
        self.write(format!("link of {device}"), op, |state| {
            state.link_in(device, netns).map(|_| ())
        })
    }
}

#[cfg(test)]
#[path = "fake/tests.rs"]
mod tests;
