//! `record`: writes the state of the host to a file.

use anyhow::Context;

use crate::{args::RecordArgs, files, host::linux::Linux, paths::Paths};

pub(super) fn run(args: &RecordArgs) -> anyhow::Result<()> {
    let recording = Linux::new(Paths::default()).record()?;
    let text = serde_json::to_string_pretty(&recording)? + "\n";
    match &args.out {
        Some(path) => files::write_atomic(path, text.as_bytes(), 0o644)
            .with_context(|| path.display().to_string()),
        None => super::print(&text),
    }
}
