//! The fake kernel's state, and the operations on it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    path::Path,
};

use super::{
    super::{
        ErrorKind, HostError, Netns, Recording, Result,
        vf_mac::{self, Assigned, Origin},
    },
    fault::FaultInjector,
    function::{FakeFunction, FakeLink, NO_NETDEV, assign},
    namespaces::{HOST_NETNS, Namespaces},
    quirks::{Quirks, RebindHook},
};
use crate::device::{
    Bdf, Binding, DeviceId, EswitchMode, FunctionKind, Guid, IfName, LinkSetting, LinkState, Mac,
    Observed, VfAddress, VfSetting, VfSettings, VlanTag,
};

#[derive(Debug)]
pub(super) struct State {
    pub(super) functions: BTreeMap<DeviceId, FakeFunction>,
    pub(super) namespaces: Namespaces,
    pub(super) host_used: BTreeSet<DeviceId>,
    pub(super) refusals: Vec<(String, i32)>,
    pub(super) faults: FaultInjector,
    pub(super) log: Vec<String>,
    /// udev renames new netdevs and sets their MAC some time after they appear.
    pub(super) udev: bool,
    /// Device nodes that do not exist.
    missing: BTreeSet<String>,
    /// IOMMU groups, and who has device nodes open.
    pub(super) groups: super::groups::Groups,
    /// Drivers that are not loaded.
    pub(super) unloaded: BTreeSet<String>,
    pub(super) quirks: Quirks,
    pub(super) on_rebind: RebindHook,
    /// Device nodes that a process has open.
    pub(super) open_nodes: BTreeSet<String>,
    /// RDMA devices are in one namespace each.
    pub(super) exclusive_rdma: bool,
    /// See [`super::Fake::exposed`].
    pub(super) exposed: Vec<String>,
    recorded: BTreeMap<DeviceId, FakeFunction>,
    /// The last number used for an interface index, an incarnation, a random MAC.
    numbers: u32,
}

impl State {
    pub(super) fn new(recording: &Recording) -> Self {
        let functions: BTreeMap<DeviceId, FakeFunction> = recording
            .functions
            .iter()
            .map(|o| (o.function.id, FakeFunction::new(o, HOST_NETNS)))
            .collect();
        Self {
            udev: false,
            quirks: Quirks::default(),
            on_rebind: RebindHook::default(),
            open_nodes: BTreeSet::new(),
            exclusive_rdma: false,
            exposed: Vec::new(),
            unloaded: BTreeSet::new(),
            recorded: functions.clone(),
            functions,
            namespaces: Namespaces::default(),
            host_used: recording.host_used.iter().copied().collect(),
            refusals: Vec::new(),
            faults: FaultInjector::default(),
            log: Vec::new(),
            missing: BTreeSet::new(),
            groups: Default::default(),
            numbers: 1000,
        }
    }

    pub(super) fn function(&self, device: &DeviceId) -> Result<&FakeFunction> {
        self.functions.get(device).ok_or_else(|| gone(device))
    }

    fn function_mut(&mut self, device: &DeviceId) -> Result<&mut FakeFunction> {
        self.functions.get_mut(device).ok_or_else(|| gone(device))
    }

    /// VFs are read through their PF's netdev, which may be in a pod's namespace.
    pub(super) fn observed(&self, device: &DeviceId) -> Result<Observed> {
        let observed = self.seen(device)?;
        if let Some(vf) = observed.function.vf_address()
            && !self.function(device)?.reset.over()
        {
            let subject = format!("pf {}", vf.pf);
            let text = format!("does not report vf {} now", vf.index);
            let busy = HostError::of_kind(ErrorKind::Busy, subject, "read settings", &text);
            return Err(busy);
        }
        match observed.function.vf_address() {
            Some(vf) if self.is_outside_host(&vf.pf.into()) => {
                let reason =
                    "has no netdev in the host's network namespace, and VFs are set through it";
                Err(HostError::of_kind(
                    ErrorKind::Gone,
                    format!("pf {}", vf.pf),
                    "look up netdev",
                    reason,
                ))
            }
            _ => Ok(observed),
        }
    }

