//! Programs of the machine that the scenarios run on: kubectl, helm, lab.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

/// What a program answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Its exit code; −1 when a signal ended it.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Answer {
    /// Its standard output, or an error with its message when it failed.
    pub(crate) fn ok(self, what: &str) -> Result<String> {
        if self.code == 0 {
            return Ok(self.out);
        }
        let message = if self.err.trim().is_empty() {
            &self.out
        } else {
            &self.err
        };
        bail!("{what}: exit code {}: {}", self.code, message.trim());
    }
}

/// Runs it to its end, with `input` as its standard input.
pub(crate) fn answer(program: &str, args: &[&str], input: &str) -> Result<Answer> {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{program}: cannot be started"))?;
    // One that does not read its input is no failure of ours; its exit code says so.
    let _ = child
        .stdin
        .take()
        .map(|mut stdin| stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output()?;
    Ok(Answer {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Runs it and wants success.
pub(crate) fn run(program: &str, args: &[&str], input: &str) -> Result<String> {
    answer(program, args, input)?.ok(&format!("{program} {}", args.join(" ")))
}
