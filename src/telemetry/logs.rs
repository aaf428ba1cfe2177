//! Logs on standard error.

use std::io::{self, IsTerminal};

use anyhow::Context;
use tracing_subscriber::EnvFilter;

use crate::args::LogFormat;

/// Starts logging for the process. `filter` is a level or a list of targets with levels.
///
/// # Errors
/// The filter is invalid.
pub fn init(filter: &str, format: LogFormat) -> anyhow::Result<()> {
    let logs = tracing_subscriber::fmt()
        .with_env_filter(parse(filter)?)
        .with_writer(io::stderr);
    match format {
        LogFormat::Json => logs.json().flatten_event(true).init(),
        LogFormat::Text => logs
            .with_target(false)
            // Escape sequences are for terminals: in a file they hide what grep looks for.
            .with_ansi(io::stderr().is_terminal())
            .init(),
    }
    Ok(())
}

fn parse(filter: &str) -> anyhow::Result<EnvFilter> {
    EnvFilter::try_new(filter).with_context(|| {
        format!(
            "--log {filter:?}: must be a level like info, or levels by target like \
             info,sriov_dra::controller=debug"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_filter_is_named_with_what_would_be_valid() {
        assert!(parse("info,sriov_dra::node=debug").is_ok());
        let error = format!("{:#}", parse("info,sriov_dra=loud").unwrap_err());
        assert!(
            error.contains(r#"--log "info,sriov_dra=loud": must be a level"#),
            "{error}"
        );
    }
}
