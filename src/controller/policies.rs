//! Policies in the controller: their pools, their errors, and their status.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    cluster::{self, ErrorKind, PolicyView, PoolCluster, Result, Subject},
    pool::PoolName,
    resource_policy::{Library, Object, Objects},
};

/// The policies of the cluster, and what has been reported about them.
#[derive(Debug)]
pub(super) struct Policies {
    /// `None`: policies are not enabled.
    view: Option<cluster::Policies>,
    library: Library,
    /// `None`: not read yet.
    objects: Option<Objects>,
    /// Errors that have been returned, by UID, to report each once.
    reported: BTreeSet<(String, String)>,
    /// The status last written by UID, without its time. If the API server stores it differently,
    /// it is not written in an endless loop.
    written: BTreeMap<String, Value>,
    /// Whether it has been logged that policies have no status subresource.
    no_status_logged: bool,
}

impl Policies {
    pub(super) fn new(view: Option<cluster::Policies>, driver: &str, prefix: &str) -> Self {
        let objects = view.is_none().then(Objects::default);
        Self {
            view,
            library: Library::new(driver, prefix),
            objects,
            reported: BTreeSet::new(),
            written: BTreeMap::new(),
            no_status_logged: false,
        }
    }

    /// Reads the current policies. Returns their errors, each once.
    pub(super) fn read(&mut self) -> Vec<(Subject, String)> {
        let view = self.view.as_ref().map(|view| view.borrow().clone());
        let Some(objects) = view.as_ref().and_then(PolicyView::objects) else {
            return Vec::new();
        };
        self.library.read(&objects);
        let all = objects.policies.iter().chain(&objects.attributes);
        let by_name: BTreeMap<_, &Object> = all
            .map(|object| ((object.kind, object.name.as_str()), object))
            .collect();
        let errors = self.library.problems().iter().filter(|problem| problem.bad);
        let mut new_errors = Vec::new();
        for problem in errors {
            let Some(object) = by_name.get(&(problem.kind, problem.name.as_str())) else {
                continue;
            };
            if self
                .reported
                .insert((object.uid.clone(), problem.text.clone()))
            {
                new_errors.push((subject(object), problem.to_string()));
            }
        }
        self.objects = Some(objects);
        new_errors
    }

    pub(super) fn pools(&self) -> BTreeSet<PoolName> {
        self.library.pools()
    }

    /// Whether there is a policy.
    pub(super) fn any(&self) -> bool {
        let objects = self.objects.as_ref();
        objects.is_some_and(|objects| !objects.policies.is_empty())
    }

    /// Whether policies have been read and each has been valid at least once.
    pub(super) fn all_known(&self) -> bool {
        self.objects.is_some() && self.library.all_known()
    }

    /// Writes the status of each policy, if it has changed.
    pub(super) async fn write_statuses(&mut self, cluster: &dyn PoolCluster) -> Result<()> {
        let Some(objects) = self.objects.as_ref().filter(|all| !all.policies.is_empty()) else {
            return Ok(());
        };
        let nodes = cluster.devices().await?;
        let mut statuses = self
            .library
            .statuses(&objects.policies, &nodes, Timestamp::now());
        let mut written = BTreeMap::new();
        for policy in &objects.policies {
            let Some(status) = statuses.remove(&policy.name) else {
                continue;
            };
            let timeless = without_time(&status);
            let changed =
                policy.status != status && self.written.get(&policy.uid) != Some(&timeless);
            if changed {
                self.no_status_logged |=
                    write(cluster, policy, &status, self.no_status_logged).await?;
            }
            written.insert(policy.uid.clone(), timeless);
        }
        self.written = written;
        Ok(())
    }
}

/// Writes a status. Returns whether it was not found: the policy has been deleted, or its
/// CustomResourceDefinition, installed by another driver, has no status subresource.
async fn write(
    cluster: &dyn PoolCluster,
    policy: &Object,
    status: &Value,
    logged: bool,
) -> Result<bool> {
    match cluster.write_policy_status(policy, status).await {
        Err(error) if error.kind == ErrorKind::NotFound => {
            if !logged {
                tracing::warn!(%error, "cannot write the status of policies: no status subresource");
            }
            Ok(true)
        }
        written => written.map(|()| false),
    }
}

fn without_time(status: &Value) -> Value {
    let mut status = status.clone();
    status["conditions"][0]["lastTransitionTime"] = Value::Null;
    status
}

fn subject(object: &Object) -> Subject {
    let Object {
        kind,
        namespace,
        name,
        uid,
        ..
    } = object.clone();
    Subject::Policy {
        kind,
        namespace,
        name,
        uid,
    }
}
