//! Calls of IPAM plugins: processes that get our stdin and our variables, and answer on stdout.

mod process;

use std::{
    ffi::OsString,
    fs,
    io::{self, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Output, Stdio},
    time::Duration,
};

use serde_json::Value;

use super::{
    json::quoted,
    protocol::{CniError, Code, Command},
    result::CniResult,
};
use crate::deadline::Deadline;

/// How long a plugin that is being replaced is waited for.
const REPLACED: Duration = Duration::from_secs(5);

/// `PATH` of a plugin that does not get the process's.
const SEARCH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// An IPAM plugin, found.
#[derive(Debug, Clone)]
pub struct Delegate<'a> {
    kind: &'a str,
    program: PathBuf,
    stdin: &'a [u8],
    variables: Vec<(&'static str, OsString)>,
    /// The program that executes the plugin, with its first arguments; none: directly.
    launcher: &'a [OsString],
    /// Then it is killed, and it gets no variables but ours.
    deadline: Option<Deadline>,
}

impl<'a> Delegate<'a> {
    /// Finds the plugin of that name (`ipam.type`) in the directories of `CNI_PATH`. It is to read
    /// `stdin`, which is what we have read.
    ///
    /// # Errors
    /// The name is no file name, or there is no such file.
    pub fn find(kind: &'a str, path: &[PathBuf], stdin: &'a [u8]) -> Result<Self, CniError> {
        Self::find_below(Path::new("/"), kind, path, stdin)
    }

    /// The same where `root` is the root directory of the directories and of the plugin.
    ///
    /// # Errors
    /// As [`Delegate::find`].
    pub fn find_below(
        root: &Path,
        kind: &'a str,
        path: &[PathBuf],
        stdin: &'a [u8],
    ) -> Result<Self, CniError> {
        if kind.contains('/') || ["", ".", ".."].contains(&kind) {
            let reason = format!("is {}, must be a file name", quoted(kind));
            return Err(CniError::config("ipam.type", &reason));
        }
        let is_file = |program: &PathBuf| {
            let seen = root.join(program.strip_prefix("/").unwrap_or(program));
            fs::metadata(seen).is_ok_and(|found| found.is_file())
        };
        let programs = path.iter().map(|dir| dir.join(kind));
        let program = programs.into_iter().find(is_file);
        Ok(Self {
            kind,
            program: program.ok_or_else(|| not_found(kind, path))?,
            stdin,
            variables: Vec::new(),
            launcher: &[],
            deadline: None,
        })
    }

    /// Executed by that program, which gets the plugin's path as its last argument.
    #[must_use]
    pub fn launched_by(self, launcher: &'a [OsString]) -> Self {
        Self { launcher, ..self }
    }

    /// Killed when the time is over. The process's own variables are not passed on.
    #[must_use]
    pub fn until(self, deadline: Deadline) -> Self {
        Self {
            deadline: Some(deadline),
            ..self
        }
    }

    /// With other variables than the process's own.
    #[must_use]
    pub fn with_variables(self, variables: Vec<(&'static str, OsString)>) -> Self {
        Self { variables, ..self }
    }

    /// ADD: its addresses, at least one.
    ///
    /// # Errors
    /// The plugin's own, with its code; or it has answered with no address, or with no result.
    pub fn add(&self) -> Result<CniResult, CniError> {
        let answer = self.run(Command::Add)?;
        let value: Value = serde_json::from_slice(&answer)
            .map_err(|error| self.error(format!("answer is not valid JSON: {error}")))?;
        let result = CniResult::read(&format!("answer of {}", self.kind), value)?;
        if result.ips.is_empty() {
            return Err(self.error("assigned no address"));
        }
        Ok(result)
    }

    /// DEL, CHECK, GC or STATUS.
    ///
    /// # Errors
    /// The plugin's own, with its code.
    pub fn call(&self, command: Command) -> Result<(), CniError> {
        self.run(command).map(drop)
    }

    fn run(&self, command: Command) -> Result<Vec<u8>, CniError> {
        let output = self
            .execute(command)
            .map_err(|error| self.error(format!("execute {}: {error}", self.program.display())))?;
        if !output.status.success() {
            return Err(self.refused(&output));
        }
        // It has to be seen by whoever reads ours.
        let _ = io::stderr().write_all(&output.stderr);
        Ok(output.stdout)
    }

    fn execute(&self, command: Command) -> io::Result<Output> {
        let child = self.spawn(command, Deadline::after(REPLACED))?;
        match self.deadline {
            None => process::wait(child, self.stdin),
            Some(deadline) => process::wait_until(child, self.stdin, deadline),
        }
    }

    fn command(&self) -> std::process::Command {
        let mut command = match self.launcher {
            [] => std::process::Command::new(&self.program),
            [launcher, first @ ..] => {
                let mut command = std::process::Command::new(launcher);
                command.args(first).arg(&self.program);
                command
            }
        };
        if self.deadline.is_some() {
            command.process_group(0).env_clear().env("PATH", SEARCH);
        }
        command
    }

    /// Starts the plugin; one whose file is just being written is waited for.
    fn spawn(&self, command: Command, wait: Deadline) -> io::Result<Child> {
        let mut process = self.command();
        process
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .env("CNI_COMMAND", command.as_str())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let started = wait.poll(|| match process.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => Ok(None),
            started => started.map(Some),
        });
        started?.ok_or_else(|| io::ErrorKind::ExecutableFileBusy.into())
    }

