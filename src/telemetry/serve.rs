//! Serves `/livez`, `/readyz` and `/metrics` on a unix socket. A host port would prevent two agents
//! from running side by side during a rolling update.

use std::{
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::{Router, http::StatusCode, routing::get};
use tokio::{net::UnixListener, sync::watch, time::timeout};

use super::{Metrics, Readiness};
use crate::{
    host::in_flight::{self, Hung, InFlight},
    kubelet::ping,
};

/// How long the DRA service may take to answer the probe.
const PING: Duration = Duration::from_secs(4);

/// What the probes look at.
#[derive(Debug, Clone)]
pub struct Probed {
    /// Calls into the kernel.
    pub calls: InFlight,
    /// The DRA service's socket, once it serves.
    pub dra: watch::Receiver<Option<PathBuf>>,
}

/// The socket of the agent with this pod UID.
#[must_use]
pub fn agent_socket(run: &Path, pod_uid: &str) -> PathBuf {
    let suffix = if pod_uid.is_empty() {
        String::new()
    } else {
        format!("-{pod_uid}")
    };
    run.join(format!("agent{suffix}.sock"))
}

/// Serves until the task is dropped.
///
/// # Errors
/// The socket cannot be created.
pub async fn serve(
    socket: &Path,
    readiness: Readiness,
    metrics: Arc<Metrics>,
    probed: Probed,
) -> io::Result<()> {
    crate::files::remove(socket)?;
    let listener = UnixListener::bind(socket)?;
    let calls = probed.calls.clone();
    let ready = move || async move { response(fault(&readiness, &calls)) };
    let live = move || async move { response(dead(&probed).await) };
    let router = Router::new()
        .route("/livez", get(live))
        .route("/readyz", get(ready))
        .route("/metrics", get(move || async move { metrics.text() }));
    axum::serve(listener, router).await
}

fn response(fault: Option<String>) -> (StatusCode, String) {
    match fault {
        None => (StatusCode::OK, "ok\n".to_owned()),
        Some(fault) => (StatusCode::SERVICE_UNAVAILABLE, format!("{fault}\n")),
    }
}

/// Why the agent is not ready: what has not started, or calls into the kernel that hang. The claims
/// of those wait; all others are served.
fn fault(readiness: &Readiness, calls: &InFlight) -> Option<String> {
    let pending = readiness.pending();
    if !pending.is_empty() {
        return Some(format!("not started yet: {}", pending.join(", ")));
    }
    texts(&calls.longer_than(in_flight::LONG))
}

fn texts(hung: &[Hung]) -> Option<String> {
    let texts: Vec<String> = hung.iter().map(ToString::to_string).collect();
    (!texts.is_empty()).then(|| format!("calls into the kernel hang: {}", texts.join("; ")))
}

/// Why the agent is to be restarted: its DRA service does not answer a call that takes no lock and
/// makes no call into the kernel. Restarting ends no call that hangs there.
async fn dead(probed: &Probed) -> Option<String> {
    let socket = probed.dra.borrow().clone()?;
    match timeout(PING, ping(&socket)).await {
        Ok(answered) => answered.err(),
        Err(_) => Some(format!("{}: no answer in {PING:?}", socket.display())),
    }
}

/// Sends a request to an agent. Returns whether the status is 200, and the body.
///
/// # Errors
/// No agent listens, or no response within 5 s.
pub fn query(socket: &Path, path: &str) -> io::Result<(bool, String)> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: agent\r\nconnection: close\r\n\r\n"
    )?;
    let mut response = String::new();
    stream.read_to_string(&mut response)?;
    let (head, body) = response
        .split_once("\r\n\r\n")
        .ok_or(io::ErrorKind::InvalidData)?;
    Ok((head.starts_with("HTTP/1.1 200"), body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Agent {
        dir: tempfile::TempDir,
        readiness: Readiness,
        dra: watch::Sender<Option<PathBuf>>,
    }

    impl Agent {
        fn start() -> Self {
            let (dir, readiness) = (tempfile::tempdir().unwrap(), Readiness::default());
            let (socket, pending) = (agent_socket(dir.path(), "uid"), readiness.clone());
            let (dra, served) = watch::channel(None);
            let probed = Probed {
                calls: InFlight::default(),
                dra: served,
            };
            tokio::spawn(async move { serve(&socket, pending, Arc::default(), probed).await });
            Self {
                dir,
                readiness,
                dra,
            }
        }

        async fn get(&self, path: &'static str) -> (bool, String) {
            let socket = agent_socket(self.dir.path(), "uid");
            let response = tokio::task::spawn_blocking(move || {
                crate::deadline::Deadline::after(Duration::from_secs(10))
                    .poll(|| Ok::<_, io::Error>(query(&socket, path).ok()))
                    .unwrap()
                    .unwrap()
            });
            response.await.unwrap()
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn readyz_lists_what_has_not_started() {
        let agent = Agent::start();
        let task = agent.readiness.task("kubelet");
        let pending = (false, "not started yet: kubelet\n".to_owned());
        assert_eq!(agent.get("/readyz").await, pending);
        drop(task);
        assert_eq!(agent.get("/readyz").await, (true, "ok\n".to_owned()));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn livez_is_an_answer_of_the_dra_service() {
        let agent = Agent::start();
        assert_eq!(agent.get("/livez").await, (true, "ok\n".to_owned()));
        // One that accepts and never answers.
        let socket = agent.dir.path().join("dra.sock");
        let _silent = UnixListener::bind(&socket).unwrap();
        agent.dra.send_replace(Some(socket.clone()));
        let (alive, text) = agent.get("/livez").await;
        assert!(!alive && text.contains("dra.sock"), "{text}");
    }

    #[test]
    fn a_hung_call_is_named_by_readiness() {
        use crate::host::wrapped::{Around, Call};
        let calls = InFlight::default();
        let call = Call {
            verb: "set driver",
            subject: &"0000:3b:02.1",
            writes: true,
        };
        let hung = calls.around(call, || texts(&calls.longer_than(Duration::ZERO)));
        let expected = "calls into the kernel hang: set driver 0000:3b:02.1, for 0 s";
        assert_eq!(hung.as_deref(), Some(expected));
        assert_eq!(fault(&Readiness::default(), &calls), None);
    }
}
