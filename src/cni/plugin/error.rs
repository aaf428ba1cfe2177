//! Failures of the engine and the kernel, as the specification codes them.

use crate::{
    claim::ClaimError,
    cni::protocol::{CniError, Code},
    host::{ErrorKind, HostError},
    ledger::LockError,
};

/// An error without a code of its own.
pub(super) fn failed(error: impl ToString) -> CniError {
    CniError::new(Code::INTERNAL, error.to_string())
}

/// The kernel's refusal.
pub(super) fn host(error: HostError) -> CniError {
    let code = match error.kind() {
        ErrorKind::Busy => Code::TRY_AGAIN_LATER,
        _ => Code::INTERNAL,
    };
    CniError::new(code, error.to_string())
}

/// Somebody else is at work: it may go when asked again.
pub(super) fn locked(error: LockError) -> CniError {
    CniError::new(Code::TRY_AGAIN_LATER, error.to_string())
}

/// The engine's refusal. What the configuration asks and the device cannot be is the
/// configuration's fault.
pub(super) fn refused(error: ClaimError) -> CniError {
    let code = match &error {
        ClaimError::Busy(_) => Code::TRY_AGAIN_LATER,
        ClaimError::Refused { .. } => Code::INVALID_CONFIG,
        _ => Code::INTERNAL,
    };
    CniError::new(code, error.to_string())
}

/// All that did not work, as one: the first one's code.
pub(super) fn all(errors: Vec<CniError>) -> Result<(), CniError> {
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    match errors.into_iter().next() {
        Some(first) => Err(CniError::new(first.code, texts.join("; "))),
        None => Ok(()),
    }
}
