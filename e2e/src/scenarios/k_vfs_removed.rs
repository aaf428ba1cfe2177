//! **The administrator** sets a port's `sriov_numvfs` to 0 and back to 7 while a pod holds one of
//! its VFs.
//!
//! **Must hold**: the slices follow within seconds; the VF of the pod stays listed, tainted as
//! gone, until its claim is; the pod can be deleted; nothing of the old claim is written onto the
//! newcomer at the same address.

use anyhow::{Result, ensure};

use super::{Run, Scenario, VF_POD};
use crate::{
    device::{Pf, slice_name},
    eventually::{SOON, eventually},
    lab::Lab,
    node::Node,
    slices,
    space::Space,
};

pub(super) const SCENARIO: Scenario = Scenario {
    letter: 'k',
    title: "sriov_numvfs 7 → 0 → 7 under a pod",
    run: Run::Node(run),
};

const GONE: &str = "sriov-dra.io/gone";

fn run(_: &Lab, node: &Node, space: &Space) -> Result<()> {
    let port = node.pfs()?.swap_remove(1);
    let result = vfs_come_and_go(node, space, &port);
    // Also after a failure in between the port has its VFs again.
    if node.pfs()?.swap_remove(1).vfs.len() != port.vfs.len() {
        port.set_num_vfs(u32::try_from(port.vfs.len())?)?;
    }
    result
}

fn vfs_come_and_go(node: &Node, space: &Space, port: &Pf) -> Result<()> {
    let vf = node.vf(1, 2)?;
    let values = [
        ("class", "e2e-blue"),
        ("selector", &*vf.selector()),
        ("config", ""),
    ];
    let pod = space.run(node, "holder", VF_POD, &values)?;
    pod.ready()?;
    space.step(format!("a pod holds {}; echo 0 >sriov_numvfs", vf.pci));
    port.set_num_vfs(0)?;
    let mine = slice_name(&vf.pci);
    eventually(
        "only the held VF of the port is listed, as gone",
        SOON,
        || {
            let devices = slices::devices(node)?;
            let of_port: Vec<_> = port
                .vfs
                .iter()
                .map(|vf| slice_name(&vf.pci))
                .filter(|n| devices.contains_key(n))
                .collect();
            ensure!(of_port == [mine.clone()], "listed: {of_port:?}");
            ensure!(
                devices[&mine].taints.contains(&GONE.to_owned()),
                "taints: {:?}",
                devices[&mine].taints
            );
            Ok(())
        },
    )?;

    space.step("echo 7 >sriov_numvfs");
    port.set_num_vfs(7)?;
    let devices = slices::follow(node, SOON)?;
    ensure!(
        devices[&mine].taints.contains(&GONE.to_owned()),
        "the newcomer may be allocated already"
    );
    let newcomer = vf.dump()?;
    pod.delete()?;
    space.step("the pod is deleted; the newcomer is as it came");
    newcomer.equals(&vf.dump()?)?;
    eventually("the newcomer is free", SOON, || {
        let taints = slices::devices(node)?
            .remove(&mine)
            .map(|device| device.taints);
        ensure!(taints == Some(Vec::new()), "taints: {taints:?}");
        Ok(())
    })?;
    let next = space.run(node, "next", VF_POD, &values)?;
    next.ready()?;
    next.delete()?;
    vf.is_again(&newcomer)
}
