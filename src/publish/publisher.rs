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
    time::{Instant, interval, sleep_until},
};

use super::{
    Desired, Lease, Published,
    gate::{Gate, Stop},
    sync::View,
};
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
    /// The server is listed, and asked what it keeps, at least this often, also without a change.
    pub relist: Duration,
    /// How often an agent looks whether it or another one is to write.
    pub lease: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            settle: Duration::from_millis(200),
            settle_max: Duration::from_secs(1),
            retry_min: Duration::from_millis(250),
            retry_max: Duration::from_secs(30),
            relist: Duration::from_secs(600),
            lease: Duration::from_millis(250),
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
    gate: Gate,
    features: Option<Features>,
    /// What the server keeps is to be asked.
    asks: bool,
    /// The watch has begun: from now on that it begins is an interruption.
    watched: bool,
    /// When all is to be read again; none: at once.
    relist: Option<Instant>,
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
            gate: Gate::default(),
            features: None,
            asks: true,
            watched: false,
            relist: None,
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

    /// Writes only while this agent has the lease; reads always.
    #[must_use]
    pub fn leased(self, lease: Lease) -> Self {
        Self {
            gate: Gate::leased(lease),
            ..self
        }
    }

    /// Runs until the sender of desired slices is gone.
    pub async fn run(mut self) {
        let mut changes = self.cluster.slice_changes();
        let mut errors = 0;
        loop {
            let wake = match self.round().await {
                Ok(wake) => {
                    errors = 0;
                    wake
                }
                Err(error) => {
                    self.failed(&error);
                    Instant::now() + backoff(&mut errors, self.pace)
                }
            };
            if !self.wait(&mut changes, wake).await {
                return;
            }
        }
    }

    fn failed(&mut self, error: &ClusterError) {
        let hint = if error.kind == ErrorKind::Forbidden {
            "check RBAC and admission policies"
        } else {
            ""
        };
        tracing::warn!(%error, hint, "cannot publish, trying again");
        self.view.doubt();
    }

    /// Waits for a reason and then until it is quiet, or until it is time anyway. False: the sender
    /// of desired slices is gone.
    async fn wait(&mut self, changes: &mut BoxStream<'static, SliceChange>, wake: Instant) -> bool {
        let (mut until, mut limit) = (wake, None);
        let mut lease = interval(self.pace.lease);
        loop {
            let limit_now = limit.unwrap_or(wake);
            let news = tokio::select! {
                changed = self.desired.changed() => match changed {
                    Ok(()) => true,
                    Err(_) => return false,
                },
                () = self.nudge.notified() => { self.asks = true; self.view.doubt(); true }
                change = changes.next() => change.is_some_and(|change| self.noticed(&change)),
                _ = lease.tick(), if self.gate.has_lease() => {
                    if self.gate.look() {
                        self.view.doubt();
                        return true;
                    }
                    false
                }
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
            if self.view.is_rewrite(change) {
                self.gate.seen(change);
            }
            // The watch was interrupted: perhaps by a server that is another now.
            let interrupted = *change == SliceChange::Unknown;
            self.asks |= interrupted && std::mem::replace(&mut self.watched, true);
            self.view.doubt();
        }
        news
    }

    /// One round; returns when to do the next one at the latest. An error: it must be tried again.
    async fn round(&mut self) -> Result<Instant, ClusterError> {
        if self.gate.look() {
            self.view.doubt();
        }
        let again = self.read().await?;
        self.gate.listed();
        let desired = self.desired.borrow_and_update().clone();
        let Some(desired) = desired.filter(|_| self.gate.is_writer()) else {
            return Ok(again);
        };
        self.warn(&desired);
        let cluster = Arc::clone(&self.cluster);
        let round = self
            .view
            .write(cluster.as_ref(), &desired.slices, &mut self.gate)
            .await?;
        self.publish();
        if !round.writes.is_empty() {
            tracing::info!(slices = desired.slices.len(), writes = ?round.writes, "published");
        }
        if self.view.has_dropped() {
            self.asks = true;
            return Ok(Instant::now() + self.pace.settle);
        }
        match round.stopped {
            Some(Stop::Until(until)) => Ok(again.min(until)),
            Some(Stop::NotTheWriter) | None => Ok(again),
        }
    }

    fn warn(&mut self, desired: &Desired) {
        if desired.warnings != self.warned {
            desired
                .warnings
                .iter()
                .for_each(|warning| tracing::warn!("{warning}"));
            self.warned.clone_from(&desired.warnings);
        }
    }

    /// Reads what the server keeps and holds, as far as there is doubt; returns when to read all of
    /// it again.
    async fn read(&mut self) -> Result<Instant, ClusterError> {
        let now = Instant::now();
        let relist = self.relist.is_none_or(|at| at <= now);
        if relist {
            self.asks = true;
            self.view.doubt();
        }
        if self.asks {
            self.ask().await?;
        }
        self.view.read(self.cluster.as_ref()).await?;
        self.publish();
        if relist {
            self.relist = Some(now + self.pace.relist);
        }
        let again = self.relist.unwrap_or(now);
        Ok(match self.asks {
            true => again.min(now + self.pace.retry_max),
            false => again,
        })
    }

    /// Asks the server what it keeps. Without a proper answer the last one stands; the first is
    /// needed.
    async fn ask(&mut self) -> Result<(), ClusterError> {
        let features = match self.cluster.features().await {
            Ok(features) => features,
            Err(error) if self.features.is_some() => {
                tracing::warn!(%error, "what the server keeps of slices: no answer, trying again");
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        self.asks = false;
        let before = self.features.replace(features);
        if before != Some(features) {
            tracing::info!(?features, "what the server keeps of slices");
        }
        if before.is_some_and(|before| features.has_more_than(before)) {
            self.view.forget_dropped();
        }
        Ok(())
    }

    /// What the server holds, for those who plan.
    fn publish(&self) {
        let Some(features) = self.features else {
            return;
        };
        let now = self.view.published(features);
        self.published
            .send_if_modified(|old| old.replace(now.clone()).is_none_or(|old| old != now));
    }
}

fn backoff(errors: &mut u32, pace: Pace) -> Duration {
    let pause = pace.retry_min * 2u32.saturating_pow((*errors).min(16));
    *errors += 1;
    pause.min(pace.retry_max)
}
