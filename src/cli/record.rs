//! `record`: writes the state of the host to a file.

use std::path::Path;

use anyhow::{Context, ensure};

use crate::{args::RecordArgs, files, host::linux::Linux, paths::Paths};

pub(super) fn run(args: &RecordArgs) -> anyhow::Result<()> {
    let recording = Linux::new(Paths::default()).record()?;
    let text = serde_json::to_string_pretty(&recording)? + "\n";
    match &args.out {
        Some(path) if path != Path::new("-") => write(path, &text),
        _ => super::print(&text),
    }
}

/// A directory that does not exist is more often a typing error than meant to be created.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    let dir = dir.unwrap_or(Path::new("."));
    ensure!(
        dir.is_dir(),
        "{}: directory {} does not exist",
        path.display(),
        dir.display()
    );
    files::write_atomic(
        &dir.join(path.file_name().unwrap_or_default()),
        text.as_bytes(),
        0o644,
    )
    .with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_only_where_its_directory_exists() {
        let dir = tempfile::tempdir().unwrap();
        write(&dir.path().join("host.json"), "{}").unwrap();
        let missing = dir.path().join("typo/host.json");
        let error = write(&missing, "{}").unwrap_err().to_string();
        assert!(error.ends_with("typo does not exist"), "{error}");
        assert!(!dir.path().join("typo").exists());
    }
}
