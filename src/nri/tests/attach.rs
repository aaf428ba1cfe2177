//! Runtimes in each dialect and order, with an agent that attaches on the fake kernel.
//!
//! ```text
//!  containerd 1.7   StateChange           Stop, without the namespace's path ─► namespace ─► Remove
//!  containerd 2.0   StateChange           Stop ─► namespace ─► Remove
//!  containerd 2.3   a method per event    Stop ─► namespace ─► Remove
//!  CRI-O            a method per event    namespace ─► Stop ─► Remove
//! ```
//!
//! All call RunPodSandbox when the pod's network is there; CRI-O as the last step of the sandbox.

use super::*;
use crate::{
    attach::{Attacher, tests::bench::Bench as Node},
    nri::wire::Status,
};

struct Attached(Attacher);

impl Hooks for Attached {
    fn run(&self, sandbox: &Sandbox, deadline: Deadline) -> Result<(), String> {
        self.0.run(sandbox, deadline)
    }

    fn stop(&self, sandbox: &Sandbox) {
        self.0.stop(sandbox);
    }

    fn remove(&self, sandbox: &Sandbox) {
        self.0.remove(sandbox);
    }

    fn create_container(
        &self,
        sandbox: &Sandbox,
        container: &ContainerView,
        deadline: Deadline,
    ) -> Result<Variables, String> {
        self.0.create_container(sandbox, container, deadline)?;
        Ok(self.0.environment(container))
    }

    fn refused(&self, sandbox: &Sandbox) {
        self.0.refused(sandbox);
    }

    fn holding(&self) -> Vec<String> {
        self.0.holding()
    }

    fn synchronize(&self, living: Vec<Sandbox>, lost: Vec<String>) {
        self.0.synchronize(living, lost);
    }
}

/// How a runtime calls.
#[derive(Debug, Clone, Copy)]
struct Dialect {
    name: &'static str,
    state_change: bool,
    /// What it says at Stop of the namespace, which still exists then.
    stops_with_path: bool,
    /// The namespace is removed before Stop.
    removes_first: bool,
}

const DIALECTS: [Dialect; 4] = [
    Dialect {
        name: "containerd 1.7",
        state_change: true,
        stops_with_path: false,
        removes_first: false,
    },
    Dialect {
        name: "containerd 2.0",
        state_change: true,
        stops_with_path: true,
        removes_first: false,
    },
    Dialect {
        name: "containerd 2.3",
        state_change: false,
        stops_with_path: true,
        removes_first: false,
    },
    Dialect {
        name: "CRI-O",
        state_change: false,
        stops_with_path: true,
        removes_first: true,
    },
];

/// Milliseconds that the runtimes wait for an answer: not what is tested here, and a machine may be
/// busy.
const PATIENT: i64 = 600_000;

/// A node, its agent and its runtime.
struct World {
    dialect: Dialect,
    node: Node,
    listener: UnixListener,
    runtime: Runtime,
    before: String,
    _dir: tempfile::TempDir,
    _stop: oneshot::Sender<()>,
}

