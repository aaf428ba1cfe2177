//! Records which values of a device an expression accesses.

use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

/// A value that an expression accessed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Looked {
    /// `vendor`, `device.driver`, or with a domain other than the driver's `dra.net/numaNode`.
    pub name: String,
    /// As written in CEL; `None`: the device has no such attribute.
    pub value: Option<String>,
}

/// The accessed values, in order, without duplicates.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen(Arc<Mutex<Notes>>);

#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) looked: Vec<Looked>,
    /// Why the expression cannot be evaluated.
    pub(super) strange: Option<String>,
}

impl Seen {
    pub(super) fn note(&self, name: &str, text: Option<&Text>) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if text.is_some_and(|text| text.strange) {
            notes.strange = Some(format!("attribute {name} has an unsupported type"));
        }
        if notes.looked.iter().all(|looked| looked.name != name) {
            notes.looked.push(Looked {
                name: name.to_owned(),
                value: text.map(|text| text.shown.clone()),
            });
        }
    }

    pub(super) fn no_verdict(&self, why: &str) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .strange = Some(why.to_owned());
    }

    pub(super) fn take(&self) -> Notes {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A value as shown in messages.
#[derive(Debug, Clone)]
pub(super) struct Text {
    pub(super) shown: String,
    /// Its type is not supported.
    pub(super) strange: bool,
}
