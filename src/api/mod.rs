//! What users write and read: the opaque configuration of a DeviceClass or a claim, and the
//! attributes of devices.
//!
//! ```text
//!  class entries ─┐
//!  claim entries ─┴► scope by request ─► may they? ─► fields, later wins ─► together right? ─► Settings
//! ```
//!
//! Decoding is strict: a field or value that is not understood is an error that says which, and
//! what would be right. The table in [`fields`] is the one place that knows the fields.

mod attribute;
mod definition;
mod env;
mod error;
pub mod fields;
mod ipam;
mod join;
mod merge;
mod opaque;
mod read;
mod settings;
#[cfg(test)]
mod tests;

pub use attribute::{Attribute, MAX_ATTRIBUTES, OWN_ATTRIBUTES, RESOURCE_NAME};
pub(crate) use attribute::{MAX_VALUE, is_label};
pub use definition::Definition;
pub use error::ConfigError;
pub use ipam::Ipam;
pub use merge::merge;
pub use opaque::{ConfigSource, OpaqueConfig};
pub use settings::{AttachMode, DriverChoice, Settings};

/// Version and kind under the driver's own group: `sriov-dra.io/v1alpha1`, `DeviceConfig`.
pub const VERSION: &str = "v1alpha1";
/// See [`VERSION`].
pub const KIND: &str = "DeviceConfig";
