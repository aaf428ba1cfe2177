//! A plugin's process: what it reads, what it writes, and how long it may take.

use std::{
    io::{self, Read, Write},
    process::{Child, ExitStatus, Output},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use crate::{deadline::Deadline, host::process::kill_group};

/// How long the output of a process that has ended is waited for: a child of it may hold the pipe.
const LINGER: Duration = Duration::from_secs(1);

/// Feeds and awaits the process.
pub(super) fn wait(mut child: Child, stdin: &[u8]) -> io::Result<Output> {
    let pipe = child.stdin.take();
    thread::scope(|scope| {
        // A plugin may answer before it has read everything, or read nothing.
        scope.spawn(move || pipe.map(|mut pipe| pipe.write_all(stdin)));
        child.wait_with_output()
    })
}

/// The same for the leader of a process group, which is killed when the time is over.
pub(super) fn wait_until(mut child: Child, stdin: &[u8], deadline: Deadline) -> io::Result<Output> {
    let (pipe, stdin) = (child.stdin.take(), stdin.to_vec());
    thread::spawn(move || pipe.map(|mut pipe| pipe.write_all(&stdin)));
    let (stdout, stderr) = (read(child.stdout.take()), read(child.stderr.take()));
    let status = deadline.poll(|| child.try_wait());
    match status {
        Ok(Some(status)) => Ok(output(status, &stdout, &stderr)),
        Ok(None) => {
            kill(&mut child);
            Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "did not end in time, and was killed",
            ))
        }
        Err(error) => {
            kill(&mut child);
            Err(error)
        }
    }
}

fn output(status: ExitStatus, stdout: &Receiver<Vec<u8>>, stderr: &Receiver<Vec<u8>>) -> Output {
    let text = |of: &Receiver<Vec<u8>>| of.recv_timeout(LINGER).unwrap_or_default();
    Output {
        status,
        stdout: text(stdout),
        stderr: text(stderr),
    }
}

fn read(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut text);
        }
        let _ = send.send(text);
    });
    receive
}

/// With its children. One that the kernel does not let go is not waited for.
fn kill(child: &mut Child) {
    kill_group(child.id());
    let _ = Deadline::after(LINGER).poll(|| child.try_wait());
}
