//! After a failure: what a person wants to read.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
};

use crate::{command, release};

/// Events, pods and claims of the scenario's namespace, and the agents' logs.
pub(crate) fn explanation(out: &Path, namespace: &str) {
    let dir = out.join(namespace);
    let all: [(&str, &[&str]); 7] = [
        (
            "events.txt",
            &["get", "events", "-n", namespace, "--sort-by=.lastTimestamp"],
        ),
        ("pods.txt", &["describe", "pods", "-n", namespace]),
        (
            "claims.yaml",
            &["get", "resourceclaims", "-n", namespace, "-o", "yaml"],
        ),
        ("slices.yaml", &["get", "resourceslices", "-o", "yaml"]),
        (
            "agents.txt",
            &["describe", "pods", "-n", release::NAMESPACE],
        ),
        (
            "agents.log",
            &[
                "logs",
                "-n",
                release::NAMESPACE,
                "-l",
                release::AGENTS,
                "--prefix",
                "--tail=-1",
            ],
        ),
        (
            "agents-before.log",
            &[
                "logs",
                "-n",
                release::NAMESPACE,
                "-l",
                release::AGENTS,
                "--prefix",
                "--tail=-1",
                "-p",
            ],
        ),
    ];
    for (name, args) in all {
        let text = match command::answer("kubectl", args, "") {
            Ok(answer) => answer.out + &answer.err,
            Err(error) => error.to_string(),
        };
        put(&dir, name, &text);
    }
}

/// The lab's own logs: journals, control plane, consoles.
pub(crate) fn lab_logs(out: &Path) {
    let dir = out.join("lab");
    // A failure to collect logs shall not hide the failure that they are for.
    let _ = command::answer("lab", &["logs", "--out", &dir.to_string_lossy()], "");
}

fn put(dir: &Path, name: &str, text: &str) {
    let _ = fs::create_dir_all(dir)
        .and_then(|()| File::create(dir.join(name))?.write_all(text.as_bytes()));
}
