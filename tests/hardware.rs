//! The real kernel seam on real SR-IOV: `e2e/lab` runs this in a guest with
//! `hardware --ignored`. It takes a VF that nobody uses and leaves it as it was.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use sriov_dra::{
    deadline::Deadline,
    device::{
        Binding, DeviceId, FunctionKind, LinkSetting, LinkState, Mac, Observed, VfAddress,
        VfSetting, VlanProto, VlanTag,
    },
    host::{ErrorKind, Kernel, Netns, linux::Linux},
    paths::Paths,
};

/// A VF that nobody uses, and the kernel.
struct Bench {
    kernel: Linux,
    id: DeviceId,
    vf: VfAddress,
    home: Netns,
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(60))
}

impl Bench {
    fn new() -> Self {
        let kernel = Linux::new(Paths::default());
        let used = kernel.host_used().unwrap();
        let functions = kernel.functions().unwrap();
        let free = functions.iter().rev().find(|function| {
            let is_free = !used.contains(&function.id);
            function.netdev.is_some() && function.vf_address().is_some() && is_free
        });
        let function = free.expect("a VF with a netdev and of no use to the host");
        let home = kernel.open_netns(Path::new("/proc/self/ns/net")).unwrap();
        Self {
            id: function.id,
            vf: function.vf_address().unwrap(),
            home,
            kernel,
        }
    }

    fn look(&self) -> Observed {
        self.kernel.observe(&self.id).unwrap()
    }

    /// Assigns, and what `read` then finds.
    fn set<T>(&self, setting: VfSetting, read: impl Fn(&Observed) -> T) -> T {
        self.kernel
            .set_vf(&self.vf, &setting)
            .unwrap_or_else(|error| panic!("{error}"));
        read(&self.look())
    }

    fn refused(&self, setting: VfSetting) -> ErrorKind {
        let error = self.kernel.set_vf(&self.vf, &setting).unwrap_err();
        eprintln!("{error}");
        error.kind()
    }

    /// A fresh netdev, and udev has done with it: name, alternative names, persistent address.
    fn rebind(&self) {
        self.kernel.rebind(&self.id, soon()).unwrap();
        settle();
    }

    fn link(&self, netns: &Netns, setting: LinkSetting) {
        self.kernel
            .set_link(&self.id, netns, &setting)
            .unwrap_or_else(|error| panic!("{error}"));
    }
}

fn settle() {
    assert!(
        Command::new("udevadm")
            .arg("settle")
            .status()
            .unwrap()
            .success()
    );
}

/// A network namespace with a process in it, which ends with this.
struct Pod {
    process: Child,
    netns: Netns,
}

