//! The policies that apply to this node. What was read stands while the server cannot be asked.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokio::sync::Notify;

use super::changes::Changes;
use crate::{
    api::Attribute,
    cluster::{self, PolicyView},
    device::DeviceId,
    pool::{Assignment, Candidate},
    resource_policy::{Library, Node},
};

/// The policies as the server has them, and what was read of them.
#[derive(Debug)]
pub(super) struct Policies {
    /// None: this agent follows no policies.
    view: Option<cluster::Policies>,
    node: Node,
    library: Library,
    read: PolicyView,
    /// Whether every object could be read once: until then, what is published may follow an object
    /// that was valid before.
    begun: bool,
    /// Whether all that is needed is known now.
    known: bool,
    dropped: usize,
    logged: BTreeSet<String>,
    empty: Changes,
}

/// Attributes of each device.
type PolicyAttributes = BTreeMap<DeviceId, BTreeMap<String, Attribute>>;

impl Policies {
    /// Without a view there are no policies.
    pub(super) fn new(
        view: Option<cluster::Policies>,
        node: &str,
        driver: &str,
        prefix: &str,
    ) -> Self {
        let (read, begun, known, dropped) = (PolicyView::default(), false, view.is_none(), 0);
        let node = Node {
            name: node.to_owned(),
            labels: BTreeMap::new(),
        };
        Self {
            view,
            node,
            library: Library::new(driver, prefix),
            read,
            begun,
            known,
            dropped,
            logged: BTreeSet::new(),
            empty: Changes::default(),
        }
    }

    /// Takes what is new. What is wrong is logged once.
    pub(super) fn reload(&mut self) {
        let Some(view) = self.changed() else { return };
        if let Some(objects) = view.objects() {
            self.library.read(&objects);
            self.node.labels = view.labels.clone().unwrap_or_default();
            self.begun |= self.library.all_known();
            self.known = self.begun && (view.labels.is_some() || !self.library.needs_labels());
            tracing::info!(
                policies = objects.policies.len(),
                attributes = objects.attributes.len(),
                "policies"
            );
        }
        self.read = view;
        for problem in self.library.problems() {
            if self.logged.insert(problem.to_string()) {
                tracing::warn!("{problem}");
            }
        }
    }

    /// What the server says, if it is not what was read. Borrowed once: a second borrow beside the
    /// first waits for whoever waits for the first.
    fn changed(&self) -> Option<PolicyView> {
        let now = self.view.as_ref()?.borrow();
        (*now != self.read).then(|| now.clone())
    }

    /// The pools of config.json and of policies, and the attributes that policies give; none of
    /// these as long as it is not known which.
    pub(super) fn join(
        &mut self,
        devices: &[Candidate],
        pools: Option<Assignment>,
    ) -> (Option<Assignment>, Option<PolicyAttributes>) {
        let Some(pools) = pools else {
            return (None, None);
        };
        if !self.known {
            return (Some(pools), None);
        }
        let decision = self.library.assign(&self.node, devices, &pools);
        for warning in &decision.warnings {
            if self.logged.insert(warning.clone()) {
                tracing::warn!("{warning}");
            }
        }
        for line in self.empty.new_ones(decision.empty.iter().cloned()) {
            tracing::warn!("{line}");
        }
        self.dropped = decision.dropped;
        let (pools, policy_attributes) = decision.join(pools);
        (Some(pools), Some(policy_attributes))
    }

    /// How many things in policies and DeviceAttributes cannot be used.
    pub(super) fn bad(&self) -> usize {
        self.library
            .problems()
            .iter()
            .filter(|problem| problem.bad)
            .count()
    }

    /// For how many attributes, over all devices, there is no room.
    pub(super) fn dropped(&self) -> usize {
        self.dropped
    }
}