impl World {
    /// With a claim of pod `a`.
    async fn new(dialect: Dialect) -> Self {
        let node = Node::new();
        node.save(&node.record("a", 1));
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("nri.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let hooks = Arc::new(Attached(node.attacher()));
        let plugin = Plugin::new(socket, "sriov-dra", "10", hooks);
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(plugin.run(async move {
            let _ = stopped.await;
        }));
        let (mut runtime, _) = Runtime::accept(&listener).await;
        runtime.greet(PATIENT, Vec::new()).await;
        Self {
            before: node.fake.dump(),
            dialect,
            node,
            listener,
            runtime,
            _dir: dir,
            _stop: stop,
        }
    }

    async fn event(&mut self, event: api::Event, pod: api::PodSandbox) -> Result<Vec<u8>, Status> {
        let pod = Some(pod);
        if self.dialect.state_change {
            let change = api::StateChangeEvent {
                event: event as i32,
                pod,
                container: None,
            };
            return self.runtime.call("StateChange", &change).await;
        }
        let method = match event {
            api::Event::RunPodSandbox => "RunPodSandbox",
            api::Event::StopPodSandbox => "StopPodSandbox",
            api::Event::RemovePodSandbox => "RemovePodSandbox",
            _ => unreachable!("no event of a sandbox"),
        };
        self.runtime
            .call(method, &api::PodEventRequest { pod })
            .await
    }

    async fn run(&mut self, sandbox: &Sandbox) -> Result<(), Status> {
        let ran = self
            .event(api::Event::RunPodSandbox, described(sandbox))
            .await;
        ran.map(drop)
    }

    /// The end of a sandbox, in the runtime's order.
    async fn end(&mut self, sandbox: &Sandbox) {
        let path = sandbox.netns.clone().unwrap();
        let mut pod = described(sandbox);
        if !self.dialect.stops_with_path {
            pod.linux = None;
        }
        if self.dialect.removes_first {
            self.node.fake.destroy_netns(&path);
        }
        self.event(api::Event::StopPodSandbox, pod.clone())
            .await
            .unwrap();
        self.node.fake.destroy_netns(&path);
        self.event(api::Event::RemovePodSandbox, pod).await.unwrap();
    }

    async fn create(&mut self, sandbox: &Sandbox) -> Result<Vec<u8>, Status> {
        let mount = api::Mount {
            source: self.node.start_gate("a").display().to_string(),
            ..Default::default()
        };
        let container = api::Container {
            name: "main".into(),
            mounts: vec![mount],
            ..Default::default()
        };
        let create = api::CreateContainerRequest {
            pod: Some(described(sandbox)),
            container: Some(container),
        };
        self.runtime.call("CreateContainer", &create).await
    }

    /// The runtime starts anew, and finds these sandboxes.
    async fn restart(&mut self, pods: Vec<api::PodSandbox>) {
        let (nobody, _) = UnixStream::pair().unwrap();
        // Its connection is closed first.
        self.runtime = Runtime::over(nobody);
        self.runtime = Runtime::accept(&self.listener).await.0;
        self.runtime.greet(PATIENT, pods).await;
    }

    /// Hooks of an end go on after their answer; the record is written last.
    fn is_as_before(&self) {
        let end = Deadline::after(Duration::from_secs(60));
        let let_go = || self.node.attachment("a").is_none();
        let settled = end.poll(|| Ok::<_, ()>(let_go().then_some(())));
        let name = self.dialect.name;
        assert!(settled.unwrap().is_some(), "{name}");
        assert_eq!(self.node.fake.dump(), self.before, "{name}");
        assert!(!self.node.start_gate("a").exists(), "{name}");
    }
}

/// A sandbox as the runtime describes it.
fn described(sandbox: &Sandbox) -> api::PodSandbox {
    let namespace = api::LinuxNamespace {
        r#type: "network".into(),
        path: sandbox.netns.as_ref().unwrap().display().to_string(),
    };
    api::PodSandbox {
        id: sandbox.id.clone(),
        uid: sandbox.pod_uid.clone(),
        name: sandbox.name.clone(),
        namespace: sandbox.namespace.clone(),
        linux: Some(api::LinuxPodSandbox {
            namespaces: vec![namespace],
        }),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_pod_starts_and_ends() {
    for dialect in DIALECTS {
        let mut world = World::new(dialect).await;
        let (sandbox, netns) = world.node.sandbox("a", 1);
        let refused = world.create(&sandbox).await.unwrap_err();
        assert!(
            refused.message.contains("is not attached"),
            "{}",
            refused.message
        );
        // The refusal has it attached late, as if the hook had been missed: the hook finds it so.
        world.run(&sandbox).await.unwrap();
        let link = world.node.link(0, &netns).unwrap();
        assert!(link.state.up && link.state.name.as_str() == "net1");
        assert_eq!(world.create(&sandbox).await.unwrap(), [] as [u8; 0]);
        world.end(&sandbox).await;
        world.is_as_before();
    }
}

#[tokio::test]
async fn a_sandbox_that_is_made_again_gets_the_netdev() {
    for dialect in DIALECTS {
        let mut world = World::new(dialect).await;
        let (first, _) = world.node.sandbox("a", 1);
        world.run(&first).await.unwrap();
        let (second, netns) = world.node.sandbox("a", 2);
        world.run(&second).await.unwrap();
        // The end of the first comes late.
        world.end(&first).await;
        assert!(world.node.link(0, &netns).is_some(), "{}", dialect.name);
        world.create(&second).await.unwrap();
        world.create(&first).await.unwrap_err();
        world.end(&second).await;
        world.is_as_before();
    }
}

#[tokio::test]
async fn a_sandbox_whose_hook_fails_is_ended_by_its_runtime() {
    for dialect in DIALECTS {
        let mut world = World::new(dialect).await;
        let (sandbox, _) = world.node.sandbox("a", 1);
        world.node.fake.refuse("set mtu 9000", 22);
        let refused = world.run(&sandbox).await.unwrap_err();
        assert!(refused.message.contains("mtu 9000"), "{}", refused.message);
        world.end(&sandbox).await;
        world.is_as_before();
        world.node.fake.allow("set mtu 9000");
        let (again, netns) = world.node.sandbox("a", 2);
        world.run(&again).await.unwrap();
        assert!(world.node.link(0, &netns).is_some());
    }
}

#[tokio::test]
async fn what_happened_meanwhile_is_made_up_for() {
    for dialect in DIALECTS {
        let mut world = World::new(dialect).await;
        let (sandbox, netns) = world.node.sandbox("a", 1);
        // The runtime restarts; the pod's hook was missed.
        world.restart(vec![described(&sandbox)]).await;
        let end = Deadline::after(Duration::from_secs(60));
        let done = || world.node.attachment("a").is_some_and(|has| has.done);
        let attached = end.poll(|| Ok::<_, ()>(done().then_some(())));
        assert!(attached.unwrap().is_some(), "{}", dialect.name);
        assert!(world.node.link(0, &netns).is_some());
        // It restarts again, and the pod has ended.
        world
            .node
            .fake
            .destroy_netns(sandbox.netns.as_ref().unwrap());
        world.restart(Vec::new()).await;
        world.is_as_before();
    }
}