    /// The plugin's error object, with its code; else what it has written, and how it ended.
    fn refused(&self, output: &Output) -> CniError {
        if let Some(error) = serde_json::from_slice(&output.stdout)
            .ok()
            .as_ref()
            .and_then(object)
        {
            let msg = format!("ipam {}: {}", self.kind, error.msg);
            return CniError { msg, ..error };
        }
        let text = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
        let written: Vec<&str> = text.iter().map(|text| text.trim()).collect();
        let written = written.into_iter().find(|text| !text.is_empty());
        let written = written.unwrap_or("no error message");
        self.error(format!("{written}: {}", output.status))
    }

    fn error(&self, reason: impl AsRef<str>) -> CniError {
        let msg = format!("ipam {}: {}", self.kind, reason.as_ref());
        CniError::new(Code::IPAM, msg)
    }
}

fn not_found(kind: &str, path: &[PathBuf]) -> CniError {
    let dirs: Vec<String> = path.iter().map(|dir| dir.display().to_string()).collect();
    let whereto = match &dirs[..] {
        [] => "CNI_PATH is not set".to_owned(),
        dirs => format!("not in CNI_PATH {}", dirs.join(":")),
    };
    CniError::new(Code::IPAM, format!("ipam {kind}: {whereto}"))
}

/// An error object. One without a code, or with 0, gets ours.
fn object(value: &Value) -> Option<CniError> {
    let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let code = value["code"]
        .as_u64()
        .and_then(|code| u32::try_from(code).ok());
    let given = code.is_some() || value["msg"].is_string();
    given.then(|| CniError {
        code: code.filter(|code| *code != 0).map_or(Code::IPAM, Code),
        msg: text("msg"),
        details: text("details"),
    })
}

#[cfg(test)]
mod tests {
    use std::{path::Path, thread};

    use super::*;
    use crate::files;

    const STDIN: &[u8] =
        br#"{"cniVersion": "0.4.0", "name": "n", "ipam": {"type": "p", "x": [1]}}"#;

    /// A directory with the plugin `p`, a shell script.
    fn plugin(script: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let text = format!("#!/bin/sh\n{script}\n");
        files::write_atomic(&dir.path().join("p"), text.as_bytes(), 0o755).unwrap();
        dir
    }

