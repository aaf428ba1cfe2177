//! Tests the plugin against a model of Go's NRI runtime.

mod attach;
mod fuzz;
mod runtime;

use std::{
    path::Path,
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use prost::Message as _;
use tokio::{
    net::{UnixListener, UnixStream},
    sync::{oneshot, watch},
};

use self::runtime::Runtime;
use super::{
    Hooks, Plugin, Variables,
    mux::Conn,
    trunk,
    ttrpc::{Kind, Message},
    wire::api,
};
use crate::{
    attach::{ContainerView, Sandbox},
    deadline::Deadline,
};

/// Hooks that record their calls, and behave as the pod's name says.
#[derive(Default)]
struct Notes {
    lines: Mutex<Vec<String>>,
    go: Mutex<Option<mpsc::Receiver<()>>>,
}

impl Notes {
    fn note(&self, line: String) {
        self.lines.lock().unwrap().push(line);
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}

impl Hooks for Notes {
    fn run(&self, sandbox: &Sandbox, deadline: Deadline) -> Result<(), String> {
        let netns = sandbox.netns.as_deref().unwrap_or(Path::new("-"));
        self.note(format!(
            "run {} {} within {}",
            sandbox.pod_uid,
            netns.display(),
            !deadline.passed()
        ));
        match sandbox.name.as_str() {
            "refused" => Err("claim ns/c: vf 0000:03:10.2 is attached to pod ns/other".into()),
            "long" => Err("x".repeat(20_000)),
            "slow" => {
                self.go.lock().unwrap().as_ref().unwrap().recv().unwrap();
                self.note("attached".into());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn stop(&self, sandbox: &Sandbox) {
        self.note(format!("stop {}", sandbox.id));
    }

    fn remove(&self, sandbox: &Sandbox) {
        self.note(format!("remove {}", sandbox.id));
    }

    fn create_container(
        &self,
        sandbox: &Sandbox,
        container: &ContainerView,
        _: Deadline,
    ) -> Result<Variables, String> {
        let mounts: Vec<_> = container
            .sources_below(Path::new("/run/x"))
            .map(|path| path.display().to_string())
            .collect();
        self.note(format!(
            "create {} {} {mounts:?}",
            sandbox.id, container.name
        ));
        if sandbox.name == "unattached" {
            Err("not attached yet".into())
        } else if sandbox.name == "joined" {
            Ok(vec![("PCIDEVICE_A".to_owned(), "1,2".to_owned())])
        } else {
            Ok(Vec::new())
        }
    }

    fn refused(&self, sandbox: &Sandbox) {
        self.note(format!("refused {}", sandbox.id));
    }

    fn holding(&self) -> Vec<String> {
        vec!["id-old".into(), "id-lost".into()]
    }

    fn synchronize(&self, living: Vec<Sandbox>, lost: Vec<String>) {
        self.note(format!(
            "synchronize {:?} without {lost:?}",
            living.iter().map(|s| &s.id).collect::<Vec<_>>()
        ));
    }
}

struct Bench {
    listener: UnixListener,
    notes: Arc<Notes>,
    ready: watch::Receiver<bool>,
    stop: oneshot::Sender<()>,
    plugin: tokio::task::JoinHandle<()>,
    dir: tempfile::TempDir,
}

fn bench() -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("nri.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let notes = Arc::new(Notes::default());
    let plugin = Plugin::new(
        socket,
        "sriov-dra",
        "10",
        Arc::clone(&notes) as Arc<dyn Hooks>,
    );
    let ready = plugin.ready();
    let (stop, stopped) = oneshot::channel::<()>();
    let plugin = tokio::spawn(plugin.run(async move {
        let _ = stopped.await;
    }));
    Bench {
        listener,
        notes,
        ready,
        stop,
        plugin,
        dir,
    }
}

fn pod(name: &str) -> api::PodSandbox {
    let netns = api::LinuxNamespace {
        r#type: "network".into(),
        path: "/run/netns/a".into(),
    };
    let linux = Some(api::LinuxPodSandbox {
        namespaces: vec![netns],
    });
    let text = |prefix: &str| format!("{prefix}-{name}");
    api::PodSandbox {
        id: text("id"),
        uid: text("uid"),
        name: name.into(),
        linux,
        ..Default::default()
    }
}

fn event(name: &str) -> api::PodEventRequest {
    api::PodEventRequest {
        pod: Some(pod(name)),
    }
}

#[tokio::test]
async fn the_events_of_a_sandbox_in_both_versions() {
    let mut bench = bench();
    let (mut runtime, registered) = Runtime::accept(&bench.listener).await;
    assert_eq!(
        (
            registered.plugin_name.as_str(),
            registered.plugin_idx.as_str()
        ),
        ("sriov-dra", "10")
    );
    assert!(!*bench.ready.borrow());
    runtime.greet(0, vec![pod("old")]).await;
    assert!(*bench.ready.wait_for(|ready| *ready).await.unwrap());

    let run = api::StateChangeEvent {
        event: 1,
        pod: Some(pod("a")),
        container: None,
    };
    runtime.call("StateChange", &run).await.unwrap();
    runtime.call("RunPodSandbox", &event("b")).await.unwrap();
    let mount = |source: &str| api::Mount {
        source: source.into(),
        ..Default::default()
    };
    let container = api::Container {
        name: "main".into(),
        mounts: vec![mount("/run/x/f"), mount("/etc")],
        ..Default::default()
    };
    let create = api::CreateContainerRequest {
        pod: Some(pod("b")),
        container: Some(container),
    };
    runtime.call("CreateContainer", &create).await.unwrap();
    runtime.call("StopPodSandbox", &event("b")).await.unwrap();
    runtime.call("RemovePodSandbox", &event("b")).await.unwrap();
    assert_eq!(
        runtime
            .call("PostStartContainer", &event("b"))
            .await
            .unwrap_err()
            .code,
        12
    );
    runtime.call("Shutdown", &api::Empty {}).await.unwrap();

    let six = Deadline::after(Duration::from_secs(60))
        .poll(|| Ok::<_, ()>(Some(bench.notes.lines()).filter(|l| l.len() == 6)));
    let mut lines = six
        .unwrap()
        .expect("synchronize runs on a thread of its own");
    lines.sort();
    assert_eq!(
        lines,
        [
            r#"create id-b main ["/run/x/f"]"#,
            "remove id-b",
            "run uid-a /run/netns/a within true",
            "run uid-b /run/netns/a within true",
            "stop id-b",
            r#"synchronize ["id-old"] without ["id-lost"]"#,
        ]
    );
    bench.stop.send(()).unwrap();
    bench.plugin.await.unwrap();
    assert!(!*bench.ready.borrow());
    drop(bench.dir);
}

#[tokio::test]
async fn a_long_error_arrives_complete() {
    let bench = bench();
    let (mut runtime, _) = Runtime::accept(&bench.listener).await;
    runtime.split = 3;
    runtime.greet(0, Vec::new()).await;
    let refused = runtime
        .call("RunPodSandbox", &event("refused"))
        .await
        .unwrap_err();
    assert_eq!(
        refused.message,
        "sriov-dra: claim ns/c: vf 0000:03:10.2 is attached to pod ns/other"
    );
    assert_eq!(refused.code, 2);
    let long = runtime
        .call("RunPodSandbox", &event("long"))
        .await
        .unwrap_err();
    assert_eq!(long.message.len(), 20_000 + "sriov-dra: ".len());
}

#[tokio::test]
async fn a_container_gets_variables() {
    let bench = bench();
    let (mut runtime, _) = Runtime::accept(&bench.listener).await;
    runtime.greet(0, Vec::new()).await;
    let create = |name: &str| api::CreateContainerRequest {
        pod: Some(pod(name)),
        container: None,
    };
    let answer = runtime.call("CreateContainer", &create("joined")).await;
    // Field 1 (adjust) with field 4 (env) with fields 1 (key) and 2 (value), as in NRI's api.proto.
    let pair = [b"\x0a\x0bPCIDEVICE_A".as_slice(), b"\x12\x031,2"].concat();
    let env = [&[0x22, pair.len() as u8][..], &pair].concat();
    let adjust = [&[0x0a, env.len() as u8][..], &env].concat();
    assert_eq!(answer.unwrap(), adjust);
    let answer = runtime.call("CreateContainer", &create("plain")).await;
    assert_eq!(answer.unwrap(), [] as [u8; 0]);
}

#[tokio::test]
async fn the_hook_for_a_refused_container_runs_after_the_response() {
    let bench = bench();
    let (mut runtime, _) = Runtime::accept(&bench.listener).await;
    runtime.greet(0, Vec::new()).await;
    let create = api::CreateContainerRequest {
        pod: Some(pod("unattached")),
        container: None,
    };
    runtime.call("CreateContainer", &create).await.unwrap_err();
    while !bench
        .notes
        .lines()
        .contains(&"refused id-unattached".to_owned())
    {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_slow_hook_is_answered_in_time_and_does_not_block_others() {
    let bench = bench();
    let (go, waits) = mpsc::channel();
    *bench.notes.go.lock().unwrap() = Some(waits);
    let (mut runtime, _) = Runtime::accept(&bench.listener).await;
    runtime.greet(400, Vec::new()).await;
    let slow = runtime
        .send_call("RunPodSandbox", event("slow").encode_to_vec())
        .await;
    runtime.call("StopPodSandbox", &event("b")).await.unwrap();
    runtime.answer(slow).await.unwrap();
    assert!(!bench.notes.lines().contains(&"attached".to_owned()));
    go.send(()).unwrap();
    while !bench.notes.lines().contains(&"attached".to_owned()) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_plugin_reconnects_after_a_restart_of_the_runtime() {
    let mut bench = bench();
    for _ in 0..3 {
        let (mut runtime, _) = Runtime::accept(&bench.listener).await;
        runtime.greet(0, Vec::new()).await;
        bench.ready.wait_for(|ready| *ready).await.unwrap();
        drop(runtime);
        bench.ready.wait_for(|ready| !*ready).await.unwrap();
    }
    // Invalid bytes end a connection only; the plugin reconnects.
    let (mut runtime, _) = Runtime::accept(&bench.listener).await;
    runtime.raw(&[0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff]).await;
    let (mut runtime, _) = Runtime::accept(&bench.listener).await;
    runtime.greet(0, Vec::new()).await;
    bench.ready.wait_for(|ready| *ready).await.unwrap();
}

/// The model of Go's reader must reject what Go rejects.
#[tokio::test]
async fn the_model_rejects_a_frame_over_4096_bytes() {
    for (size, fits) in [(4086, true), (4087, false)] {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let message = Message {
            stream: 1,
            kind: Kind::Response,
            payload: vec![7; size].into(),
        }
        .encoded();
        let mut wire = [1_u32.to_be_bytes(), (message.len() as u32).to_be_bytes()].concat();
        wire.extend(&message);
        Runtime::over(ours).raw(&wire).await;
        assert_eq!(Runtime::over(theirs).message(1).await.is_ok(), fits);
    }
    let (ours, theirs) = UnixStream::pair().unwrap();
    let message = Message {
        stream: 1,
        kind: Kind::Response,
        payload: vec![7; 20_000].into(),
    };
    let sent = tokio::spawn(async move { trunk::open(ours).1.send(Conn::Plugin, &message).await });
    assert_eq!(
        Runtime::over(theirs).message(1).await.unwrap().2.len(),
        20_000
    );
    sent.await.unwrap().unwrap();
}
