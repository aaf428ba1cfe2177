//! Names for netdevs that have none of their own for a while.

use crate::device::{DeviceId, IfName};

/// A name that no other device has: `dra000002100` of 0000:02:10.0.
pub(super) fn spare_name(device: &DeviceId) -> IfName {
    let plain: String = device
        .name()
        .chars()
        .filter(char::is_ascii_hexdigit)
        .collect();
    // Of a long one the end, where the number of a sub-function is.
    let tail = plain.len().saturating_sub(12);
    format!("dra{}", &plain[tail..])
        .parse()
        .expect("hex digits after dra")
}