impl Pod {
    fn new(bench: &Bench) -> Self {
        let mut command = Command::new("unshare");
        let process = command
            .args(["-n", "sh", "-c", "echo; exec sleep 600"])
            .stdout(Stdio::piped())
            .spawn();
        let mut process = process.unwrap();
        std::io::Read::read(process.stdout.as_mut().unwrap(), &mut [0]).unwrap();
        let path = format!("/proc/{}/ns/net", process.id());
        Self {
            netns: bench.kernel.open_netns(Path::new(&path)).unwrap(),
            process,
        }
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
#[ignore = "needs an SR-IOV PF with VFs: e2e/lab"]
fn a_vf_through_its_whole_life() {
    let bench = Bench::new();
    let before = bench.look();
    eprintln!("{before:#?}");
    settings_read_back(&bench);
    a_given_address_holds_and_is_taken_away(&bench);
    a_driver_is_bound_and_bound_back(&bench);
    a_pod_has_the_netdev_and_gives_it_back(&bench);
    a_netdev_comes_home_when_its_namespace_dies(&bench);
    is_put_right(&bench, &before);
}

fn is_put_right(bench: &Bench, before: &Observed) {
    let home = before.netdev.clone().unwrap().home;
    bench.link(&bench.home, LinkSetting::Name(home.name.clone()));
    bench.link(&bench.home, LinkSetting::Altnames(home.altnames.clone()));
    bench.link(&bench.home, LinkSetting::Up(home.up));
    let after = bench.look();
    assert_eq!(
        (after.vf, after.function),
        (before.vf, before.function.clone())
    );
    assert_eq!(
        (
            after.netdev.clone().unwrap().home.name,
            after.netdev.unwrap().home.altnames
        ),
        (home.name, home.altnames)
    );
}

fn settings_read_back(bench: &Bench) {
    let before = bench.look().vf.unwrap();
    let tag = VlanTag {
        id: 100,
        qos: 3,
        proto: VlanProto::Ieee8021Q,
    };
    assert_eq!(
        bench.set(VfSetting::Vlan(tag), |seen| seen.vf.unwrap().vlan),
        Some(tag)
    );
    assert_eq!(
        bench.set(VfSetting::Vlan(VlanTag::default()), |seen| seen
            .vf
            .unwrap()
            .vlan),
        Some(VlanTag::default())
    );
    for on in [true, false] {
        assert_eq!(
            bench.set(VfSetting::SpoofChk(on), |seen| seen.vf.unwrap().spoof_chk),
            Some(on)
        );
        assert_eq!(
            bench.set(VfSetting::Trust(on), |seen| seen.vf.unwrap().trust),
            Some(on)
        );
    }
    for max in [100, 0] {
        assert_eq!(
            bench.set(VfSetting::Rate { min: 0, max }, |seen| seen
                .vf
                .unwrap()
                .max_tx_rate),
            Some(max)
        );
    }
    bench
        .kernel
        .set_vf(&bench.vf, &VfSetting::SpoofChk(before.spoof_chk.unwrap()))
        .unwrap();
    bench
        .kernel
        .set_vf(&bench.vf, &VfSetting::Trust(before.trust.unwrap()))
        .unwrap();
    assert_eq!(bench.look().vf.unwrap(), before);
    let s_tag = VlanTag {
        id: 100,
        qos: 0,
        proto: VlanProto::Ieee8021Ad,
    };
    assert_eq!(
        bench.refused(VfSetting::Vlan(s_tag)),
        ErrorKind::Unsupported,
        "igb"
    );
    assert_eq!(
        bench.refused(VfSetting::LinkState(LinkState::Enable)),
        ErrorKind::Unsupported,
        "igb"
    );
    let nobody = VfAddress {
        index: 99,
        ..bench.vf
    };
    assert_eq!(
        bench
            .kernel
            .set_vf(&nobody, &VfSetting::Trust(false))
            .unwrap_err()
            .kind(),
        ErrorKind::Invalid
    );
}

fn a_given_address_holds_and_is_taken_away(bench: &Bench) {
    let given = Mac([2, 0, 0, 0x5a, 0, 1]);
    let held = |seen: &Observed| seen.vf.unwrap().mac;
    assert_eq!(
        held(&bench.look()),
        Some(Mac::ZERO),
        "what the VF made up is not the administrator's"
    );
    assert_eq!(bench.set(VfSetting::Mac(given), held), Some(given));
    let stale = bench.look().netdev.unwrap();
    bench.rebind();
    let seen = bench.look();
    assert_ne!(seen.netdev.as_ref().unwrap().ifindex, stale.ifindex);
    assert_eq!(
        (seen.mac, held(&seen)),
        (Some(given), Some(given)),
        "read by the VF when it started"
    );
    bench
        .kernel
        .set_vf(&bench.vf, &VfSetting::Mac(Mac::ZERO))
        .unwrap();
    bench.rebind();
    let seen = bench.look();
    assert_ne!(seen.mac, Some(given));
    assert_eq!(held(&seen), Some(Mac::ZERO));
}

fn a_driver_is_bound_and_bound_back(bench: &Bench) {
    let before = bench.look().function.binding;
    let loaded = Command::new("modprobe").arg("vfio-pci").status().unwrap();
    assert!(loaded.success());
    let vfio = Binding {
        driver: Some("vfio-pci".into()),
        driver_override: Some("vfio-pci".into()),
    };
    for _ in 0..2 {
        bench.kernel.set_driver(&bench.id, &vfio, soon()).unwrap();
        let seen = bench.look();
        assert_eq!((seen.function.binding, seen.netdev), (vfio.clone(), None));
    }
    for _ in 0..2 {
        bench.kernel.set_driver(&bench.id, &before, soon()).unwrap();
    }
    settle();
    assert_eq!(bench.look().function.binding, before);
    let absent = Binding {
        driver: Some("uio_pci_generic_absent".into()),
        driver_override: None,
    };
    eprintln!(
        "{}",
        bench
            .kernel
            .set_driver(&bench.id, &absent, soon())
            .unwrap_err()
    );
    assert!(bench.look().netdev.is_some());
}

fn a_pod_has_the_netdev_and_gives_it_back(bench: &Bench) {
    let pod = Pod::new(bench);
    let before = bench.look().netdev.unwrap().home;
    let name = "net1".parse().unwrap();
    for _ in 0..2 {
        bench
            .kernel
            .move_link(&bench.id, &bench.home, &pod.netns, &name)
            .unwrap();
    }
    assert_eq!(bench.look().netdev, None);
    let names = bench.kernel.link_names(&pod.netns).unwrap();
    assert_eq!(
        names,
        [vec!["lo".into(), "net1".into()], before.altnames.clone()].concat()
    );
    bench.link(&pod.netns, LinkSetting::Mtu(1400));
    bench.link(&pod.netns, LinkSetting::Up(true));
    bench.link(
        &pod.netns,
        LinkSetting::Address("10.77.0.7/24".parse().unwrap()),
    );
    bench.kernel.announce(&bench.id, &pod.netns).unwrap();
    let there = bench.kernel.link(&bench.id, &pod.netns).unwrap().unwrap();
    assert_eq!(
        (there.home.mtu, there.home.up, !there.addresses.is_empty()),
        (1400, true, true)
    );
    bench
        .kernel
        .move_link(&bench.id, &pod.netns, &bench.home, &before.name)
        .unwrap();
    bench.link(&bench.home, LinkSetting::Mtu(before.mtu));
    bench.link(&bench.home, LinkSetting::Altnames(before.altnames.clone()));
    bench.link(&bench.home, LinkSetting::Up(before.up));
    assert_eq!(bench.look().netdev.unwrap().home, before);
    drop(pod);
}

fn a_netdev_comes_home_when_its_namespace_dies(bench: &Bench) {
    let pod = Pod::new(bench);
    bench
        .kernel
        .move_link(&bench.id, &bench.home, &pod.netns, &"net1".parse().unwrap())
        .unwrap();
    drop(pod);
    let home = || bench.kernel.link(&bench.id, &bench.home);
    let back = soon()
        .poll(home)
        .unwrap()
        .expect("the kernel sends it home");
    eprintln!("came home as {}", back.home.name);
    bench.rebind();
    let fresh = bench.look().netdev.unwrap();
    assert_ne!(fresh.ifindex, back.ifindex);
}

#[test]
#[ignore = "needs an SR-IOV PF with VFs: e2e/lab"]
fn the_number_of_vfs_changes_by_way_of_none() {
    let kernel = Linux::new(Paths::default());
    let functions = kernel.functions().unwrap();
    let (pf, total, count) = functions
        .iter()
        .rev()
        .find_map(|function| match function.kind {
            FunctionKind::Pf { total_vfs, num_vfs } if num_vfs > 0 => {
                Some((function.id.pci(), total_vfs, num_vfs))
            }
            _ => None,
        })
        .unwrap();
    let vfs = || {
        kernel
            .functions()
            .unwrap()
            .iter()
            .filter(|f| f.pf() == Some(pf) && f.vf_address().is_some())
            .count()
    };
    let incarnations = |kernel: &Linux| -> Vec<u64> {
        kernel
            .functions()
            .unwrap()
            .iter()
            .filter(|f| f.pf() == Some(pf))
            .map(|f| f.incarnation)
            .collect()
    };
    let before = incarnations(&kernel);
    let other = if count > 1 { count - 1 } else { total };
    for wanted in [other, count, 0, count] {
        kernel.set_num_vfs(&pf, wanted).unwrap();
        assert_eq!(vfs(), wanted as usize);
    }
    let after = incarnations(&kernel);
    assert_eq!(before[0], after[0], "the PF is the same");
    assert!(
        before[1..].iter().all(|vf| !after.contains(vf)),
        "its VFs are others"
    );
    assert_eq!(
        kernel.set_num_vfs(&pf, total + 1).unwrap_err().kind(),
        ErrorKind::Invalid
    );
    assert_eq!(vfs(), count as usize);
}
