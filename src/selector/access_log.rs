//! Records which values of a device an expression accesses.

use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

/// A value that an expression accessed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct AccessedValue {
    /// `vendor`, `device.driver`, or with a domain other than the driver's `dra.net/numaNode`.
    pub name: String,
    /// As written in CEL; `None`: the device has no such attribute.
    pub value: Option<String>,
}

/// The accessed values, in order, without duplicates.
#[derive(Debug, Clone, Default)]
pub(super) struct AccessLog(Arc<Mutex<Accesses>>);

#[derive(Debug, Default)]
pub(super) struct Accesses {
    pub(super) accessed: Vec<AccessedValue>,
    /// Why the expression cannot be evaluated.
    pub(super) unsupported: Option<String>,
}

impl AccessLog {
    pub(super) fn record(&self, name: &str, text: Option<&Text>) {
        let mut accesses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if text.is_some_and(|text| text.unsupported) {
            accesses.unsupported = Some(format!("attribute {name} has an unsupported type"));
        }
        if accesses
            .accessed
            .iter()
            .all(|accessed| accessed.name != name)
        {
            accesses.accessed.push(AccessedValue {
                name: name.to_owned(),
                value: text.map(|text| text.shown.clone()),
            });
        }
    }

    pub(super) fn set_unsupported(&self, why: &str) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .unsupported = Some(why.to_owned());
    }

    pub(super) fn take(&self) -> Accesses {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A value as shown in messages.
#[derive(Debug, Clone)]
pub(super) struct Text {
    pub(super) shown: String,
    /// Its type is not supported.
    pub(super) unsupported: bool,
}
