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
use tokio::net::UnixListener;

use super::{Metrics, Readiness};

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
pub async fn serve(socket: &Path, readiness: Readiness, metrics: Arc<Metrics>) -> io::Result<()> {
    crate::files::remove(socket)?;
    let listener = UnixListener::bind(socket)?;
    let ready = move || async move {
        match readiness.pending() {
            pending if pending.is_empty() => (StatusCode::OK, "ok\n".to_owned()),
            pending => (
                StatusCode::SERVICE_UNAVAILABLE,
                format!("not started yet: {}\n", pending.join(", ")),
            ),
        }
    };
    let router = Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(move || async move { metrics.text() }));
    axum::serve(listener, router).await
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

    #[tokio::test(flavor = "multi_thread")]
    async fn readyz_lists_what_has_not_started() {
        let dir = tempfile::tempdir().unwrap();
        let socket = agent_socket(dir.path(), "uid");
        let readiness = Readiness::default();
        let task = readiness.task("kubelet");
        let served = socket.clone();
        tokio::spawn(async move { serve(&served, readiness, Arc::default()).await });
        let readyz = || {
            let socket = socket.clone();
            tokio::task::spawn_blocking(move || {
                crate::deadline::Deadline::after(Duration::from_secs(10))
                    .poll(|| Ok::<_, io::Error>(query(&socket, "/readyz").ok()))
                    .unwrap()
                    .unwrap()
            })
        };
        assert_eq!(
            readyz().await.unwrap(),
            (false, "not started yet: kubelet\n".to_owned())
        );
        drop(task);
        assert_eq!(readyz().await.unwrap(), (true, "ok\n".to_owned()));
    }
}