    fn is_outside_host(&self, device: &DeviceId) -> bool {
        let link = self
            .functions
            .get(device)
            .and_then(|fake| fake.link.as_ref());
        link.is_some_and(|link| link.netns != HOST_NETNS)
    }

    /// What can be read without the PF.
    pub(super) fn seen(&self, device: &DeviceId) -> Result<Observed> {
        let fake = self.function(device)?;
        let link = fake.link_seen().filter(|link| link.netns == HOST_NETNS);
        let netdev = link.map(|link| link.netdev.clone());
        let (vf, origin) = reported(fake, link, !self.quirks.no_mirror);
        let mut function = fake.function.clone();
        if self.quirks.switchdev && matches!(function.kind, FunctionKind::Pf { .. }) {
            function.eswitch = Some(EswitchMode::Switchdev);
        }
        function.netdev = netdev.as_ref().map(|netdev| netdev.state.name.clone());
        function.carrier = netdev.as_ref().and_then(|netdev| netdev.carrier);
        function.yields = self.groups.yields(fake, &self.functions);
        if let FunctionKind::Pf { num_vfs, .. }
        | FunctionKind::Accelerator {
            address: None,
            num_vfs,
            ..
        } = &mut function.kind
        {
            *num_vfs = self
                .vfs_of(device.pci())
                .len()
                .try_into()
                .unwrap_or(u32::MAX);
        }
        let mac = netdev
            .as_ref()
            .and_then(|netdev| netdev.state.mac)
            .or(fake.admin_mac());
        Ok(Observed {
            function,
            netdev,
            vf,
            max_mtu: fake.max_mtu,
            mac,
            unclear_mac: origin.and_then(|origin| origin.unclear),
            mirrored: origin.is_some_and(|origin| origin.mirrored),
            group: self.groups.members(&fake.function, &self.functions),
        })
    }

    fn vfs_of(&self, pf: Bdf) -> Vec<DeviceId> {
        let is_of = |fake: &FakeFunction| fake.function.vf_address().is_some_and(|vf| vf.pf == pf);
        self.functions
            .values()
            .filter(|fake| is_of(fake))
            .map(|fake| fake.function.id)
            .collect()
    }

    pub(super) fn vf_subject(&self, vf: &VfAddress) -> String {
        match self.vf_id(vf) {
            Some(id) => format!("vf {id}"),
            None => format!("pf {} vf {}", vf.pf, vf.index),
        }
    }

    fn vf_id(&self, vf: &VfAddress) -> Option<DeviceId> {
        let mut all = self.functions.values();
        all.find(|fake| fake.function.vf_address() == Some(*vf))
            .map(|fake| fake.function.id)
    }

    pub(super) fn next(&mut self) -> u32 {
        self.numbers += 1;
        self.numbers
    }

    /// Names in a namespace, alternative ones included.
    pub(super) fn names(&self, netns: u64) -> Vec<String> {
        let links = self
            .functions
            .values()
            .filter_map(|fake| fake.link.as_ref())
            .filter(|link| link.netns == netns);
        let named = links.flat_map(|link| {
            let state = &link.netdev.state;
            [state.name.to_string()]
                .into_iter()
                .chain(state.altnames.iter().cloned())
        });
        let others = if netns == HOST_NETNS {
            vec!["lo"]
        } else {
            vec!["lo", "eth0"]
        };
        others.into_iter().map(str::to_owned).chain(named).collect()
    }

    pub(super) fn plug(&mut self, device: &DeviceId) {
        let incarnation = self.next().into();
        if let Some(recorded) = self.recorded.get(device) {
            let mut fake = recorded.clone();
            fake.function.incarnation = incarnation;
            self.functions.insert(*device, fake);
        }
    }

    pub(super) fn set_node(&mut self, path: &str, there: bool) {
        match there {
            true => self.missing.remove(path),
            false => self.missing.insert(path.to_owned()),
        };
    }

    pub(super) fn has_node(&self, path: &str) -> bool {
        !self.missing.contains(path)
    }

    pub(super) fn use_by_host(&mut self, device: DeviceId, used: bool) {
        match used {
            true => self.host_used.insert(device),
            false => self.host_used.remove(&device),
        };
    }

