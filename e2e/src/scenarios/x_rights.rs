//! **An attacker** has taken over a node, and has the token of its agent.
//!
//! **Must hold**: with it the status of a claim on another node cannot be changed, nor the
//! allocation and reservations of any claim, nor what other drivers report, nor slices of another
//! node or in its pool, nor classes; claims and nodes cannot be listed. The agent itself can report the state of
//! its own devices.

use anyhow::{Context, Error, Result, bail, ensure};
use serde_json::{Value, json};

use super::{Run, Scenario};
use crate::{
    claim::Claim,
    command::{self, Answer},
    kube::{self, text},
    lab::Lab,
    log::Log,
    node::Node,
    release::{self, NAMESPACE},
    slices::DRIVER,
    space::Space,
};

pub(super) const SCENARIO: Scenario = Scenario {
    letter: 'x',
    title: "an agent's token is good for its own node only",
    run: Run::Lab(run),
};

const CLAIM: &str = include_str!("../../manifests/hand-made-claim.yaml");
/// No device: nothing that runs here takes notice of the claims.
const DEVICE: &str = "0000-ff-1f-7";
const OTHER_DRIVER: &str = "other.example.com";

fn run(lab: &Lab, _: &[Node], log: &Log) -> Result<()> {
    lab.space(log, "e2e-x", |space| {
        let names: Vec<&str> = lab.nodes.iter().map(|node| node.name.as_str()).collect();
        hold(names[0], names[1], space)
    })
}

/// What must hold for the agent of the node `own`.
pub(super) fn hold(own: &str, other: &str, space: &Space) -> Result<()> {
    let agent = Agent::of(own, space)?;
    for node in [own, other] {
        allocated(node, space)?;
    }
    let ready = json!([{"type": "Ready", "status": "True", "reason": "Prepared", "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z"}]);
    let reported =
        |node: &str| json!({"driver": DRIVER, "pool": node, "device": DEVICE, "conditions": ready});
    let devices = |all: Value| json!({"devices": all});
    agent.may(own, &devices(json!([foreign(own), reported(own)])))?;
    let refused = [
        (
            "another node's device",
            other,
            devices(json!([foreign(other), reported(other)])),
        ),
        (
            "another node's allocation",
            other,
            json!({"allocation": null, "devices": null}),
        ),
        (
            "another node's reservation",
            other,
            json!({"reservedFor": [{"resource": "pods", "name": "x", "uid": "x"}]}),
        ),
        (
            "its own claim's allocation",
            own,
            json!({"allocation": {"devices": {"results": [result(DRIVER, other)]}}}),
        ),
        (
            "its own claim's reservation",
            own,
            json!({"reservedFor": [{"resource": "pods", "name": "x", "uid": "x"}]}),
        ),
        (
            "another driver's report",
            own,
            devices(json!([reported(own)])),
        ),
    ];
    for (what, claim, status) in &refused {
        agent.may_not(what, claim, status)?;
    }
    agent.is_refused("a slice of another node", &slice(other, other))?;
    agent.is_refused("a slice in another node's pool", &slice(own, other))?;
    for what in ["resourceclaims", "nodes", "configmaps", "secrets"] {
        let listed = agent.kubectl(&["get", what, "--all-namespaces"], "")?;
        forbidden(&format!("list of {what}"), &listed)?;
    }
    let classes = agent.kubectl(&["delete", "deviceclass", "e2e-blue"], "")?;
    forbidden("deletion of a class", &classes)?;
    space.step(format!(
        "the token of the agent of {own} is good for {own} only"
    ));
    Ok(())
}

/// Who has the token.
struct Agent<'a> {
    node: String,
    token: String,
    space: &'a Space,
}

impl<'a> Agent<'a> {
    fn of(node: &str, space: &'a Space) -> Result<Self> {
        let pods = release::agent_pods(node)?;
        let pod = pods.first().context("no agent")?;
        let account = text(pod, "/spec/serviceAccountName");
        let bound = ["--bound-object-kind=Pod", "--bound-object-name"];
        let name = text(pod, "/metadata/name");
        let create = ["create", "token", account, "-n", NAMESPACE];
        let token = kube::kubectl(&[&create[..], &bound, &[name]].concat())?;
        Ok(Self {
            node: node.to_owned(),
            token: token.trim().to_owned(),
            space,
        })
    }