/// Notifies when the server's objects have changed. Runs until the task is dropped.
pub(super) async fn watch(view: Option<cluster::Policies>, changed: Arc<Notify>) {
    let Some(mut view) = view else {
        return std::future::pending().await;
    };
    while view.changed().await.is_ok() {
        changed.notify_one();
    }
    std::future::pending().await
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        cluster::{Cluster, Memory},
        host::{Kernel, fake::Fake},
        inventory,
        node::pool_config::candidates,
        publish::{self, Desired, PublishInput, Published},
        resource_policy::{Kind, Object, Objects},
        slice::{self, Features},
    };

    const NET: &str = "k8s.cni.cncf.io/resourceName";

    fn object(kind: Kind, name: &str, spec: Value) -> Object {
        let (namespace, uid, labels) = (
            "sriov".into(),
            name.into(),
            [("pool".to_owned(), name.to_owned())].into(),
        );
        Object {
            kind,
            namespace,
            name: name.into(),
            uid,
            generation: 1,
            labels,
            spec,
            status: Value::Null,
        }
    }

    /// A policy that gives the pool of its name to the first VF of the first port.
    fn objects(nodes: Value) -> Objects {
        let give = json!({"deviceAttributesSelector": {"matchLabels": {"pool": "net"}},
            "resourceFilters": [{"pfPciAddresses": ["0000:01:00.0#0"]}]});
        let attributes = json!({"attributes": {NET: {"string": "net"}, "example.com/colour": {"string": "red"}}});
        Objects {
            policies: vec![object(
                Kind::Policy,
                "p",
                json!({"nodeSelector": nodes, "configs": [give]}),
            )],
            attributes: vec![object(Kind::Attributes, "net", attributes)],
        }
    }

    /// The agent's way from the server's objects to slices, as `publication` goes it.
    struct Agent {
        policies: Policies,
        published: Published,
    }

    impl Agent {
        fn of(memory: &Memory) -> Self {
            let published = Published {
                devices: BTreeMap::new(),
                features: Features {
                    counters: true,
                    taints: true,
                },
            };
            let view = Some(memory.policies("sriov"));
            Self {
                policies: Policies::new(view, "node-1", "sriov-dra.io", "intel.com"),
                published,
            }
        }

        fn desired(&mut self) -> Desired {
            let kernel: &dyn Kernel = &Fake::igb();
            let inventory = inventory::observe(kernel).unwrap();
            self.policies.reload();
            let devices = candidates(&inventory, |_| None, &self.published);
            let (pools, policy_attributes) =
                self.policies.join(&devices, Some(Assignment::default()));
            publish::slices(&PublishInput {
                driver: "sriov-dra.io",
                inventory: &inventory,
                claimed: &BTreeMap::new(),
                taints: &BTreeMap::new(),
                pools: pools.as_ref(),
                policy_attributes: policy_attributes.as_ref(),
                published: &self.published,
            })
        }

        /// Publishes; which devices have which pool and colour then.
        fn publish(&mut self) -> Vec<String> {
            let desired = self.desired();
            let devices = desired.slices.iter().flat_map(|slice| slice.devices());
            self.published.devices = devices
                .map(|device| (device.name.clone(), device.clone()))
                .collect();
            let in_pools = self
                .published
                .devices
                .values()
                .filter(|device| !device.text("pool").is_empty());
            let line = |device: &slice::Device| {
                let texts =
                    ["pciAddress", "pool", NET, "example.com/colour"].map(|name| device.text(name));
                texts.join(" ")
            };
            in_pools.map(line).collect()
        }
    }

    #[tokio::test]
    async fn policies_are_followed_and_leave_nothing_when_they_go() {
        let memory = Memory::default();
        let mut agent = Agent::of(&memory);
        let before = agent.desired();
        assert_eq!(agent.publish(), [""; 0]);
        memory.write_policies(objects(Value::Null));
        let one = agent.publish();
        assert!(
            one.len() == 1 && one[0].ends_with(" intel.com/net net red"),
            "{one:?}"
        );
        let mut bad = objects(Value::Null);
        bad.policies[0].spec["configs"][0]["resourceFilters"][0]["driver"] = json!(["x"]);
        memory.write_policies(bad);
        assert_eq!(
            (agent.publish(), agent.policies.bad()),
            (one.clone(), 1),
            "the last good state stays"
        );
        memory.forget_policies();
        assert_eq!(
            agent.publish(),
            one,
            "as does what was read when the server is away"
        );
        memory.write_policies(Objects::default());
        assert_eq!(agent.publish(), [""; 0]);
        assert_eq!(agent.desired(), before, "no attribute stays");
    }

    #[tokio::test]
    async fn an_agent_that_starts_anew_changes_nothing_before_it_has_read_everything() {
        let memory = Memory::default();
        memory.write_policies(objects(Value::Null));
        let mut old = Agent::of(&memory);
        let published = (old.publish(), old.published.clone());
        memory.forget_policies();
        let mut new = Agent {
            published: published.1,
            ..Agent::of(&memory)
        };
        assert_eq!(new.publish(), published.0);
        let mut bad = objects(Value::Null);
        bad.policies[0].spec["configs"][0]["resourceFilters"][0]["pfNames"] = json!(["ens1f0#x"]);
        memory.write_policies(bad.clone());
        assert_eq!(
            new.publish(),
            published.0,
            "nobody knows what it said when it was good"
        );
        memory.write_policies(objects(Value::Null));
        assert_eq!(new.publish(), published.0);
        bad.policies[0].name = "another".into();
        memory.write_policies(bad);
        assert_eq!(
            new.publish(),
            [""; 0],
            "a new one that was never good does nothing"
        );
    }

    #[tokio::test]
    async fn the_nodes_labels_decide_and_are_waited_for() {
        let memory = Memory::default();
        let mut agent = Agent::of(&memory);
        let term =
            json!([{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}]);
        memory.write_policies(objects(json!({"nodeSelectorTerms": term})));
        assert_eq!(agent.publish(), [""; 0], "no labels yet");
        memory.label_node(&[("zone", "a")]);
        assert_eq!(agent.publish().len(), 1);
        memory.label_node(&[("zone", "b")]);
        assert_eq!(agent.publish(), [""; 0]);
    }

    #[tokio::test]
    async fn a_policy_touches_the_slices_of_its_devices_only() {
        let memory = Memory::default();
        let mut agent = Agent::of(&memory);
        let before = agent.desired();
        assert!(before.slices.len() > 2);
        memory.write_policies(objects(Value::Null));
        let after = agent.desired();
        let changed = before
            .slices
            .iter()
            .zip(&after.slices)
            .filter(|(one, two)| one != two)
            .count();
        assert_eq!((after.slices.len(), changed), (before.slices.len(), 1));
        assert_eq!(agent.desired(), after, "the same gives the same");
    }
}
