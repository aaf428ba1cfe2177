//! What the kernel refused, in its own words.

use std::io;

/// Result of a host operation.
pub type Result<T> = std::result::Result<T, HostError>;

/// A host operation that failed. Displays as `SUBJECT: OP: KERNEL'S TEXT`, e.g.
/// `vf 0000:03:10.2: set vlan 100 qos 0 proto 802.1ad: protocol not supported`.
#[derive(Debug, thiserror::Error)]
#[error("{subject}: {op}: {}", lower(.source))]
pub struct HostError {
    /// What was being done, with the value.
    pub op: String,
    /// To what: `vf 0000:03:10.2`, `netns /var/run/netns/x`.
    pub subject: String,
    /// The kernel's error; its extended acknowledgement as text where it gave one.
    #[source]
    pub source: io::Error,
}

/// What callers branch on. Nothing else of an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The device, link or namespace is not there.
    Gone,
    /// In use now; worth another try.
    Busy,
    /// The kernel or the device cannot do this, ever.
    Unsupported,
    /// Missing right.
    Denied,
    /// The value is not acceptable (now).
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

    /// An error of a kind, with a text of our own.
    pub fn of_kind(
        kind: ErrorKind,
        subject: impl Into<String>,
        op: impl Into<String>,
        text: &str,
    ) -> Self {
        Self::new(subject, op, io::Error::new(kind.io(), text.to_owned()))
    }

    /// What kind of failure, from the error number or the io kind.
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

    /// The kind that carries this error number, for errors whose text is replaced by the kernel's extended one.
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

/// The text in lower case and without Rust's `(os error N)`, as the kernel's own tools print it.
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
    fn the_text_names_subject_operation_and_the_kernels_reason() {
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
    fn a_kind_survives_a_text_of_its_own() {
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