    fn kubectl(&self, args: &[&str], input: &str) -> Result<Answer> {
        let token = format!("--token={}", self.token);
        command::answer("kubectl", &[&[token.as_str()], args].concat(), input)
    }

    fn patch(&self, claim: &str, status: &Value) -> Result<Result<Value, String>> {
        let claim = kube::path("resourceclaims", &self.space.name, claim);
        let patch = json!({"status": status});
        kube::patch_as(&self.token, &format!("{claim}/status"), &patch)
    }

    fn may(&self, claim: &str, status: &Value) -> Result<()> {
        let answer = self.patch(claim, status)?;
        let what = || format!("the agent of {} reports its device", self.node);
        answer.map(drop).map_err(Error::msg).with_context(what)
    }

    /// Refused, and the claim is as it was.
    fn may_not(&self, what: &str, claim: &str, status: &Value) -> Result<()> {
        let before = self.status(claim)?;
        let Err(why) = self.patch(claim, status)? else {
            bail!("{what}: was let through");
        };
        let after = self.status(claim)?;
        ensure!(before == after, "{what}: {before} became {after}");
        self.space.step(format!("{what}: {why}"));
        Ok(())
    }

    fn is_refused(&self, what: &str, object: &Value) -> Result<()> {
        let answer = self.kubectl(&["create", "-f", "-"], &object.to_string())?;
        forbidden(what, &answer)
    }

    fn status(&self, claim: &str) -> Result<Value> {
        let claim = kube::get(&kube::path("resourceclaims", &self.space.name, claim))?;
        claim.get("status").cloned().context("no status")
    }
}

fn forbidden(what: &str, answer: &Answer) -> Result<()> {
    let says = answer.err.to_lowercase();
    ensure!(
        answer.code != 0 && (says.contains("forbidden") || says.contains("denied request")),
        "{what}: exit code {}: {}{}",
        answer.code,
        answer.out,
        answer.err
    );
    Ok(())
}

/// As the scheduler would: a claim that is named after its node has a device there of this driver
/// and one of another, which has reported its state.
fn allocated(node: &str, space: &Space) -> Result<()> {
    space.apply(CLAIM, &[("claim", node)])?;
    let here = json!({"key": "metadata.name", "operator": "In", "values": [node]});
    let status = json!({"status": {
        "allocation": {
            "nodeSelector": {"nodeSelectorTerms": [{"matchFields": [here]}]},
            "devices": {"results": [result(DRIVER, node), result(OTHER_DRIVER, node)]},
        },
        "devices": [foreign(node)],
    }});
    let claim = Claim {
        namespace: space.name.clone(),
        name: node.to_owned(),
    };
    let what = [
        "patch",
        "resourceclaim",
        &claim.name,
        "--subresource=status",
    ];
    let how = ["-n", &claim.namespace, "--type=merge", "-p"];
    kube::kubectl(&[&what[..], &how, &[&status.to_string()]].concat()).map(drop)
}

fn result(driver: &str, node: &str) -> Value {
    let request = if driver == DRIVER { "own" } else { "other" };
    json!({"request": request, "driver": driver, "pool": node, "device": DEVICE})
}

fn foreign(node: &str) -> Value {
    json!({"driver": OTHER_DRIVER, "pool": node, "device": DEVICE, "data": {"by": "its driver"}})
}

fn slice(node: &str, pool: &str) -> Value {
    json!({
        "apiVersion": "resource.k8s.io/v1", "kind": "ResourceSlice", "metadata": {"name": "e2e-x"},
        "spec": {"driver": DRIVER, "nodeName": node, "devices": [],
            "pool": {"name": pool, "generation": 1, "resourceSliceCount": 1}},
    })
}
