//! NetworkAttachmentDefinitions, reduced to what decides which device they take.

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Nad {
    /// Annotation `k8s.v1.cni.cncf.io/resourceName`.
    pub resource_name: Option<String>,
    /// `spec.config`; empty: the configuration is a file of the node.
    pub config: String,
}
