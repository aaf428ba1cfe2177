//! Logs on standard error.

use tracing_subscriber::EnvFilter;

use crate::args::LogFormat;

/// Starts logging for the process. `filter` is a level or a list of targets with levels.
///
/// # Errors
/// The filter is invalid.
pub fn init(filter: &str, format: LogFormat) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter)?;
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Json => logs.json().flatten_event(true).init(),
        LogFormat::Text => logs.with_target(false).init(),
    }
    Ok(())
}
