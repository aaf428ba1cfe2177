//! The variables of a call.

use std::{ffi::OsString, fmt, path::PathBuf, str::FromStr};

use super::{Args, CniError};
use crate::device::{IfName, ParseError};

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    /// Attach.
    Add,
    /// Detach.
    Del,
    /// Is the attachment as it was made?
    Check,
    /// Release all but the attachments that are listed.
    Gc,
    /// Could ADD be served?
    Status,
    /// Which versions are supported?
    Version,
}

impl Command {
    /// All.
    pub const ALL: [Self; 6] = [
        Self::Add,
        Self::Del,
        Self::Check,
        Self::Gc,
        Self::Status,
        Self::Version,
    ];

    /// As in `CNI_COMMAND`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "ADD",
            Self::Del => "DEL",
            Self::Check => "CHECK",
            Self::Gc => "GC",
            Self::Status => "STATUS",
            Self::Version => "VERSION",
        }
    }

    /// Whether it is about one attachment.
    fn has_attachment(self) -> bool {
        matches!(self, Self::Add | Self::Del | Self::Check)
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A container's id: a letter or digit, and then also `_`, `.` and `-`. It names files.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerId(String);

impl ContainerId {
    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ContainerId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let right = "must begin with a letter or digit, and have only these, '_', '.' and '-'";
        if is_name(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(ParseError::new("container id", text, right))
    }
}

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The form of container ids and of networks' names, as libcni checks it.
pub(in crate::cni) fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(plain)
}

/// One interface of one container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// `CNI_CONTAINERID`.
    pub container: ContainerId,
    /// `CNI_IFNAME`.
    pub if_name: IfName,
    /// `CNI_NETNS`; DEL may be without, when the namespace is gone.
    pub netns: Option<PathBuf>,
    /// `CNI_ARGS`.
    pub args: Args,
    /// The same as it was given, for an IPAM plugin.
    pub args_text: String,
}

/// All variables of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Env {
    /// `CNI_COMMAND`.
    pub command: Command,
    /// For ADD, DEL and CHECK.
    pub attachment: Option<Attachment>,
    /// `CNI_PATH`: where plugins are.
    pub path: Vec<PathBuf>,
    /// `CNI_NETNS_OVERRIDE`: the namespace may be the plugin's own.
    pub netns_override: bool,
}

/// Reads one variable.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<OsString>;

impl Env {
    /// Reads the variables that the command has.
    ///
    /// # Errors
    /// One that it needs is missing, or one is invalid.
    pub fn read(variables: Variables<'_>) -> Result<Self, CniError> {
        let command = command(variables)?;
        let attachment = command
            .has_attachment()
            .then(|| attachment(variables, command))
            .transpose()?;
        let over = text(variables, "CNI_NETNS_OVERRIDE")?;
        Ok(Self {
            command,
            attachment,
            path: path(variables),
            netns_override: over
                .is_some_and(|over| over == "1" || over.eq_ignore_ascii_case("true")),
        })
    }
}

fn command(variables: Variables<'_>) -> Result<Command, CniError> {
    const NAME: &str = "CNI_COMMAND";
    let right = format!(
        "must be one of {}",
        Command::ALL.map(Command::as_str).join(", ")
    );
    let given = text(variables, NAME)?
        .ok_or_else(|| CniError::variable(NAME, &format!("is not set, {right}")))?;
    let mut all = Command::ALL.into_iter();
    all.find(|command| command.as_str() == given)
        .ok_or_else(|| CniError::variable(NAME, &format!("{given:?} is unknown, {right}")))
}

fn attachment(variables: Variables<'_>, command: Command) -> Result<Attachment, CniError> {
    let netns = value(variables, "CNI_NETNS");
    if netns.is_none() && command != Command::Del {
        return Err(missing("CNI_NETNS", command));
    }
    // An attachment that cannot be read from its arguments must still be released.
    let args_text = text(variables, "CNI_ARGS")?.unwrap_or_default();
    let args = match Args::parse(&args_text) {
        Err(_) if command == Command::Del => Args::default(),
        args => args?,
    };
    Ok(Attachment {
        container: parsed(variables, "CNI_CONTAINERID", command)?,
        if_name: parsed(variables, "CNI_IFNAME", command)?,
        netns: netns.map(PathBuf::from),
        args,
        args_text,
    })
}

fn parsed<T: FromStr<Err = ParseError>>(
    variables: Variables<'_>,
    name: &str,
    command: Command,
) -> Result<T, CniError> {
    let given = text(variables, name)?.ok_or_else(|| missing(name, command))?;
    given
        .parse()
        .map_err(|error: ParseError| CniError::variable(name, &error.to_string()))
}

