//! What of a call is not the network's: versions, variables, errors.

mod args;
mod env;
mod error;
mod version;

pub use args::{Args, Pod};
pub(super) use env::is_name;
pub use env::{Attachment, Command, ContainerId, Env, Variables};
pub use error::{CniError, Code};
pub use version::Version;
