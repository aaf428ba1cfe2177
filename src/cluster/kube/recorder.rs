//! Events on the server: one that repeats is counted, not written anew.
//!
//! An event's note cannot be changed. So an event of the same object with the same reason and
//! another note is another event.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use k8s_openapi::{
    api::{core::v1::ObjectReference, events::v1::Event as ApiEvent},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use kube::{
    Api,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::json;

use super::Kube;
use crate::cluster::{ErrorKind, Event, Result, Subject, status::cut};

/// As other reporters do it: an event that comes again later is another one.
const SERIES: Duration = Duration::from_mins(6);
/// Names are longer on no server.
const MAX_NAME: usize = 253;
/// Notes are longer on no server.
const MAX_NOTE: usize = 1024;

/// Who reports, and what it has reported lately.
pub(super) struct Recorder {
    controller: String,
    instance: String,
    lately: Mutex<HashMap<Key, Reported>>,
}

type Key = (Subject, &'static str, String);

#[derive(Debug, Clone)]
struct Reported {
    /// The name of the event.
    name: String,
    count: i32,
    last: Instant,
}

impl Recorder {
    /// The API server refuses a reporter without an instance: without a node it is the pod, by its
    /// hostname.
    pub(super) fn new(driver: &str, node: &str) -> Self {
        let host = || std::env::var("HOSTNAME").ok();
        let named = Some(node.to_owned()).filter(|node| !node.is_empty());
        let instance = named.or_else(|| host().filter(|host| !host.is_empty()));
        Self {
            controller: driver.to_owned(),
            instance: instance.unwrap_or_else(|| driver.to_owned()),
            lately: Mutex::default(),
        }
    }

    fn earlier(&self, key: &Key) -> Option<Reported> {
        let mut lately = self.lately.lock().unwrap_or_else(PoisonError::into_inner);
        lately.retain(|_, reported| reported.last.elapsed() < SERIES);
        lately.get(key).cloned()
    }

    fn reported(&self, key: Key, name: String, count: i32) {
        let mut lately = self.lately.lock().unwrap_or_else(PoisonError::into_inner);
        let last = Instant::now();
        lately.insert(key, Reported { name, count, last });
    }

    fn object(&self, event: &Event, regarding: ObjectReference, now: Timestamp) -> ApiEvent {
        let subject = regarding.name.as_deref().unwrap_or(&self.controller);
        ApiEvent {
            metadata: ObjectMeta {
                namespace: Some(namespace(&regarding).to_owned()),
                name: Some(name(subject, now)),
                ..Default::default()
            },
            action: Some(event.action.into()),
            reason: Some(event.reason.into()),
            note: Some(cut(&event.note, MAX_NOTE).to_owned()),
            event_time: Some(MicroTime(now)),
            type_: Some(if event.warning { "Warning" } else { "Normal" }.into()),
            reporting_controller: Some(self.controller.clone()),
            reporting_instance: Some(cut(&self.instance, 128).to_owned()),
            regarding: Some(regarding),
            ..Default::default()
        }
    }
}

/// Of the object, as far as there is room for it in a DNS subdomain.
fn name(subject: &str, now: Timestamp) -> String {
    let number = format!("{:x}", now.as_nanosecond());
    let room = MAX_NAME.saturating_sub(number.len() + 1);
    let subject = cut(subject, room).trim_end_matches(['.', '-']);
    format!("{subject}.{number}")
}

/// Objects without a namespace have their events in `default`.
fn namespace(regarding: &ObjectReference) -> &str {
    regarding.namespace.as_deref().unwrap_or("default")
}

impl Kube {
    pub(super) async fn record(&self, event: &Event) -> Result<()> {
        let regarding = event.subject.reference();
        let name = regarding.name.as_deref().unwrap_or_default();
        let subject = format!("event {} of {name}", event.reason);
        let api = Api::<ApiEvent>::namespaced(self.client.clone(), namespace(&regarding));
        let key = (event.subject.clone(), event.reason, event.note.clone());
        if let Some(earlier) = self.recorder.earlier(&key)
            && self.count(&subject, &api, &earlier).await?
        {
            self.recorder
                .reported(key, earlier.name, earlier.count.saturating_add(1));
            return Ok(());
        }
        let object = self.recorder.object(event, regarding, Timestamp::now());
        self.request(&subject, api.create(&PostParams::default(), &object))
            .await?;
        let name = object.metadata.name.unwrap_or_default();
        self.recorder.reported(key, name, 1);
        Ok(())
    }

    /// Counts the event once more. False: the server has forgotten it.
    async fn count(&self, subject: &str, api: &Api<ApiEvent>, earlier: &Reported) -> Result<bool> {
        let series = json!({"series": {
            "count": earlier.count.saturating_add(1),
            "lastObservedTime": MicroTime(Timestamp::now()),
        }});
        let params = PatchParams::default();
        let patch = Patch::Merge(series);
        match self
            .request(subject, api.patch(&earlier.name, &params, &patch))
            .await
        {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(false),
            counted => counted.map(|_| true),
        }
    }
}
