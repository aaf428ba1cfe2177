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

/// How many devices pass each step of the allocation of a request, each step after those before it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Funnel {
    /// `req` or `req/sub`.
    pub request: String,
    /// How many nodes were evaluated.
    pub nodes: usize,
    /// Devices that are published.
    pub devices: usize,
    /// That the class's selectors take, but for the pool.
    pub class: usize,
    /// That are in the pool, if one is requested.
    pub pool: usize,
    /// That the request's own selectors take.
    pub selectors: usize,
    /// That are free and usable.
    pub free: usize,
    /// The most that are free on one node: all devices of a claim are on one.
    pub one_node: usize,
    /// The most on one node that the constraints allow together; `None`: there are none.
    pub constraints: Option<usize>,
    /// How many the request needs.
    pub needed: usize,
}

impl Funnel {
    pub(super) fn of(request: &str, nodes: usize) -> Self {
        Self {
            request: request.to_owned(),
            nodes,
            needed: 1,
            ..Self::default()
        }
    }
}

/// The devices of all nodes that a request rejects, or takes, for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReasonView {
    /// `req` or `req/sub`.
    pub request: String,
    /// Machine-readable and stable.
    pub verdict: &'static str,
    /// How many devices.
    pub devices: usize,
    /// On how many nodes.
    pub nodes: usize,
    /// The node, if it is one.
    pub node: Option<String>,
    /// Name of the first device.
    pub example: String,
    /// Human-readable; where devices differ, the most frequent values.
    pub reason: String,
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
    /// How many devices pass each step, by request.
    pub funnel: Vec<Funnel>,
    /// Why devices are rejected, over all nodes.
    pub reasons: Vec<ReasonView>,
    /// Constraints by node.
    pub constraints: Vec<ConstraintView>,
    /// Verdicts of the devices, grouped.
    pub rows: Vec<Row>,
}

impl Report {
    /// A report without a result yet.
    pub(super) fn of(subject: &str, nodes: usize) -> Self {
        Self {
            subject: subject.to_owned(),
            state: State::Unallocatable,
            devices: Vec::new(),
            cause: None,
            nodes,
            notes: Vec::new(),
            funnel: Vec::new(),
            reasons: Vec::new(),
            constraints: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// The report on a claim that cannot be evaluated.
    pub(super) fn rejected(subject: &str, cause: Cause) -> Self {
        Self {
            cause: Some(cause),
            ..Self::of(subject, 0)
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
            State::Allocatable if devices.is_empty() => {
                format!("{subject} can be allocated: it requests no devices")
            }
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