    pub(super) fn set_num_vfs(&mut self, pf: Bdf, count: u32) -> Result<()> {
        self.function(&pf.into())?;
        let present = self.vfs_of(pf);
        if present.len() == count as usize {
            return Ok(());
        }
        present
            .iter()
            .for_each(|vf| drop(self.functions.remove(vf)));
        let wanted = |fake: &FakeFunction| {
            fake.function
                .vf_address()
                .is_some_and(|vf| vf.pf == pf && vf.index < count)
        };
        let created: Vec<DeviceId> = self
            .recorded
            .values()
            .filter(|f| wanted(f))
            .map(|f| f.function.id)
            .collect();
        created.iter().try_for_each(|vf| self.create(vf))
    }

    /// A new VF has no state of an earlier one at its address.
    fn create(&mut self, vf: &DeviceId) -> Result<()> {
        self.plug(vf);
        let fake = self.function_mut(vf)?;
        (fake.link, fake.function.binding, fake.vf) =
            (None, Binding::default(), fake.vf.map(new_vf));
        match fake.native.clone() {
            Some(driver) => self.bind(vf, &driver),
            None => Ok(()),
        }
    }

    pub(super) fn set_driver(&mut self, device: &DeviceId, binding: &Binding) -> Result<()> {
        let fake = self.function_mut(device)?;
        fake.function
            .binding
            .driver_override
            .clone_from(&binding.driver_override);
        if fake.function.binding.driver == binding.driver {
            return Ok(());
        }
        self.unbind(device)?;
        self.faults.during("bind")?;
        match &binding.driver {
            Some(driver)
                if !self.unloaded.contains(driver) && self.function(device)?.takes(binding) =>
            {
                self.bind(device, driver)
            }
            Some(driver) => {
                let text = "no such device";
                Err(HostError::of_kind(
                    ErrorKind::Invalid,
                    device.to_string(),
                    format!("bind {driver}"),
                    text,
                ))
            }
            None => Ok(()),
        }
    }

    pub(super) fn unload(&mut self, driver: &str) {
        self.unloaded.insert(driver.to_owned());
        let bound = |fake: &FakeFunction| fake.function.binding.driver.as_deref() == Some(driver);
        let all: Vec<DeviceId> = self
            .functions
            .iter()
            .filter(|(_, fake)| bound(fake))
            .map(|(id, _)| *id)
            .collect();
        for id in all {
            // Fails only if the function does not exist.
            drop(self.unbind(&id));
        }
    }

    pub(super) fn rebind(&mut self, device: &DeviceId, binding: &Binding) -> Result<()> {
        self.unbind(device)?;
        self.faults.during("rebind")?;
        self.set_driver(device, binding)
    }

    /// Destroys the netdev, whatever namespace it is in. The real one blocks while a device node
    /// is open.
    fn unbind(&mut self, device: &DeviceId) -> Result<()> {
        if self.is_in_use(device) {
            let text = "the device node is open: this would block";
            return Err(HostError::of_kind(
                ErrorKind::Busy,
                device.to_string(),
                "unbind",
                text,
            ));
        }
        let fake = self.functions.get_mut(device).ok_or_else(|| gone(device))?;
        self.groups.leave(fake);
        (fake.link, fake.function.binding.driver) = (None, None);
        (fake.rdma_netns, fake.guids) = (HOST_NETNS, None);
        let is_pf = fake.function.vfs().is_some();
        for vf in if is_pf {
            self.vfs_of(device.pci())
        } else {
            vec![]
        } {
            self.functions.remove(&vf);
        }
        Ok(())
    }

    fn bind(&mut self, device: &DeviceId, driver: &str) -> Result<()> {
        let fake = self.functions.get_mut(device).ok_or_else(|| gone(device))?;
        self.groups.join(fake, driver)?;
        fake.function.binding.driver = Some(driver.to_owned());
        fake.read_guids();
        if !self.function(device)?.makes_netdev(driver) {
            return Ok(());
        }
        let [_, _, a, b] = self.next().to_be_bytes();
        let random_mac = Mac([0x02, 0xfa, 0xce, 0, a, b]);
        let (ifindex, name) = (self.next(), self.free_name("eth"));
        let named = self
            .udev
            .then(|| (self.free_name("udev"), Mac([0x02, 0xde, 0, 0, a, b])));
        let late = self.quirks.late_netdev;
        let fake = self.function_mut(device)?;
        let own = if fake.vf.is_some() {
            random_mac
        } else {
            fake.permanent
        };
        fake.unheard = false;
        let mac = fake.admin_mac().unwrap_or(own);
        let assigned = match fake.vf.is_some() && fake.admin_mac().is_none() {
            true => Assigned::Generated,
            false => Assigned::Permanent,
        };
        let mut link = FakeLink::fresh(HOST_NETNS, ifindex, name, mac, assigned);
        link.udev = named;
        link.late.set(late);
        if fake.is_infiniband() {
            link.netdev.state.mac = None;
        }
        fake.link = Some(link);
        Ok(())
    }

