//! "Look again", said by the kernel: functions and links that come, go or change.

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;

use crate::host::linux::Listener;

/// Starts the thread that listens. It ends with the process.
///
/// # Errors
/// The listening sockets cannot be opened.
pub(super) fn listen(changed: Vec<Arc<Notify>>) -> crate::host::Result<()> {
    let listener = Listener::open()?;
    std::thread::spawn(move || {
        loop {
            match listener.wait(Duration::from_secs(60)) {
                Ok(true) => changed.iter().for_each(|changed| changed.notify_one()),
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(%error, "kernel events: looking at the clock only, every minute");
                    return;
                }
            }
        }
    });
    Ok(())
}
