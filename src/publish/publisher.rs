//! The loop that keeps the server's slices as they are desired.
//!
//! It never deletes because the agent ends, nor before it knows what is desired: a successor finds
//! the same objects and writes nothing.

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use futures::{StreamExt, stream::BoxStream};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep_until},
};

use super::{Desired, Published, sync::View};
use crate::{
    cluster::{Cluster, ClusterError, ErrorKind},
    slice::{Features, SliceChange},
};

/// How fast the loop goes.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Quiet time after a reason before anything is written: reasons come in bursts.
    pub settle: Duration,
    /// Writes begin at the latest so long after the first reason.
    pub settle_max: Duration,
    /// Pause after the first error; doubled by each further one.
    pub retry_min: Duration,
    /// Pause after many errors.
    pub retry_max: Duration,
    /// The server is listed at least this often, also without a change.
    pub relist: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            settle: Duration::from_millis(200),
            settle_max: Duration::from_secs(1),
            retry_min: Duration::from_millis(250),
            retry_max: Duration::from_secs(30),
            relist: Duration::from_secs(600),
        }
    }
}

/// Publishes what is desired; see [`Publisher::run`].
pub struct Publisher {
    cluster: Arc<dyn Cluster>,
    desired: watch::Receiver<Option<Desired>>,
    published: watch::Sender<Option<Published>>,
    nudge: Arc<Notify>,
    pace: Pace,
    view: View,
    warned: Vec<String>,
}

impl Publisher {
    /// Takes the desired slices from a channel: none as long as they are not known.
    #[must_use]
    pub fn new(
        cluster: Arc<dyn Cluster>,
        desired: watch::Receiver<Option<Desired>>,
        pace: Pace,
    ) -> Self {
        let (published, nudge) = (watch::channel(None).0, Arc::default());
        Self {
            cluster,
            desired,
            published,
            nudge,
            pace,
            view: View::unread(),
            warned: Vec::new(),
        }
    }

    /// What the server holds; none until it has been read. Last-known values and features for the
    /// next [`super::slices`].
    #[must_use]
    pub fn published(&self) -> watch::Receiver<Option<Published>> {
        self.published.subscribe()
    }

    /// Makes the loop list the slices at once: the kubelet has (re)registered us, and deletes
    /// slices when it starts.
    #[must_use]
    pub fn nudge(&self) -> Arc<Notify> {
        Arc::clone(&self.nudge)
    }

    /// Runs until the sender of desired slices is gone.
    pub async fn run(mut self) {
        let mut changes = self.cluster.slice_changes();
        let mut errors = 0;
        let features = loop {
            match self.begin().await {
                Some(features) => break features,
                None => tokio::time::sleep(backoff(&mut errors, self.pace)).await,
            }
        };
        errors = 0;
        let mut wake = Instant::now();
        loop {
            if !self.wait(&mut changes, wake).await {
                return;
            }
            wake = Instant::now()
                + match self.sync(features).await {
                    true => {
                        errors = 0;
                        self.pace.relist
                    }
                    false => backoff(&mut errors, self.pace),
                };
        }
    }

    /// Asks the server what it keeps and what it holds; none: it must be tried again.
    async fn begin(&mut self) -> Option<Features> {
        let asked = async {
            let features = self.cluster.features().await?;
            self.view.read(self.cluster.as_ref()).await?;
            Ok::<_, ClusterError>(features)
        };
        match asked.await {
            Ok(features) => {
                tracing::info!(?features, "what the server keeps of slices");
                self.published
                    .send_replace(Some(self.view.published(features)));
                Some(features)
            }
            Err(error) => {
                tracing::warn!(%error, "cannot read slices yet, trying again");
                None
            }
        }
    }

    /// Waits for a reason and then until it is quiet, or until it is time anyway. False: the sender
    /// of desired slices is gone.
    async fn wait(&mut self, changes: &mut BoxStream<'static, SliceChange>, wake: Instant) -> bool {
        let (mut until, mut limit) = (wake, None);
        loop {
            let limit_now = limit.unwrap_or(wake);
            let news = tokio::select! {
                changed = self.desired.changed() => match changed {
                    Ok(()) => true,
                    Err(_) => return false,
                },
                () = self.nudge.notified() => { self.view.doubt(); true }
                change = changes.next() => change.is_some_and(|change| self.noticed(&change)),
                () = sleep_until(until.min(limit_now)) => {
                    if limit.is_none() { self.view.doubt(); }
                    return true;
                }
            };
            if news {
                let now = Instant::now();
                limit.get_or_insert(now + self.pace.settle_max);
                until = now + self.pace.settle;
            }
        }
    }

    fn noticed(&mut self, change: &SliceChange) -> bool {
        let news = self.view.is_news(change);
        if news {
            tracing::info!(?change, "somebody else changed slices of this node");
            self.view.doubt();
        }
        news
    }

    /// One round. False: it must be tried again.
    async fn sync(&mut self, features: Features) -> bool {
        let Some(desired) = self.desired.borrow_and_update().clone() else {
            return true;
        };
        if desired.warnings != self.warned {
            desired
                .warnings
                .iter()
                .for_each(|warning| tracing::warn!("{warning}"));
            self.warned.clone_from(&desired.warnings);
        }
        let cluster = Arc::clone(&self.cluster);
        let written = async {
            self.view.read(cluster.as_ref()).await?;
            self.view.write(cluster.as_ref(), &desired.slices).await
        };
        match written.await {
            Ok(writes) => {
                if !writes.is_empty() {
                    tracing::info!(slices = desired.slices.len(), ?writes, "published");
                }
                let now = self.view.published(features);
                self.published
                    .send_if_modified(|old| old.replace(now.clone()).is_none_or(|old| old != now));
                true
            }
            Err(error) => {
                let hint = if error.kind == ErrorKind::Forbidden {
                    "check RBAC and admission policies"
                } else {
                    ""
                };
                tracing::warn!(%error, hint, "cannot publish, trying again");
                self.view.doubt();
                false
            }
        }
    }
}

fn backoff(errors: &mut u32, pace: Pace) -> Duration {
    let pause = pace.retry_min * 2u32.saturating_pow((*errors).min(16));
    *errors += 1;
    pause.min(pace.retry_max)
}
