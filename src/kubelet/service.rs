//! Both versions of the DRA service: every claim of a call is handled in a task of its own, and
//! every claim is in the response.

use std::{
    collections::HashMap,
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::mpsc, task::JoinHandle, time::timeout_at};

use super::Claims;
use crate::{claim::PreparedDevice, ledger::ClaimRef};

/// A claim in a request, not yet validated.
pub(super) struct RequestedClaim {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) uid: String,
}

/// The result for each claim, by UID, as a version of the service has it on the wire.
pub(super) type Answers<A> = HashMap<String, A>;

#[derive(Clone)]
pub(super) struct Service {
    pub(super) claims: Arc<dyn Claims>,
    /// When the kubelet gets a response at the latest; the work continues in the background.
    pub(super) timeout: Duration,
    /// Every task holds a clone: the channel closes when none is left.
    pub(super) alive: mpsc::Sender<()>,
}

impl Service {
    pub(super) async fn prepare<A>(&self, requested: Vec<impl Into<RequestedClaim>>) -> Answers<A>
    where
        A: From<Result<Vec<PreparedDevice>, String>>,
    {
        self.each("prepare", requested, |claims, claim| async move {
            claims.prepare(claim).await
        })
        .await
    }

    pub(super) async fn unprepare<A>(&self, requested: Vec<impl Into<RequestedClaim>>) -> Answers<A>
    where
        A: From<Result<(), String>>,
    {
        self.each("unprepare", requested, |claims, claim| async move {
            claims.unprepare(claim).await
        })
        .await
    }

    async fn each<A, T, F>(
        &self,
        verb: &'static str,
        requested: Vec<impl Into<RequestedClaim>>,
        work: fn(Arc<dyn Claims>, ClaimRef) -> F,
    ) -> Answers<A>
    where
        A: From<Result<T, String>>,
        T: Send + 'static,
        F: Future<Output = Result<T, String>> + Send + 'static,
    {
        let until = tokio::time::Instant::now() + self.timeout;
        // All tasks are started before the first one is awaited. A claim that is listed twice is
        // handled once.
        let tasks: HashMap<String, Result<JoinHandle<_>, String>> = requested
            .into_iter()
            .map(Into::into)
            .map(|requested| (requested.uid.clone(), self.start(verb, requested, work)))
            .collect();
        let mut answers = Answers::new();
        for (uid, task) in tasks {
            let answer = match task {
                Ok(task) => match timeout_at(until, task).await {
                    Ok(Ok(answer)) => answer,
                    Ok(Err(panicked)) => Err(format!("{verb}: {panicked}")),
                    Err(_) => Err(format!(
                        "{verb}: still in progress after {:?}, continuing in the background",
                        self.timeout
                    )),
                },
                Err(error) => Err(error),
            };
            answers.insert(uid, answer.into());
        }
        answers
    }

    /// Spawned, not awaited in place: when the kubelet closes the connection, the caller's future
    /// is dropped.
    fn start<T, F>(
        &self,
        verb: &'static str,
        requested: RequestedClaim,
        work: fn(Arc<dyn Claims>, ClaimRef) -> F,
    ) -> Result<JoinHandle<Result<T, String>>, String>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, String>> + Send + 'static,
    {
        let uid = requested
            .uid
            .parse()
            .map_err(|error| format!("{verb}: {error}"))?;
        let claim = ClaimRef {
            uid,
            namespace: requested.namespace,
            name: requested.name,
        };
        let (claims, alive) = (Arc::clone(&self.claims), self.alive.clone());
        Ok(tokio::spawn(async move {
            let _alive = alive;
            let begun = Instant::now();
            let answer = work(claims, claim.clone()).await;
            let took = begun.elapsed();
            match &answer {
                Ok(_) => tracing::debug!(%claim, uid = %claim.uid, ?took, "{verb}: done"),
                Err(error) => {
                    tracing::debug!(%claim, uid = %claim.uid, ?took, %error, "{verb}: failed")
                }
            }
            answer
        }))
    }
}
