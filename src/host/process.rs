//! Processes that this one has started.

use rustix::process::{Pid, Signal, kill_process_group};

/// Kills the leader of a process group, with the group. One that has ended is success.
pub fn kill_group(leader: u32) {
    let group = i32::try_from(leader).ok().and_then(Pid::from_raw);
    if let Some(group) = group {
        let _ = kill_process_group(group, Signal::KILL);
    }
}
