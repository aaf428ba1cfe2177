//! Attributes (`struct nlattr`, linux/netlink.h) of a message.

use netlink_packet_core::{NLA_HEADER_SIZE, NLA_TYPE_MASK};

/// Iterates over type (without flags) and value of each attribute; ends at the first one that does
/// not fit.
#[derive(Clone, Copy)]
pub(crate) struct Attributes<'a>(&'a [u8]);

impl<'a> Attributes<'a> {
    /// Those of a nested attribute, or of a message after its fixed header.
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Those of a message whose fixed header has that many bytes.
    pub(crate) fn after(header: usize, payload: &'a [u8]) -> Self {
        Self(payload.get(header..).unwrap_or_default())
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let &[l0, l1, k0, k1, ..] = self.0 else {
            return None;
        };
        let length = usize::from(u16::from_ne_bytes([l0, l1]));
        let value = self.0.get(NLA_HEADER_SIZE..length)?;
        self.0 = self.0.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((u16::from_ne_bytes([k0, k1]) & NLA_TYPE_MASK, value))
    }
}

/// The first four bytes as a number in host byte order.
pub(crate) fn u32_of(value: &[u8]) -> Option<u32> {
    value.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes))
}

/// A string up to its NUL; bytes that are not UTF-8 are replaced.
pub(crate) fn text(value: &[u8]) -> String {
    let end = value
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(value.len());
    String::from_utf8_lossy(&value[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_aligned_and_flags_are_masked() {
        let mut bytes = vec![];
        for (length, kind, value) in [(6_u16, 0x8003_u16, &b"a\0\0\0"[..]), (8, 4, &[1, 0, 0, 0])] {
            bytes.extend(length.to_ne_bytes());
            bytes.extend(kind.to_ne_bytes());
            bytes.extend(value);
        }
        let read: Vec<_> = Attributes::of(&bytes).collect();
        assert_eq!(read, [(3, &b"a\0"[..]), (4, &[1, 0, 0, 0][..])]);
        assert_eq!(text(read[0].1), "a");
        assert_eq!(u32_of(read[1].1), Some(1_u32.to_le()));
    }

    #[test]
    fn a_length_beyond_the_end_or_below_the_header_ends_the_list() {
        for length in [0_u16, 3, 9, u16::MAX] {
            let mut bytes = length.to_ne_bytes().to_vec();
            bytes.extend([1, 0, 7, 7, 7, 7]);
            assert_eq!(Attributes::of(&bytes).count(), 0, "{length}");
        }
        assert_eq!(Attributes::of(&[1, 2, 3]).count(), 0);
    }
}
