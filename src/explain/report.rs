//! The result: a headline and the details.

use serde::Serialize;

use super::cause::Cause;

/// State of a claim's allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// The claim is allocated.
    Allocated,
    /// The claim can be allocated on some node.
    Allocatable,
    /// The claim cannot be allocated on any node.
    #[serde(rename = "refused")]
    Unallocatable,
    /// Not supported by this evaluation.
    Undecided,
}

/// Devices of one node with the same verdict for a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// `req` or `req/sub`.
    pub request: String,
    /// The node; `None`: all nodes.
    pub node: Option<String>,
    /// Machine-readable and stable.
    pub verdict: &'static str,
    /// Human-readable reason.
    pub reason: String,
    /// Names of the devices, in the scheduler's order.
    pub devices: Vec<String>,
}

/// A constraint, and the values of the available devices on one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConstraintView {
    /// `matchAttribute resource.kubernetes.io/numaNode`.
    pub constraint: String,
    /// The node.
    pub node: String,
    /// Value and number of available devices.
    pub groups: Vec<(String, usize)>,
}

/// The result of [`super::explain`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// `claim shop/net`, `class vf`.
    pub subject: String,
    /// State of its allocation.
    pub state: State,
    /// The devices that are or can be allocated: request and `pool/device`.
    pub devices: Vec<(String, String)>,
    /// The root cause; `None` if there is no error.
    pub cause: Option<Cause>,
    /// How many nodes were evaluated.
    pub nodes: usize,
    /// Further information.
    pub notes: Vec<String>,
    /// Constraints by node.
    pub constraints: Vec<ConstraintView>,
    /// Verdicts of the devices, grouped.
    pub rows: Vec<Row>,
}

impl Report {
    /// The report on a claim that does not exist.
    pub(super) fn missing(subject: &str, text: &str) -> Self {
        Self {
            subject: subject.to_owned(),
            state: State::Unallocatable,
            devices: Vec::new(),
            cause: Some(Cause::new("claimMissing", None, text)),
            nodes: 0,
            notes: Vec::new(),
            constraints: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// Whether it is allocated, or can be, and nothing rejects it.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        matches!(self.state, State::Allocated | State::Allocatable) && self.cause.is_none()
    }

    /// Result and root cause in one line.
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
            (Some(node), nodes) => format!(" (on {node}, the closest match of {nodes} nodes)"),
            (None, _) => String::new(),
        };
        let rejected = if cause_is(self, "config") {
            "can be allocated, but not prepared"
        } else {
            "cannot be allocated"
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
            State::Undecided => format!("{subject}: result unknown: {cause}{place}"),
        }
    }
}

fn cause_is(report: &Report, code: &str) -> bool {
    report
        .cause
        .as_ref()
        .is_some_and(|cause| cause.code == code)
}
