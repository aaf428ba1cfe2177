//! **The user** runs a user space data plane: a claim of a class that binds `vfio-pci`. Another
//! user overrides a class's driver and VLAN in a claim, as that class allows.
//!
//! **Must hold**: each container sees `/dev/vfio/vfio` and its VF's group and can open both, and no
//! other group; the PF shows the VLAN of the class, or of the claim that overrides it; afterwards
//! igbvf has the VF again, with its netdev under its old name and everything else as before.

use anyhow::{Context, Result, ensure};

use super::{Run, Scenario, VF_POD};
use crate::{device::Vf, lab::Lab, node::Node, pod::Pod, space::Space};

pub(super) const SCENARIO: Scenario = Scenario {
    letter: 'd',
    title: "vfio-pci by class, and by a claim that may override the class",
    run: Run::Node(run),
};

fn run(_: &Lab, node: &Node, space: &Space) -> Result<()> {
    let (first, second) = (node.vf(1, 0)?, node.vf(1, 1)?);
    let before = (first.dump()?, second.dump()?);
    space.step("a pod of class e2e-vfio, and one whose claim asks class e2e-open for vfio-pci and VLAN 300");
    let by_class = start(space, node, "by-class", "e2e-vfio", &first, "")?;
    let by_claim = start(
        space,
        node,
        "by-claim",
        "e2e-open",
        &second,
        "driver: vfio-pci, vlan: 300",
    )?;
    by_class.ready()?;
    by_claim.ready()?;
    sees_its_group(&by_class, &first).context("by class")?;
    sees_its_group(&by_claim, &second).context("by claim")?;
    ensure!(
        first.vlan()?.0 == 100,
        "VLAN {} instead of the class's 100",
        first.vlan()?.0
    );
    ensure!(
        second.vlan()?.0 == 300,
        "VLAN {} instead of the claim's 300",
        second.vlan()?.0
    );
    space.step("both containers open their groups; now the pods go");
    by_class.delete_soon()?;
    by_claim.delete()?;
    by_class.gone()?;
    first.is_again(&before.0)?;
    second.is_again(&before.1)
}

fn start(
    space: &Space,
    node: &Node,
    name: &str,
    class: &str,
    vf: &Vf,
    config: &str,
) -> Result<Pod> {
    space.run(
        node,
        name,
        VF_POD,
        &[
            ("class", class),
            ("selector", &vf.selector()),
            ("config", config),
        ],
    )
}

fn sees_its_group(pod: &Pod, vf: &Vf) -> Result<()> {
    ensure!(
        vf.driver()? == "vfio-pci",
        "{} is bound to {}",
        vf.pci,
        vf.driver()?
    );
    let group = vf.node.exec(
        r#"basename "$(readlink "/sys/bus/pci/devices/$1/iommu_group")""#,
        &[&vf.pci],
    )?;
    let group = group.trim();
    let seen = pod.exec("ls /dev/vfio")?;
    ensure!(
        seen.split_whitespace().eq([group, "vfio"]),
        "/dev/vfio has {seen:?} instead of {group} and vfio"
    );
    pod.exec(&format!("exec 3<>/dev/vfio/vfio 4<>/dev/vfio/{group}"))?;
    Ok(())
}