    /// As `dev_alloc_name` in `net/core/dev.c`: the first free `eth%d`.
    pub(super) fn free_name(&self, stem: &str) -> IfName {
        let taken = self.names(HOST_NETNS);
        let mut names = (0..)
            .map(|n| format!("{stem}{n}"))
            .filter(|name| !taken.contains(name));
        names
            .find_map(|name| name.parse().ok())
            .expect("there is always a free number")
    }

    pub(super) fn set_vf(&mut self, vf: &VfAddress, setting: &VfSetting) -> Result<()> {
        let of_kind = |kind, text| {
            let (subject, op) = (format!("pf {}", vf.pf), format!("set {setting}"));
            HostError::of_kind(kind, subject, op, text)
        };
        let refuse = |text| of_kind(ErrorKind::Invalid, text);
        let id = self.vf_id(vf).ok_or_else(|| refuse("invalid argument"))?;
        let is_guid = matches!(setting, VfSetting::NodeGuid(_) | VfSetting::PortGuid(_));
        if is_guid && !self.function(&id)?.is_infiniband() {
            // No `ndo_set_vf_guid` (`handle_vf_guid` in `net/core/rtnetlink.c`).
            return Err(of_kind(ErrorKind::Unsupported, "operation not supported"));
        }
        if let Some((kind, text)) = self.quirks.refusal(setting) {
            return Err(of_kind(kind, text));
        }
        if !self.function(&id)?.reset.over() {
            return Err(of_kind(ErrorKind::Busy, "device or resource busy"));
        }
        if self.reaches(&id) {
            self.exposed.push(format!("{id}: set {setting}"));
        }
        let (looks, eager) = (self.quirks.reset_looks, self.quirks.eager_mac);
        let fake = self.function_mut(&id)?;
        let held = fake.vf.as_mut();
        assign(held.ok_or_else(|| refuse("no virtual functions"))?, setting);
        fake.reset.set(looks);
        if let (VfSetting::Mac(mac), true, Some(link)) = (setting, eager, fake.link.as_mut())
            && *mac != Mac::ZERO
        {
            (link.netdev.state.mac, link.assigned) = (Some(*mac), Assigned::Permanent);
        }
        Ok(())
    }

    /// Whether a tenant can send through the function.
    fn reaches(&self, device: &DeviceId) -> bool {
        let link = self
            .functions
            .get(device)
            .and_then(|fake| fake.link.as_ref());
        let by_netdev = link.is_some_and(|link| {
            let upper_elsewhere = link.uppers.iter().any(|(_, at)| *at != HOST_NETNS);
            link.netdev.state.up && (link.netns != HOST_NETNS || upper_elsewhere)
        });
        let by_rdma = |fake: &FakeFunction| fake.rdma_netns != HOST_NETNS;
        by_netdev || self.is_in_use(device) || self.functions.get(device).is_some_and(by_rdma)
    }

    /// Whether its VFIO group is open.
    fn is_in_use(&self, device: &DeviceId) -> bool {
        let group = self.functions.get(device).and_then(|fake| {
            let driver = fake.function.binding.driver.as_deref()?;
            let group = fake.function.iommu_group?;
            NO_NETDEV.contains(&driver).then_some(group)
        });
        group.is_some_and(|group| self.open_nodes.contains(&format!("/dev/vfio/{group}")))
    }

