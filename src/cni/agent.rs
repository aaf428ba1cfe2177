//! Asks the agent to look at a pod again, when what it has written down does not do: the pod uses a
//! claim that was prepared for another one, or its annotations have changed.
//!
//! ```text
//!  <run>/cni.sock    one line each way:   {"podUid","namespace","name"}
//!                                         {"ok":true}   the pod's file is as the pod is now
//!                                         {"error":"…"}
//! ```

use std::{
    io::{self, BufRead, BufReader, ErrorKind, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::deadline::Deadline;

/// What asking may take.
pub const TIMEOUT: Duration = Duration::from_secs(5);
/// Longer lines are no questions.
pub const LONGEST: u64 = 4096;

/// Which pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// `K8S_POD_UID`; none: the only pod of that name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_uid: Option<String>,
    /// `K8S_POD_NAMESPACE`.
    pub namespace: String,
    /// `K8S_POD_NAME`.
    pub name: String,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Answer {
    /// The pod's file is as the pod is now.
    Ok(bool),
    /// It is not, and why.
    Error(String),
}

/// Why the agent was asked in vain.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// It is not there, or did not answer in time: the same may work later.
    #[error("{path}: {source}; is the agent running on this node?")]
    Away {
        /// Its socket.
        path: String,
        /// The operating system's error.
        source: io::Error,
    },
    /// It cannot do it.
    #[error("{0}")]
    Refused(String),
}

/// Asks, for [`TIMEOUT`] at most.
///
/// # Errors
/// See [`AgentError`].
pub fn ask(socket: &Path, question: &Question) -> Result<(), AgentError> {
    ask_within(socket, question, Deadline::after(TIMEOUT))
}

fn ask_within(socket: &Path, question: &Question, deadline: Deadline) -> Result<(), AgentError> {
    let away = |source| AgentError::Away {
        path: socket.display().to_string(),
        source,
    };
    match exchange(socket, question, deadline).map_err(away)? {
        Answer::Ok(_) => Ok(()),
        Answer::Error(text) => Err(AgentError::Refused(text)),
    }
}

fn exchange(socket: &Path, question: &Question, deadline: Deadline) -> io::Result<Answer> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_write_timeout(Some(left(deadline)?))?;
    let mut line = serde_json::to_vec(question)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut reader = BufReader::new(stream);
    let mut answer = Vec::new();
    while answer.last() != Some(&b'\n') {
        reader.get_ref().set_read_timeout(Some(left(deadline)?))?;
        let ready = reader.fill_buf().map_err(timed_out)?;
        if ready.is_empty() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let end = ready.iter().position(|byte| *byte == b'\n');
        let count = end.map_or(ready.len(), |end| end + 1);
        answer.extend_from_slice(&ready[..count]);
        reader.consume(count);
    }
    Ok(serde_json::from_slice(&answer)?)
}

fn left(deadline: Deadline) -> io::Result<Duration> {
    let left = deadline.left();
    if left.is_zero() {
        return Err(ErrorKind::TimedOut.into());
    }
    Ok(left)
}

/// A socket's timeout is reported as if it were not blocking.
fn timed_out(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::WouldBlock => ErrorKind::TimedOut.into(),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use std::{os::unix::net::UnixListener, thread};

    use super::*;

    fn question() -> Question {
        Question {
            pod_uid: Some("u".to_owned()),
            namespace: "shop".to_owned(),
            name: "web".to_owned(),
        }
    }

    /// Asks an agent that gives this answer.
    fn answered(answer: &'static str) -> (String, Result<(), AgentError>) {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("cni.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let agent = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            line
        });
        let result = ask(&socket, &question());
        (agent.join().unwrap(), result)
    }

    #[test]
    fn a_question_is_a_line_and_so_is_the_answer() {
        let (line, result) = answered("{\"ok\":true}\nmore");
        assert_eq!(
            line,
            "{\"podUid\":\"u\",\"namespace\":\"shop\",\"name\":\"web\"}\n"
        );
        result.unwrap();
        let (_, result) = answered("{\"error\":\"no such pod\"}\n");
        let AgentError::Refused(text) = result.unwrap_err() else {
            panic!("an answer is no absence");
        };
        assert_eq!(text, "no such pod");
    }

    #[test]
    fn who_does_not_answer_is_away() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("cni.sock");
        let deadline = || Deadline::after(Duration::from_millis(100));
        let asked = |question: &Question| ask_within(&socket, question, deadline()).unwrap_err();
        let is_away = |error: &AgentError| matches!(error, AgentError::Away { .. });
        assert!(is_away(&asked(&question())), "no socket");
        let listener = UnixListener::bind(&socket).unwrap();
        let silent = asked(&question());
        assert!(
            is_away(&silent) && silent.to_string().contains("timed out"),
            "{silent}"
        );
        drop(listener);
        assert!(is_away(&asked(&question())), "nobody listens");
        for half in ["", "{\"ok\":", "nonsense\n"] {
            let (_, result) = answered(half);
            assert!(is_away(&result.unwrap_err()), "{half:?}");
        }
    }
}
