//! Sockets that are kept for the next request: opening one is seven system calls, and a thread in
//! another namespace than the process's own.

use std::{io, ops::Deref};

use super::Socket;
use crate::host::netns::Idle;

/// A socket that goes back to where it was taken from.
pub(in crate::host::linux) struct Kept {
    /// None only while it is dropped.
    socket: Option<Socket>,
    idle: Idle,
}

impl Kept {
    /// One of the idle ones, or a new one.
    pub(in crate::host::linux) fn of(
        idle: &Idle,
        open: impl FnOnce() -> io::Result<Socket>,
    ) -> io::Result<Self> {
        let socket = match idle.take() {
            Some(idle) => Socket::again(idle),
            None => open()?,
        };
        Ok(Self {
            socket: Some(socket),
            idle: idle.clone(),
        })
    }
}

impl Deref for Kept {
    type Target = Socket;

    fn deref(&self) -> &Socket {
        self.socket.as_ref().expect("is there until it is dropped")
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(socket) = self.socket.take().and_then(Socket::idle) {
            self.idle.give(socket);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::linux::link;

    #[test]
    fn a_socket_is_used_again_and_a_refused_request_is_an_answer() {
        let idle = Idle::default();
        let first = Kept::of(&idle, Socket::open).unwrap();
        assert!(link::by_index(&first, 0x7fff_fff0).unwrap().is_none());
        drop(first);
        let again = Kept::of(&idle, || unreachable!("one is idle")).unwrap();
        assert_eq!(link::by_index(&again, 1).unwrap().unwrap().name, "lo");
    }
}
