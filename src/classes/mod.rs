//! DeviceClasses from pools: one per pool name, by which pods request it, and what has to change in
//! a cluster so that it has them.
//!
//! ```text
//!  PoolName ─► Class::of_pool ─► plan(wanted, stored) ─► create, update, delete, conflicts
//! ```
//!
//! Knows names and expressions, no server. A class's name depends on its pool alone, so that
//! another pool never renames it. A class without this driver's owner label is somebody else's and
//! never touched.

mod class;
mod name;
mod plan;
#[cfg(test)]
mod tests;

pub use class::{Class, Stored, quoted};
pub use name::class_name;
pub use plan::{Conflict, Plan, plan};
