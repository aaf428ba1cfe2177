//! Policies as the controller sees them: their pools, what is wrong with them, and their status.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    cluster::{self, ErrorKind, PolicyView, PoolCluster, Result, Subject},
    pool::PoolName,
    resource_policy::{Library, Object, Objects},
};

/// What the server says of policies, and what was said of them.
#[derive(Debug)]
pub(super) struct Policies {
    /// None: nobody wants any.
    view: Option<cluster::Policies>,
    library: Library,
    /// None: not read yet.
    objects: Option<Objects>,
    /// UIDs and what was told of them.
    told: BTreeSet<(String, String)>,
    /// What was last said by UID, without its time: a server that keeps it otherwise is not written to again and again.
    said: BTreeMap<String, Value>,
    /// It was told that a policy cannot have a status.
    mute: bool,
}

impl Policies {
    pub(super) fn new(view: Option<cluster::Policies>, driver: &str, prefix: &str) -> Self {
        let objects = view.is_none().then(Objects::default);
        Self {
            view,
            library: Library::new(driver, prefix),
            objects,
            told: BTreeSet::new(),
            said: BTreeMap::new(),
            mute: false,
        }
    }

    /// Takes what is there now; what is wrong with it, once.
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
        let bad = self.library.problems().iter().filter(|problem| problem.bad);
        let mut wrong = Vec::new();
        for problem in bad {
            let Some(object) = by_name.get(&(problem.kind, problem.name.as_str())) else {
                continue;
            };
            if self.told.insert((object.uid.clone(), problem.text.clone())) {
                wrong.push((subject(object), problem.to_string()));
            }
        }
        self.objects = Some(objects);
        wrong
    }

    pub(super) fn pools(&self) -> BTreeSet<PoolName> {
        self.library.pools()
    }

    /// Whether everything was read, and nothing is there that was never good.
    pub(super) fn all_known(&self) -> bool {
        self.objects.is_some() && self.library.all_known()
    }

    /// Says of each policy what it takes where, if that is not said already.
    pub(super) async fn report(&mut self, cluster: &dyn PoolCluster) -> Result<()> {
        let Some(objects) = self.objects.as_ref().filter(|all| !all.policies.is_empty()) else {
            return Ok(());
        };
        let nodes = cluster.devices().await?;
        let mut statuses = self
            .library
            .statuses(&objects.policies, &nodes, Timestamp::now());
        let mut said = BTreeMap::new();
        for policy in &objects.policies {
            let Some(status) = statuses.remove(&policy.name) else {
                continue;
            };
            let timeless = timeless(&status);
            let new = policy.status != status && self.said.get(&policy.uid) != Some(&timeless);
            if new {
                self.mute |= write(cluster, policy, &status, self.mute).await?;
            }
            said.insert(policy.uid.clone(), timeless);
        }
        self.said = said;
        Ok(())
    }
}

/// Whether there is nobody to say it to: the policy is gone, which will be told, or its definition is another driver's.
async fn write(
    cluster: &dyn PoolCluster,
    policy: &Object,
    status: &Value,
    known: bool,
) -> Result<bool> {
    match cluster.write_policy_status(policy, status).await {
        Err(error) if error.kind == ErrorKind::NotFound => {
            if !known {
                tracing::warn!(%error, "nothing is said of policies whose definition has no status subresource");
            }
            Ok(true)
        }
        written => written.map(|()| false),
    }
}

fn timeless(status: &Value) -> Value {
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
