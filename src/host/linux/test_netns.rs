//! Network namespaces for tests, with veths as stand-ins for devices.
//!
//! Created by unshare(2) on threads of their own and configured with `ip`, which also checks the
//! results independently. Without CAP_SYS_ADMIN the tests fail.

use std::{path::Path, process::Command};

use super::{
    link::{self, Link},
    netlink::Socket,
    netns,
};
use crate::host::Netns;

/// A new namespace, destroyed when dropped.
#[derive(Clone)]
pub(super) struct TestNetns {
    pub(super) netns: Netns,
}

impl TestNetns {
    /// A new namespace in which these `ip` commands ran.
    pub(super) fn new(commands: &[&str]) -> Self {
        let netns = std::thread::spawn(|| {
            unshare();
            netns::open(Path::new("/proc/thread-self/ns/net")).unwrap()
        });
        let ns = Self {
            netns: netns.join().unwrap(),
        };
        commands.iter().for_each(|command| drop(ns.ip(command)));
        ns
    }

    /// Runs `ip` inside and returns what it prints.
    pub(super) fn ip(&self, arguments: &str) -> String {
        let run = || Command::new("ip").args(arguments.split(' ')).output();
        let output = netns::inside(&self.netns, run).unwrap();
        assert!(
            output.status.success(),
            "ip {arguments}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    pub(super) fn socket(&self) -> Socket {
        netns::inside(&self.netns, Socket::open).unwrap()
    }

    /// The link of that name.
    pub(super) fn link(&self, name: &str) -> Link {
        let links = link::all(&self.socket()).unwrap();
        links
            .into_iter()
            .find(|link| link.is_called(name))
            .unwrap_or_else(|| panic!("no link {name}"))
    }
}

#[expect(
    unsafe_code,
    reason = "a network namespace shares no descriptors: the thread is spawned for this and ends"
)]
fn unshare() {
    // SAFETY: NEWNET does not touch the file descriptor table.
    unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::NEWNET) }.unwrap();
}
