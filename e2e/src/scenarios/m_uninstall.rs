//! **The administrator** uninstalls the release while a pod has a VF, then without one, and
//! installs it again.
//!
//! **Must hold**: the first is refused, with the pod's name, and the pod goes on; the second works,
//! and no file, no rule and no changed device is left on the nodes, and no slice; the driver works
//! again after the next installation. The definitions of policies stay, and so do policies: they
//! are the administrator's.

use anyhow::{Context, Result, ensure};

use super::{ANY, Run, Scenario, VF_POD};
use crate::{
    eventually::{SLOW, eventually},
    kube,
    lab::Lab,
    log::Log,
    node::Node,
    release::NAMESPACE,
    slices,
    space::Space,
};

pub(super) const SCENARIO: Scenario = Scenario {
    letter: 'm',
    title: "uninstall is refused while a claim is prepared, then leaves nothing",
    run: Run::Lab(run),
};

/// Nothing selects it.
const KEPT: &str = "
apiVersion: sriovnetwork.k8snetworkplumbingwg.io/v1alpha1
kind: DeviceAttributes
metadata: {name: kept}
spec: {attributes: {}}
";
const KEPT_PATH: &str = "/apis/sriovnetwork.k8snetworkplumbingwg.io/v1alpha1/namespaces/sriov-dra/deviceattributes/kept";

fn run(lab: &Lab, _: &[Node], log: &Log) -> Result<()> {
    let node = &lab.nodes[0];
    let before: Vec<_> = lab.nodes.iter().map(Node::dump).collect::<Result<_>>()?;
    lab.space(log, "e2e-m", |space| refused(lab, node, space))?;
    log.step("without pods: helm uninstall");
    kube::apply(NAMESPACE, KEPT)?.ok("kubectl apply")?;
    lab.release.uninstall()?.ok("helm uninstall")?;
    kube::get(KEPT_PATH).context("what the administrator wrote is gone")?;
    kube::delete(KEPT_PATH)?;
    for (node, before) in lab.nodes.iter().zip(&before) {
        nothing_is_left(node).with_context(|| node.name.clone())?;
        node.is_again(before)?;
    }
    log.step("nothing is left; helm install again");
    lab.release.install()?;
    for node in &lab.nodes {
        slices::follow(node, SLOW)?;
    }
    lab.space(log, "e2e-m-again", |space| {
        let pod = start(space, node, "again")?;
        pod.ready()?;
        pod.delete()
    })?;
    log.step("a pod ran; helm uninstall, the last step");
    lab.release.uninstall()?.ok("helm uninstall").map(drop)
}

fn start(space: &Space, node: &Node, name: &str) -> Result<crate::pod::Pod> {
    space.run(
        node,
        name,
        VF_POD,
        &[("class", "e2e-blue"), ("selector", ANY), ("config", "")],
    )
}

fn refused(lab: &Lab, node: &Node, space: &Space) -> Result<()> {
    let pod = start(space, node, "holder")?;
    pod.ready()?;
    let answer = lab.release.uninstall()?;
    ensure!(
        answer.code != 0,
        "helm uninstall went through while a pod has a VF"
    );
    let said = answer.out + &answer.err;
    ensure!(
        said.contains("holder"),
        "the refusal does not name the pod: {said}"
    );
    space.step("refused, and it says which pod");
    ensure!(pod.is_ready()?, "the pod was hurt");
    pod.link(node, "net1")?;
    pod.delete()
}

/// No slice, and no trace in the file system; what the kernel holds is in the dumps.
fn nothing_is_left(node: &Node) -> Result<()> {
    eventually("no slice is left", SLOW, || {
        let left = slices::identities(node)?;
        ensure!(left.is_empty(), "{left:?}");
        Ok(())
    })?;
    let script = r#"
        # The directories that the kubelet made for the mounts stay, empty.
        find /run /var/lib/cni /var/lib/kubelet/plugins /var/lib/kubelet/plugins_registry /etc/cdi /etc/cni \
          -xdev -path '*sriov*' -not -type d 2>/dev/null || true
        iptables-save | grep -i sriov || true
    "#;
    let left = node.exec(script, &[])?;
    ensure!(left.trim().is_empty(), "left on the node:\n{left}");
    Ok(())
}