fn missing(name: &str, command: Command) -> CniError {
    CniError::variable(name, &format!("is not set, {command} needs it"))
}

/// The value; an empty one is none.
fn value(variables: Variables<'_>, name: &str) -> Option<OsString> {
    variables(name).filter(|value| !value.is_empty())
}

fn text(variables: Variables<'_>, name: &str) -> Result<Option<String>, CniError> {
    value(variables, name)
        .map(|value| {
            value
                .into_string()
                .map_err(|_| CniError::variable(name, "is not UTF-8"))
        })
        .transpose()
}

fn path(variables: Variables<'_>) -> Vec<PathBuf> {
    let path = value(variables, "CNI_PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .filter(|dir| !dir.as_os_str().is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [(&str, &str); 4] = [
        ("CNI_CONTAINERID", "c1"),
        ("CNI_NETNS", "/run/netns/x"),
        ("CNI_IFNAME", "net1"),
        ("CNI_PATH", "/opt/cni/bin::/usr/lib/cni"),
    ];

    fn read(command: &str, changes: &[(&str, &str)]) -> Result<Env, CniError> {
        let set = [&ALL[..], &[("CNI_COMMAND", command)], changes].concat();
        let variables = |name: &str| {
            let found = set.iter().rev().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        Env::read(&variables)
    }

    #[test]
    fn a_call_is_read() {
        let env = read("ADD", &[("CNI_ARGS", "MAC=x")]).unwrap();
        assert_eq!(env.command, Command::Add);
        assert_eq!(
            env.path,
            ["/opt/cni/bin", "/usr/lib/cni"].map(PathBuf::from)
        );
        let attachment = env.attachment.unwrap();
        assert_eq!(attachment.container.as_str(), "c1");
        assert_eq!(attachment.if_name.as_str(), "net1");
        assert_eq!(attachment.netns, Some("/run/netns/x".into()));
        assert_eq!(attachment.args.mac.as_deref(), Some("x"));
        assert!(!env.netns_override);
        assert!(
            read("ADD", &[("CNI_NETNS_OVERRIDE", "True")])
                .unwrap()
                .netns_override
        );
    }

    #[test]
    fn each_command_needs_its_variables() {
        let names = ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"];
        for (command, needed) in [
            ("ADD", [true, true, true, false]),
            ("CHECK", [true, true, true, false]),
            ("DEL", [true, false, true, false]),
            ("GC", [false; 4]),
            ("STATUS", [false; 4]),
            ("VERSION", [false; 4]),
        ] {
            for (name, needed) in names.into_iter().zip(needed) {
                let read = read(command, &[(name, "")]);
                let said = format!("{name}: is not set, {command} needs it");
                let error = needed.then(|| CniError::new(super::super::Code(4), said));
                assert_eq!(read.err(), error, "{command} {name}");
            }
        }
    }

    #[test]
    fn invalid_variables_are_refused() {
        for (name, value) in [
            ("CNI_COMMAND", ""),
            ("CNI_COMMAND", "add"),
            ("CNI_COMMAND", "UPDATE"),
            ("CNI_CONTAINERID", "-c"),
            ("CNI_CONTAINERID", ".."),
            ("CNI_CONTAINERID", "a/b"),
            ("CNI_CONTAINERID", "a b"),
            ("CNI_CONTAINERID", "é"),
            ("CNI_IFNAME", "sixteen-bytes-xx"),
            ("CNI_IFNAME", "a/b"),
            ("CNI_IFNAME", "a:b"),
            ("CNI_IFNAME", "a b"),
            ("CNI_IFNAME", ".."),
            ("CNI_ARGS", "foo"),
        ] {
            let error = read("ADD", &[(name, value)]).unwrap_err();
            assert_eq!(error.code.0, 4, "{name}={value}");
            assert!(error.msg.starts_with(&format!("{name}: ")), "{}", error.msg);
        }
        assert!(read("ADD", &[("CNI_CONTAINERID", "0cni-a_b.c")]).is_ok());
    }

    #[test]
    fn arguments_that_cannot_be_read_do_not_keep_what_was_attached() {
        let env = read("DEL", &[("CNI_ARGS", "foo"), ("CNI_NETNS", "")]).unwrap();
        let attachment = env.attachment.unwrap();
        assert_eq!((attachment.args, attachment.netns), (Args::default(), None));
    }
}
