//! The CNI binary's questions.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    time::{Instant, sleep, timeout},
};

use super::Networks;
use crate::cni::agent::{Answer, LONGEST, Question, TIMEOUT};

/// Who asks waits no longer than [`TIMEOUT`].
const ANSWER: Duration = Duration::from_secs(4);
/// Where no connection can be accepted: no descriptors are left.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until the task is dropped. The socket replaces that of an older agent, which goes on with
/// the connections that it has.
///
/// # Errors
/// The socket cannot be made.
pub(super) async fn serve(socket: &Path, networks: Networks) -> io::Result<()> {
    let bound = bind(socket)?;
    loop {
        match bound.listener.accept().await {
            Ok((stream, _)) => {
                let networks = networks.clone();
                tokio::spawn(async move {
                    let answered = timeout(TIMEOUT, exchange(stream, &networks)).await;
                    if let Ok(Err(error)) = answered {
                        tracing::debug!(%error, "question of the CNI binary");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "{}", socket.display());
                sleep(PAUSE).await;
            }
        }
    }
}

/// A socket that goes with its agent, unless a younger agent has put its own there.
struct Bound {
    listener: UnixListener,
    path: PathBuf,
    inode: u64,
}

impl Drop for Bound {
    fn drop(&mut self) {
        let is_own = |there: fs::Metadata| there.ino() == self.inode;
        if fs::symlink_metadata(&self.path).is_ok_and(is_own) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// By rename: at no time there is no socket, nor one that others may open.
fn bind(socket: &Path) -> io::Result<Bound> {
    let new = socket.with_extension("sock.new");
    crate::files::remove(&new)?;
    let listener = UnixListener::bind(&new)?;
    fs::set_permissions(&new, fs::Permissions::from_mode(0o600))?;
    let inode = fs::symlink_metadata(&new)?.ino();
    fs::rename(&new, socket)?;
    Ok(Bound {
        listener,
        path: socket.to_owned(),
        inode,
    })
}

async fn exchange(stream: UnixStream, networks: &Networks) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut line = Vec::new();
    let mut reader = BufReader::new(reader.take(LONGEST));
    reader.read_until(b'\n', &mut line).await?;
    let answer = match serde_json::from_slice::<Question>(&line) {
        Err(error) => Answer::Error(format!("question: {error}")),
        Ok(question) => match timeout(ANSWER, networks.answer(&question)).await {
            Ok(Ok(())) => Answer::Ok(true),
            Ok(Err(error)) => Answer::Error(error),
            Err(_) => Answer::Error(format!("no answer of the API server in {ANSWER:?}")),
        },
    };
    let mut line = serde_json::to_vec(&answer)?;
    line.push(b'\n');
    writer.write_all(&line).await
}

impl Networks {
    /// Looks at the pod again, and writes its file.
    async fn answer(&self, question: &Question) -> Result<(), String> {
        let Question {
            namespace, name, ..
        } = question;
        let found = self.wait(Instant::now() + ANSWER / 2, |pods| {
            match &question.pod_uid {
                Some(uid) => pods.by_uid(uid),
                None => pods.named(namespace, name),
            }
        });
        let pod = found.await.ok_or_else(|| match &question.pod_uid {
            Some(uid) => format!("pod {namespace}/{name} with UID {uid} is not on this node"),
            None => format!("there is not exactly one pod {namespace}/{name} on this node"),
        })?;
        if (&pod.namespace, &pod.name) != (namespace, name) {
            return Err(format!(
                "pod {namespace}/{name}: its UID is that of {}/{}",
                pod.namespace, pod.name
            ));
        }
        self.write(&pod).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_socket_goes_with_the_last_agent() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cni.sock");
        let (older, younger) = (bind(&path).unwrap(), bind(&path).unwrap());
        drop(older);
        assert!(path.exists(), "it is the younger one's");
        drop(younger);
        assert!(!path.exists());
    }
}
