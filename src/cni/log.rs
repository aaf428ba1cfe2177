//! The plugin's log, as the Go plugin writes it: one line of `key="value"` pairs, on stderr or in a
//! file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use jiff::Timestamp;

use super::{netconf::LogConf, protocol::Attachment};

/// How much a line matters, most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The plugin cannot go on.
    Panic,
    /// A call fails.
    Error,
    /// A call goes on, but hardly as it was meant.
    Warning,
    /// What was done.
    Info,
    /// Every step; the configuration too, which may have secrets of an IPAM plugin.
    Debug,
}

impl Level {
    const ALL: [Self; 5] = [
        Self::Panic,
        Self::Error,
        Self::Warning,
        Self::Info,
        Self::Debug,
    ];

    /// As in a configuration and in the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Panic => "panic",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }

    /// The level of that name; info when there is none.
    #[must_use]
    pub fn of(name: Option<&str>) -> Self {
        let named =
            |level: &Self| name.is_some_and(|name| level.as_str().eq_ignore_ascii_case(name));
        Self::ALL.into_iter().find(named).unwrap_or(Self::Info)
    }
}

/// Writes the log of one call. A line that cannot be written is lost: logging fails no call.
#[derive(Debug)]
pub struct Logger {
    level: Level,
    file: Option<File>,
    labels: String,
}

impl Logger {
    /// The log that a network wants. `plugin` is its name in the lines. A file that cannot be used
    /// is said on stderr, where the lines go then.
    #[must_use]
    pub fn open(conf: &LogConf, plugin: &str, attachment: Option<&Attachment>) -> Self {
        let (file, error) = match conf.file.as_deref().map(open) {
            None => (None, None),
            Some(Ok(file)) => (Some(file), None),
            Some(Err(error)) => (None, Some(error)),
        };
        let logger = Self {
            level: Level::of(conf.level.as_deref()),
            file,
            labels: labels(plugin, attachment),
        };
        if let (Some(error), Some(path)) = (error, &conf.file) {
            let path = path.display().to_string();
            let error = error.to_string();
            logger.log(
                Level::Warning,
                "logFile cannot be used",
                &[("path", &path), ("error", &error)],
            );
        }
        logger
    }

    /// Writes a line, if the level is logged.
    pub fn log(&self, level: Level, msg: &str, pairs: &[(&str, &str)]) {
        if level > self.level {
            return;
        }
        let line = line(Timestamp::now(), level, msg, &self.labels, pairs);
        // One write, since calls for several pods log to one file.
        let _ = match &self.file {
            Some(file) => (&*file).write_all(line.as_bytes()),
            None => io::stderr().write_all(line.as_bytes()),
        };
    }

    /// The configuration as it was read: at debug, since it may have secrets.
    pub fn stdin(&self, stdin: &[u8]) {
        let text = String::from_utf8_lossy(stdin);
        self.log(Level::Debug, "called", &[("stdin", &text)]);
    }
}

/// A regular file, or a new one: opening anything else may block or do more than store lines.
fn open(path: &Path) -> io::Result<File> {
    if !path.is_absolute() {
        return Err(io::Error::other("not an absolute path"));
    }
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(io::Error::other("not a regular file"));
    }
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600).open(path)
}

fn labels(plugin: &str, attachment: Option<&Attachment>) -> String {
    let mut labels = pair("cniName", plugin);
    let Some(attachment) = attachment else {
        return labels;
    };
    labels += &pair("containerID", attachment.container.as_str());
    if let Some(netns) = &attachment.netns {
        labels += &pair("netns", &netns.display().to_string());
    }
    labels + &pair("ifname", attachment.if_name.as_str())
}

fn line(time: Timestamp, level: Level, msg: &str, labels: &str, pairs: &[(&str, &str)]) -> String {
    let pairs: String = pairs.iter().map(|(key, value)| pair(key, value)).collect();
    let level = level.as_str();
    format!("time=\"{time}\" level=\"{level}\" msg={msg:?}{labels}{pairs}\n")
}

fn pair(key: &str, value: &str) -> String {
    format!(" {key}={value:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attachment(netns: Option<&str>) -> Attachment {
        Attachment {
            container: "c1".parse().unwrap(),
            if_name: "net1".parse().unwrap(),
            netns: netns.map(Into::into),
            args: Default::default(),
            args_text: String::new(),
        }
    }

    fn conf(level: &str, file: &Path) -> LogConf {
        LogConf {
            level: Some(level.to_owned()),
            file: Some(file.to_owned()),
        }
    }

    #[test]
    fn a_line_is_as_the_go_plugins() {
        let time = "2026-07-18T10:00:00Z".parse().unwrap();
        let labels = labels("sriov-cni", Some(&attachment(Some("/run/netns/x"))));
        assert_eq!(
            line(time, Level::Info, "a \"b\"\nc", &labels, &[("k", "v w")]),
            "time=\"2026-07-18T10:00:00Z\" level=\"info\" msg=\"a \\\"b\\\"\\nc\" cniName=\"sriov-cni\" \
             containerID=\"c1\" netns=\"/run/netns/x\" ifname=\"net1\" k=\"v w\"\n"
        );
        assert_eq!(super::labels("sriov-cni", None), " cniName=\"sriov-cni\"");
    }

    #[test]
    fn a_file_has_the_lines_up_to_the_level() {
        let dir = tempfile::tempdir().unwrap();
        for (level, expected) in [
            ("panic", 1),
            ("Error", 2),
            ("warning", 3),
            ("info", 4),
            ("verbose", 4),
            ("debug", 5),
        ] {
            let path = dir.path().join("logs").join(level);
            let logger = Logger::open(&conf(level, &path), "sriov-cni", None);
            for level in Level::ALL {
                logger.log(level, "x", &[]);
            }
            // Another call appends.
            Logger::open(&conf(level, &path), "sriov-cni", None).log(Level::Panic, "y", &[]);
            let text = fs::read_to_string(&path).unwrap();
            assert_eq!(text.lines().count(), expected + 1, "{level}: {text}");
        }
    }

    #[test]
    fn secrets_of_the_configuration_are_logged_at_debug_only() {
        let dir = tempfile::tempdir().unwrap();
        let text = |level: &str| {
            let path = dir.path().join(level);
            Logger::open(&conf(level, &path), "sriov-cni", None).stdin(b"{\"password\": \"p\"}");
            fs::read_to_string(path).unwrap()
        };
        for level in ["panic", "error", "warning", "info"] {
            assert_eq!(text(level), "");
        }
        assert!(text("debug").contains("password"));
    }

    #[test]
    fn what_is_no_regular_file_is_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        let said = |path: &Path| open(path).unwrap_err().to_string();
        assert_eq!(said(dir.path()), "not a regular file");
        assert_eq!(said(Path::new("/dev/null")), "not a regular file");
        assert_eq!(said(Path::new("x.log")), "not an absolute path");
        let logger = Logger::open(&conf("info", dir.path()), "sriov-cni", None);
        assert!(logger.file.is_none());
    }
}
