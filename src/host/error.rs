//! Errors of kernel operations, with the kernel's message.

use std::io;

/// Result of a host operation.
pub type Result<T> = std::result::Result<T, HostError>;

/// A host operation that failed. Displays as `SUBJECT: OPERATION: MESSAGE`, e.g. `vf 0000:03:10.2:
/// set vlan 100 qos 0 proto 802.1ad: protocol not supported`.
#[derive(Debug, thiserror::Error)]
#[error("{subject}: {op}: {}", lower(.source))]
pub struct HostError {
    /// The operation, with the value that was to be set.
    pub op: String,
    /// The subject: `vf 0000:03:10.2`, `netns /var/run/netns/x`.
    pub subject: String,
    /// The kernel's error, with the message of the extended acknowledgement if there is one.
    #[source]
    pub source: io::Error,
}

/// The only property of an error that callers may branch on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The device, link or namespace does not exist.
    Gone,
    /// In use; a retry may succeed.
    Busy,
    /// The kernel or the device does not support it; a retry cannot succeed.
    Unsupported,
    /// Permission denied.
    Denied,
    /// The value is invalid, or invalid in the current state.
    Invalid,
    /// Anything else.
    Other,
}

impl HostError {
    /// An error from the operating system.
    pub fn new(subject: impl Into<String>, op: impl Into<String>, source: io::Error) -> Self {
        Self {
            op: op.into(),
            subject: subject.into(),
            source,
        }
    }

    /// An error of a kind, with this driver's own message.
    pub fn of_kind(
        kind: ErrorKind,
        subject: impl Into<String>,
        op: impl Into<String>,
        text: &str,
    ) -> Self {
        Self::new(subject, op, io::Error::new(kind.io(), text.to_owned()))
    }

    /// The kind of failure, from the error number or the `io::ErrorKind`.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self.source.raw_os_error() {
            Some(errno) => of_errno(errno),
            None => of_io(self.source.kind()),
        }
    }
}

impl ErrorKind {
    fn io(self) -> io::ErrorKind {
        match self {
            Self::Gone => io::ErrorKind::NotFound,
            Self::Busy => io::ErrorKind::ResourceBusy,
            Self::Unsupported => io::ErrorKind::Unsupported,
            Self::Denied => io::ErrorKind::PermissionDenied,
            Self::Invalid => io::ErrorKind::InvalidInput,
            Self::Other => io::ErrorKind::Other,
        }
    }

    /// The kind of an error number, for errors whose message is that of the extended
    /// acknowledgement.
    #[must_use]
    pub fn of_errno(errno: i32) -> Self {
        of_errno(errno)
    }
}

fn of_errno(errno: i32) -> ErrorKind {
    use rustix::io::Errno;
    match Errno::from_raw_os_error(errno) {
        Errno::NOENT | Errno::NODEV | Errno::NXIO => ErrorKind::Gone,
        Errno::BUSY | Errno::AGAIN | Errno::EXIST | Errno::TIMEDOUT => ErrorKind::Busy,
        Errno::OPNOTSUPP | Errno::PROTONOSUPPORT | Errno::NOSYS | Errno::AFNOSUPPORT => {
            ErrorKind::Unsupported
        }
        Errno::PERM | Errno::ACCESS | Errno::ROFS => ErrorKind::Denied,
        Errno::INVAL | Errno::RANGE | Errno::ADDRNOTAVAIL => ErrorKind::Invalid,
        _ => ErrorKind::Other,
    }
}

fn of_io(kind: io::ErrorKind) -> ErrorKind {
    match kind {
        io::ErrorKind::NotFound => ErrorKind::Gone,
        io::ErrorKind::ResourceBusy | io::ErrorKind::TimedOut | io::ErrorKind::AlreadyExists => {
            ErrorKind::Busy
        }
        io::ErrorKind::Unsupported => ErrorKind::Unsupported,
        io::ErrorKind::PermissionDenied => ErrorKind::Denied,
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => ErrorKind::Invalid,
        _ => ErrorKind::Other,
    }
}

/// The message in lower case and without Rust's `(os error N)`, as iproute2 prints it.
fn lower(source: &io::Error) -> String {
    let text = source.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_lowercase().chain(chars).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_names_subject_operation_and_the_kernels_reason() {
        let refused = io::Error::from_raw_os_error(93);
        let error = HostError::new(
            "vf 0000:03:10.2",
            "set vlan 100 qos 0 proto 802.1ad",
            refused,
        );
        assert_eq!(
            error.to_string(),
            "vf 0000:03:10.2: set vlan 100 qos 0 proto 802.1ad: protocol not supported"
        );
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn a_custom_message_keeps_the_kind() {
        for kind in [
            ErrorKind::Gone,
            ErrorKind::Busy,
            ErrorKind::Unsupported,
            ErrorKind::Denied,
            ErrorKind::Invalid,
        ] {
            assert_eq!(
                HostError::of_kind(kind, "vf", "set", "mtu less than device minimum").kind(),
                kind
            );
        }
    }
}
