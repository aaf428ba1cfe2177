//! Observability of the processes: logs, metrics, readiness.

mod logs;
mod metrics;
mod readiness;
mod serve;

pub use logs::init as init_logs;
pub use metrics::{Call, Metrics};
pub use readiness::{Readiness, Task};
pub use serve::{Probed, agent_socket, query, serve};
