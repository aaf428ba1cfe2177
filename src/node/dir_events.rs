//! Changes of a directory's files, for tasks.

use std::{path::Path, sync::Arc, time::Duration};

use tokio::sync::Notify;

use crate::files::DirWatch;

/// Notifies of each change, on a thread of its own; without inotify, by the clock.
pub(super) fn watch(dir: &Path, period: Duration) -> Arc<Notify> {
    let events = Arc::new(Notify::new());
    let (notify, dir) = (Arc::clone(&events), dir.to_owned());
    let watched = DirWatch::new(&dir);
    std::thread::spawn(move || {
        let watched = match watched {
            Ok(watched) => watched,
            Err(error) => {
                tracing::warn!(%error, dir = %dir.display(), "cannot be watched: looking at the clock only");
                loop {
                    std::thread::sleep(period);
                    notify.notify_one();
                }
            }
        };
        while watched.wait().is_ok() {
            notify.notify_one();
        }
    });
    events
}