    fn with<T>(script: &str, call: impl FnOnce(Delegate<'_>) -> T) -> T {
        let dir = plugin(script);
        let path = [Path::new("/nonexistent").into(), dir.path().to_owned()];
        let variables = vec![
            ("CNI_IFNAME", "net1".into()),
            ("OUT", dir.path().as_os_str().to_owned()),
        ];
        call(
            Delegate::find("p", &path, STDIN)
                .unwrap()
                .with_variables(variables),
        )
    }

    fn add(script: &str) -> Result<CniResult, CniError> {
        with(script, |plugin| plugin.add())
    }

    #[test]
    fn results_of_every_version_are_read() {
        for answer in [
            r#"{"cniVersion": "0.2.0", "ip4": {"ip": "10.0.0.2/24"}}"#,
            r#"{"ip4": {"ip": "10.0.0.2/24"}}"#,
            r#"{"cniVersion": "0.3.1", "ips": [{"version": "4", "address": "10.0.0.2/24"}], "dns": {}}"#,
            r#"{"cniVersion": "0.4.0", "ips": [{"version": "4", "address": "10.0.0.2/24"}]}"#,
            r#"{"cniVersion": "1.0.0", "ips": [{"address": "10.0.0.2/24"}]}"#,
            r#"{"cniVersion": "1.1.0", "ips": [{"address": "10.0.0.2/24"}]}"#,
        ] {
            let result = add(&format!("cat >/dev/null; echo '{answer}'")).unwrap();
            assert_eq!(result.ips[0].address.to_string(), "10.0.0.2/24");
        }
    }

    #[test]
    fn the_plugin_gets_our_stdin_and_variables() {
        for command in [Command::Del, Command::Check, Command::Gc, Command::Status] {
            let script = r#"cat >"$OUT/stdin"; echo "$CNI_COMMAND $CNI_IFNAME $#" >"$OUT/call""#;
            with(script, |plugin| {
                plugin.call(command).unwrap();
                let dir = plugin.program.parent().unwrap();
                assert_eq!(fs::read(dir.join("stdin")).unwrap(), STDIN);
                let call = fs::read_to_string(dir.join("call")).unwrap();
                assert_eq!(call, format!("{command} net1 0\n"));
            });
        }
    }

    #[test]
    fn a_large_stdin_that_is_not_read_does_not_hang() {
        let dir = plugin(r#"echo '{"cniVersion": "1.0.0", "ips": [{"address": "10.0.0.2/24"}]}'"#);
        let stdin = vec![b' '; 1 << 20];
        let path = [dir.path().to_owned()];
        assert_eq!(
            Delegate::find("p", &path, &stdin)
                .unwrap()
                .add()
                .unwrap()
                .ips
                .len(),
            1
        );
    }

    #[test]
    fn a_plugin_that_is_being_written_is_waited_for() {
        with("true", |plugin| {
            let written = fs::OpenOptions::new().write(true).open(&plugin.program);
            let written = written.unwrap();
            let started = plugin.spawn(Command::Del, Deadline::after(Duration::from_millis(20)));
            let error = started.unwrap_err().kind();
            assert_eq!(error, io::ErrorKind::ExecutableFileBusy);
            thread::scope(|scope| {
                let call = scope.spawn(|| plugin.call(Command::Del));
                drop(written);
                assert_eq!(call.join().unwrap(), Ok(()));
            });
        });
    }

    #[test]
    fn errors_keep_the_plugins_code() {
        let fail = |answer: &str| add(&format!("{answer}; exit 1")).unwrap_err();
        let error =
            fail(r#"echo '{"cniVersion": "1.0.0", "code": 11, "msg": "m", "details": "d"}'"#);
        assert_eq!(
            error,
            CniError::new(Code(11), "ipam p: m").with_details("d")
        );
        for (answer, said) in [
            (r#"echo '{"code": 0, "msg": "m"}'"#, "ipam p: m"),
            (r#"echo '{"msg": "m"}'"#, "ipam p: m"),
            ("echo text", "ipam p: text: exit status: 1"),
            ("echo text >&2", "ipam p: text: exit status: 1"),
            ("echo '{}'", "ipam p: {}: exit status: 1"),
            ("true", "ipam p: no error message: exit status: 1"),
            (
                "kill -9 $$",
                "ipam p: no error message: signal: 9 (SIGKILL)",
            ),
        ] {
            assert_eq!(fail(answer), CniError::new(Code::IPAM, said));
        }
        assert_eq!(
            with("exit 3", |plugin| plugin.call(Command::Del))
                .unwrap_err()
                .code,
            Code::IPAM
        );
    }

    #[test]
    fn an_answer_without_addresses_is_an_error() {
        for (answer, code, said) in [
            (
                "{\"cniVersion\": \"1.0.0\"}",
                100,
                "ipam p: assigned no address",
            ),
            (
                "{\"cniVersion\": \"0.4.0\", \"ips\": null}",
                100,
                "ipam p: assigned no address",
            ),
            (
                "{\"cniVersion\": \"0.2.0\"}",
                100,
                "ipam p: assigned no address",
            ),
            (
                "text",
                100,
                "ipam p: answer is not valid JSON: expected ident at line 1 column 2",
            ),
            ("[]", 6, "answer of p: is no object"),
        ] {
            let error = add(&format!("echo '{answer}'")).unwrap_err();
            assert_eq!((error.code.0, &*error.msg), (code, said));
        }
    }

    #[test]
    fn only_a_file_in_the_path_is_executed() {
        let dir = plugin("true");
        fs::create_dir(dir.path().join("d")).unwrap();
        let path = [dir.path().to_owned()];
        let find =
            |kind: &'static str, path: &[PathBuf]| Delegate::find(kind, path, b"").unwrap_err();
        for bad in ["../p", "/bin/sh", "", ".", ".."] {
            assert_eq!(find(bad, &path).code, Code::INVALID_CONFIG, "{bad}");
        }
        let said = format!("ipam d: not in CNI_PATH {}", dir.path().display());
        assert_eq!(find("d", &path), CniError::new(Code::IPAM, said));
        assert_eq!(find("p", &[]).msg, "ipam p: CNI_PATH is not set");
    }
}
