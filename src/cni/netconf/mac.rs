//! Hardware addresses as Go's `net.ParseMAC` reads them.

use crate::{cni::json::quoted, device::Mac};

/// An address of a device: six bytes with `:` or `-` between pairs or `.` between fours. The error
/// says what is given and what would be right.
pub(super) fn parse(text: &str) -> Result<Mac, String> {
    let right = "must be six bytes like 02:00:00:00:00:01";
    let bytes =
        bytes(text).ok_or_else(|| format!("{} is no MAC address, {right}", quoted(text)))?;
    let [a, b, c, d, e, f] = bytes[..] else {
        let what = format!("{} has {} bytes", quoted(text), bytes.len());
        return Err(format!("{what}, {right}"));
    };
    let mac = Mac([a, b, c, d, e, f]);
    mac.assignable()
        .map_err(|error| format!("{} {}", quoted(text), error.reason))
}

/// The bytes of an address of any length, all with the same separator.
pub(super) fn bytes(text: &str) -> Option<Vec<u8>> {
    let (separator, digits) = match text {
        _ if text.contains(':') => (':', 2),
        _ if text.contains('-') => ('-', 2),
        _ if text.contains('.') => ('.', 4),
        _ => return None,
    };
    let groups: Vec<&str> = text.split(separator).collect();
    let is_hex =
        |group: &&str| group.len() == digits && group.bytes().all(|b| b.is_ascii_hexdigit());
    if !groups.iter().all(is_hex) {
        return None;
    }
    let digits = groups.concat();
    let pair = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    (0..digits.len()).step_by(2).map(pair).collect()
}