    pub(super) fn link_in(&mut self, device: &DeviceId, netns: &Netns) -> Result<&mut FakeLink> {
        let link = self
            .function_mut(device)?
            .link
            .as_mut()
            .filter(|link| link.netns == netns.inode);
        link.ok_or_else(|| {
            HostError::of_kind(
                ErrorKind::Gone,
                format!("link of {device}"),
                "find",
                "no such device in this namespace",
            )
        })
    }

    pub(super) fn set_link(
        &mut self,
        device: &DeviceId,
        netns: &Netns,
        setting: &LinkSetting,
    ) -> Result<()> {
        let (now, admin) = (
            self.link_in(device, netns)?.netdev.state.clone(),
            self.function(device)?.admin_mac(),
        );
        let refuse = |errno| {
            let source = std::io::Error::from_raw_os_error(errno);
            Err(HostError::new(
                format!("link of {device}"),
                format!("set {setting}"),
                source,
            ))
        };
        if self.quirks.no_mac_setter && matches!(setting, LinkSetting::Mac(_)) {
            // EOPNOTSUPP.
            return refuse(95);
        }
        let others: Vec<String> = self
            .names(netns.inode)
            .into_iter()
            .filter(|name| *name != now.name.as_str())
            .collect();
        match setting {
            LinkSetting::Name(name) if others.iter().any(|other| other == name.as_str()) => {
                // EEXIST.
                return refuse(17);
            }
            LinkSetting::Mac(mac)
                if admin.is_some_and(|admin| admin != *mac)
                    && now.mac != Some(*mac)
                    && !self.overrides_pf(device)? =>
            {
                // EADDRNOTAVAIL: a VF's driver rejects other addresses than the administrative one.
                return refuse(99);
            }
            LinkSetting::Mtu(mtu)
                if self.function(device)?.max_mtu.is_some_and(|max| *mtu > max) =>
            {
                // EINVAL.
                return refuse(22);
            }
            // ENETUNREACH: the gateway of a link that is down cannot be resolved.
            LinkSetting::Route(route) if route.gw.is_some() && !now.up => return refuse(101),
            _ => {}
        }
        if let (LinkSetting::Mac(mac), true) = (setting, self.overrides_pf(device)?)
            && let Some(held) = self.function_mut(device)?.vf.as_mut()
        {
            held.mac = Some(*mac);
        }
        self.link_in(device, netns)?.set(setting);
        if matches!(setting, LinkSetting::Mac(_)) {
            let lost = self.quirks.lost_macs > 0;
            self.quirks.lost_macs -= u32::from(lost);
            self.function_mut(device)?.unheard = lost;
        }
        Ok(())
    }

    /// Whether the address that the VF sets replaces the one that its PF holds.
    fn overrides_pf(&self, device: &DeviceId) -> Result<bool> {
        let fake = self.function(device)?;
        let trusted = fake.vf.is_some_and(|held| held.trust == Some(true));
        Ok(self.quirks.trusted_mac && trusted && fake.admin_mac().is_some())
    }

    pub(super) fn move_link(
        &mut self,
        device: &DeviceId,
        from: &Netns,
        to: &Netns,
        name: &IfName,
    ) -> Result<()> {
        if self
            .link_in(device, to)
            .is_ok_and(|link| link.netdev.state.name == *name)
        {
            return Ok(());
        }
        let altnames = self.link_in(device, from)?.netdev.state.altnames.clone();
        let taken = self.names(to.inode);
        if taken
            .iter()
            .any(|other| other == name.as_str() || altnames.contains(other))
        {
            let source = std::io::Error::from_raw_os_error(17);
            return Err(HostError::new(
                format!("link of {device}"),
                format!("move as {name}"),
                source,
            ));
        }
        self.link_in(device, from)?.arrive(to.inode, name.clone());
        Ok(())
    }

    pub(super) fn add_residue(&mut self, device: &DeviceId, what: &str) -> Result<()> {
        let link = self
            .function_mut(device)?
            .link
            .as_mut()
            .ok_or_else(|| gone(device))?;
        link.residue.insert(what.to_owned());
        Ok(())
    }

    pub(super) fn add_upper(&mut self, device: &DeviceId, name: &str) -> Result<()> {
        let link = self.function_mut(device)?.link.as_mut();
        let link = link.ok_or_else(|| gone(device))?;
        link.uppers.insert((name.to_owned(), link.netns));
        Ok(())
    }

