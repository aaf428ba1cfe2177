//! What the binary does: ADD, DEL, CHECK, GC and STATUS on this node's ledger and kernel.
//!
//! ```text
//!  ADD   lock ─► which device ─► entry ─► layer noted ─► PF values ─► into the pod ─► IPAM ─► entry (result), start gate
//!  DEL   lock ─► entry ─► start gate closed ─► cut off ─► PF values, netdev as before ─► IPAM ─► entry removed
//! ```
//!
//! An ADD writes an entry before it changes anything; its DEL acts by that entry and not by its
//! input, so that it never touches what is another attachment's, and can be repeated. What no DEL
//! comes for is swept: the next call of the binary, the agent, or the release of the claim does it.

mod add;
mod address;
mod asked;
mod check;
mod choose;
mod del;
mod entry;
mod error;
mod gc;
mod held;
mod ipam;
mod take_over;
#[cfg(test)]
mod tests;

pub use ipam::{Ipam, IpamAt, Processes};

use std::{sync::Arc, time::Duration};

use super::{
    protocol::{CniError, Code},
    request::Request,
    result::CniResult,
};
use crate::{claim::Engine, cni::protocol::Version, deadline::Deadline};

/// What a call may take. The kubelet gives a sandbox four minutes, for all its networks.
const TIMEOUT: Duration = Duration::from_secs(40);

/// The plugin, on one node.
pub struct Plugin {
    engine: Arc<Engine>,
    ipam: Box<dyn Ipam>,
}

impl Plugin {
    /// On the engine's kernel and ledger.
    #[must_use]
    pub fn new(engine: Arc<Engine>, ipam: Box<dyn Ipam>) -> Self {
        Self { engine, ipam }
    }

    /// Does what is requested; returns what is printed, empty for nothing.
    ///
    /// # Errors
    /// Why it was not done, for the error object.
    pub fn run(&self, request: &Request) -> Result<String, CniError> {
        let deadline = Deadline::after(TIMEOUT);
        match request {
            Request::Add(call) => {
                let result = self.add(call, deadline)?;
                printed(&result, call.network.version)
            }
            Request::Del(call) => self.del(call, deadline).map(nothing),
            Request::Check(call) => self.check(call).map(nothing),
            Request::Gc(call) => self.gc(call, deadline).map(nothing),
            Request::Status(call) => self.status(call).map(nothing),
            Request::Version(answer) => Ok(answer.to_json()),
        }
    }
}

fn nothing((): ()) -> String {
    String::new()
}

fn printed(result: &CniResult, version: Version) -> Result<String, CniError> {
    let value = result.to_value(version)?;
    serde_json::to_string_pretty(&value)
        .map_err(|error| CniError::new(Code::INTERNAL, format!("result: {error}")))
}
