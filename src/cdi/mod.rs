//! Container Device Interface: what a container gets with a device, as a file that the runtime reads.
//!
//! One spec per claim, kind `<driver>/claim-<uid>`, one device per allocated device: no id is ever used twice. Specs are
//! JSON, written whole (the runtime reads the directory at any moment). Format: CDI specification, `SPEC.md`.

mod files;
mod spec;
#[cfg(test)]
mod tests;

pub use files::{exists, remove, remove_orphans, write};
pub use spec::{Device, DeviceNode, Edits, Mount, Spec, qualified};
