//! Hardware addresses as Go's `net.ParseMAC` reads them.

/// Whether it is one of 6, 8 or 20 bytes: `02:00:…`, `02-00-…` or `0200.5e00.…`.
pub(super) fn is_hardware_address(text: &str) -> bool {
    let is_hex = |part: &str, digits: usize| {
        part.len() == digits && part.chars().all(|c| c.is_ascii_hexdigit())
    };
    let of = |separator: char, digits: usize| {
        let parts: Vec<&str> = text.split(separator).collect();
        let bytes = parts.len() * digits / 2;
        [6, 8, 20].contains(&bytes) && parts.iter().all(|part| is_hex(part, digits))
    };
    of(':', 2) || of('-', 2) || of('.', 4)
}
