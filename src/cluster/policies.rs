//! Policies and DeviceAttributes of one namespace, watched.

use std::collections::BTreeMap;

use tokio::sync::watch;

use crate::resource_policy::{Object, Objects};

/// The objects as the server has them, as far as they were read. Kinds that it does not know have
/// no objects.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PolicyView {
    /// None: not read yet.
    pub policies: Option<Vec<Object>>,
    /// None: not read yet. Read only when there are policies.
    pub attributes: Option<Vec<Object>>,
    /// The node's labels. None: not read yet, or not requested. Read only when there are policies.
    pub labels: Option<BTreeMap<String, String>>,
}

/// The view, now and when it changes.
pub type Policies = watch::Receiver<PolicyView>;

impl PolicyView {
    /// All objects; none until they have been read.
    #[must_use]
    pub fn objects(&self) -> Option<Objects> {
        let policies = self.policies.clone()?;
        let attributes = if policies.is_empty() {
            Vec::new()
        } else {
            self.attributes.clone()?
        };
        Some(Objects {
            policies,
            attributes,
        })
    }
}
