//! The answer: a headline, and what is behind it.

use serde::Serialize;

use super::cause::Cause;

/// What becomes of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// It has its devices.
    Allocated,
    /// Some node can serve it now.
    Allocatable,
    /// No node can.
    #[serde(rename = "refused")]
    Unallocatable,
    /// This program cannot say.
    Undecided,
}

/// Devices of one node that a request finds the same about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// `req` or `req/sub`.
    pub request: String,
    /// The node; none: all nodes.
    pub node: Option<String>,
    /// Stable, for programs.
    pub verdict: &'static str,
    /// For people.
    pub reason: String,
    /// Their names, in the scheduler's order.
    pub devices: Vec<String>,
}

/// A constraint, with what the devices have that match the requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConstraintView {
    /// `matchAttribute resource.kubernetes.io/numaNode`.
    pub constraint: String,
    /// The node.
    pub node: String,
    /// Value and number of free devices.
    pub groups: Vec<(String, usize)>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// `claim shop/net`, `class vf`.
    pub subject: String,
    /// What becomes of it.
    pub state: State,
    /// What it has, or could have: request and `pool/device`.
    pub devices: Vec<(String, String)>,
    /// The real reason; none when nothing refuses it.
    pub cause: Option<Cause>,
    /// How many nodes were looked at.
    pub nodes: usize,
    /// What else is to be known.
    pub notes: Vec<String>,
    /// Constraints, node by node.
    pub constraints: Vec<ConstraintView>,
    /// Device by device, grouped.
    pub rows: Vec<Row>,
}

impl Report {
    /// The one line that matters.
    #[must_use]
    pub fn headline(&self) -> String {
        let Self { subject, .. } = self;
        let devices: Vec<String> = self
            .devices
            .iter()
            .map(|(request, device)| format!("{request}: {device}"))
            .collect();
        let cause = self
            .cause
            .as_ref()
            .map_or(String::new(), |cause| cause.text.clone());
        let node = self.cause.as_ref().and_then(|cause| cause.node.as_ref());
        let place = match (node, self.nodes) {
            (Some(node), 0 | 1) => format!(" (on {node})"),
            (Some(node), nodes) => format!(" (on {node}, which comes nearest of {nodes} nodes)"),
            (None, _) => String::new(),
        };
        let rejected = if cause_is(self, "config") {
            "would be allocated, but cannot be prepared"
        } else {
            "cannot be served"
        };
        match self.state {
            State::Allocated if self.cause.is_none() => {
                format!("{subject} is allocated: {}", devices.join(", "))
            }
            State::Allocated => format!("{subject} is allocated, but cannot be prepared: {cause}"),
            State::Allocatable => format!(
                "{subject} can be allocated, for example {}",
                devices.join(", ")
            ),
            State::Unallocatable => format!("{subject} {rejected}: {cause}{place}"),
            State::Undecided => format!("{subject}: no verdict: {cause}{place}"),
        }
    }
}

fn cause_is(report: &Report, code: &str) -> bool {
    report
        .cause
        .as_ref()
        .is_some_and(|cause| cause.code == code)
}
