//! Container Device Interface: what the runtime adds to a container with a device, as a spec file.
//!
//! One spec per claim, of kind `<driver>/claim-<uid>`, with one device per allocated device: no id
//! is ever reused. Specs are JSON, written atomically, since the runtime may read the directory at
//! any time. Format: `SPEC.md` of the CDI specification.

mod files;
mod spec;
#[cfg(test)]
mod tests;

pub use files::{exists, remove, remove_orphans, write};
pub use spec::{Device, DeviceNode, Edits, Mount, Spec, qualified};