    pub(super) fn destroy_netns(&mut self, path: &Path) {
        let Ok(dying) = self.namespaces.open(path) else {
            return;
        };
        self.namespaces.forget(dying.inode);
        self.return_to_host(dying.inode);
        self.return_rdma(dying.inode);
    }

    pub(super) fn release_leaked_netns(&mut self) {
        for inode in self.namespaces.take_leaked() {
            self.return_to_host(inode);
            self.return_rdma(inode);
        }
    }

    /// What `default_device_exit_net` in `net/core/dev.c` does with physical netdevs of a namespace
    /// that is destroyed: they keep their name, or get `dev%d` if it is in use.
    fn return_to_host(&mut self, dying: u64) {
        let all: Vec<DeviceId> = self.functions.keys().copied().collect();
        for device in all {
            let (taken, spare) = (self.names(HOST_NETNS), self.free_name("dev"));
            let link = self
                .functions
                .get_mut(&device)
                .and_then(|fake| fake.link.as_mut());
            if let Some(link) = link.filter(|link| link.netns == dying) {
                let name = link.netdev.state.name.clone();
                link.arrive(
                    HOST_NETNS,
                    if taken.iter().any(|other| other == name.as_str()) {
                        spare
                    } else {
                        name
                    },
                );
            }
        }
    }

    pub(super) fn dump(&self) -> String {
        let mut text = String::new();
        for (id, fake) in &self.functions {
            let FakeFunction {
                function, vf, link, ..
            } = fake;
            let _ = writeln!(
                text,
                "{id} incarnation {} {:?}",
                function.incarnation, function.binding
            );
            let _ = writeln!(text, "{id} at pf {vf:?}");
            if let Some(guids) = fake.guids {
                let _ = writeln!(text, "{id} guids {guids:?}");
            }
            if fake.rdma_netns != HOST_NETNS {
                let _ = writeln!(text, "{id} rdma in {}", fake.rdma_netns);
            }
            let Some(FakeLink {
                netns,
                netdev,
                routes,
                residue,
                ..
            }) = link
            else {
                continue;
            };
            let _ = writeln!(
                text,
                "{id} link in {netns} {:?} {:?} {routes:?} {residue:?}",
                netdev.state, netdev.addresses
            );
        }
        text
    }
}

/// What a PF reports of a VF: an igb mirrors the address that the VF has given itself
/// (`igb_set_vf_mac_addr` in `drivers/net/ethernet/intel/igb/igb_main.c`).
fn reported(
    fake: &FakeFunction,
    link: Option<&FakeLink>,
    mirrors: bool,
) -> (Option<VfSettings>, Option<Origin>) {
    let own = link.and_then(|link| link.netdev.state.mac);
    let Some((mut vf, stored)) = fake.vf.and_then(|vf| Some((vf, vf.mac?))) else {
        return (fake.vf, None);
    };
    let mirrored = own.filter(|_| mirrors && !fake.unheard);
    let reported = fake.admin_mac().or(mirrored).unwrap_or(stored);
    let seen = vf_mac::origin(reported, own, link.map(|link| link.assigned));
    vf.mac = Some(seen.administrator);
    (Some(vf), Some(seen))
}

/// What a PF stores for a VF that it has just created, as far as it reports it.
fn new_vf(recorded: VfSettings) -> VfSettings {
    VfSettings {
        mac: recorded.mac.map(|_| Mac::ZERO),
        vlan: recorded.vlan.map(|_| VlanTag::default()),
        min_tx_rate: recorded.min_tx_rate.map(|_| 0),
        max_tx_rate: recorded.max_tx_rate.map(|_| 0),
        spoof_chk: recorded.spoof_chk.map(|_| true),
        trust: recorded.trust.map(|_| false),
        link_state: recorded.link_state.map(|_| LinkState::Auto),
        node_guid: recorded.node_guid.map(|_| Guid::ZERO),
        port_guid: recorded.port_guid.map(|_| Guid::ZERO),
    }
}

fn gone(device: &DeviceId) -> HostError {
    HostError::of_kind(
        ErrorKind::Gone,
        device.to_string(),
        "find",
        "no such device",
    )
}
