//! A policy's `nodeSelector`, as Kubernetes judges it
//! (`k8s.io/component-helpers/scheduling/corev1/nodeaffinity`).

use serde_json::Value;

use super::{
    fields::Fields,
    labels::{Labels, OF_NODES, Requirement},
};
use crate::pool::{ConfigError, Place};

/// The one field of nodes that can be selected by.
const NAME: &str = "metadata.name";

/// A node as selectors see it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Node {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.labels`.
    pub labels: Labels,
}

/// Terms are ORed. Without any it selects all nodes, as the Go driver has it: Kubernetes' own would
/// be refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NodeSelector(Vec<Term>);

/// All must hold; one without conditions selects no node.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    labels: Vec<Requirement>,
    fields: Vec<Requirement>,
}

impl NodeSelector {
    pub(super) fn read(value: &Value, place: Place) -> Result<Self, ConfigError> {
        let right = "a node selector like {\"nodeSelectorTerms\": [...]}";
        let fields = Fields::of(value, place, right)?.only(&["nodeSelectorTerms"])?;
        let terms = fields.list("nodeSelectorTerms", "[{\"matchExpressions\": [...]}]")?;
        Ok(Self(
            terms
                .into_iter()
                .map(|(term, place)| Term::read(term, place))
                .collect::<Result<_, _>>()?,
        ))
    }

    pub(super) fn matches(&self, node: &Node) -> bool {
        self.0.is_empty() || self.0.iter().any(|term| term.matches(node))
    }

    /// Whether it can be judged by the node's name alone.
    pub(super) fn needs_labels(&self) -> bool {
        self.0.iter().any(|term| !term.labels.is_empty())
    }
}

impl Term {
    fn read(value: &Value, place: Place) -> Result<Self, ConfigError> {
        let term = Fields::of(value, place, "a term like {\"matchExpressions\": [...]}")?;
        let term = term.only(&["matchExpressions", "matchFields"])?;
        let read = |name| -> Result<Vec<Requirement>, ConfigError> {
            let items = term.list(
                name,
                "[{\"key\": \"zone\", \"operator\": \"In\", \"values\": [\"a\"]}]",
            )?;
            let read = |(item, place)| match name {
                "matchFields" => by_name(item, place),
                _ => Requirement::read(item, place, &OF_NODES),
            };
            items.into_iter().map(read).collect()
        };
        Ok(Self {
            labels: read("matchExpressions")?,
            fields: read("matchFields")?,
        })
    }

    fn matches(&self, node: &Node) -> bool {
        let some = !self.labels.is_empty() || !self.fields.is_empty();
        let fields = Labels::from([(NAME.to_owned(), node.name.clone())]);
        some && self
            .labels
            .iter()
            .all(|requirement| requirement.matches(&node.labels))
            && self
                .fields
                .iter()
                .all(|requirement| requirement.matches(&fields))
    }
}

/// A condition on the node's name: one name, In or NotIn.
fn by_name(item: &Value, place: Place) -> Result<Requirement, ConfigError> {
    let requirement = Requirement::read(item, place.clone(), &["In", "NotIn"])?;
    let reason = match (
        item["key"].as_str(),
        item["values"].as_array().map_or(0, Vec::len),
    ) {
        (Some(NAME), 1) => return Ok(requirement),
        (Some(NAME), _) => "values must be exactly one name",
        _ => {
            "key is wrong, must be \"metadata.name\", the only field that nodes can be selected by"
        }
    };
    Err(ConfigError::new(&place, reason))
}
