//! The frames of announcements.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::device::Mac;

const ETH_P_ARP: [u8; 2] = [0x08, 0x06];
const ETH_P_IPV6: [u8; 2] = [0x86, 0xdd];
const BROADCAST: [u8; 6] = [0xff; 6];
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
const ALL_NODES_MAC: [u8; 6] = [0x33, 0x33, 0, 0, 0, 1];
const ICMPV6: u8 = 58;

/// An ARP announcement (RFC 5227 §3): an ARP request whose sender and target address are the same.
/// Neighbours that have an entry for the address update it.
pub(super) fn gratuitous_arp(mac: Mac, address: Ipv4Addr) -> [u8; 42] {
    let mut frame = [0; 42];
    let parts: [&[u8]; 8] = [
        &BROADCAST,
        &mac.0,
        &ETH_P_ARP,
        &[0, 1, 8, 0, 6, 4, 0, 1], // Ethernet, IPv4, 6 and 4 bytes, request
        &mac.0,
        &address.octets(),
        &[0; 6],
        &address.octets(),
    ];
    frame.copy_from_slice(&parts.concat());
    frame
}

/// An unsolicited neighbour advertisement to all nodes with the override flag (RFC 4861 §7.2.6).
pub(super) fn unsolicited_advertisement(mac: Mac, address: Ipv6Addr) -> Vec<u8> {
    let mut icmp = [
        // Type 136, code 0, checksum to come; O flag (override); then the target, and option 2
        // (target link-layer address) of 1 * 8 bytes.
        &[136, 0, 0, 0, 0x20, 0, 0, 0][..],
        &address.octets(),
        &[2, 1],
        &mac.0,
    ]
    .concat();
    let sum = checksum(address, ALL_NODES, &icmp);
    icmp[2..4].copy_from_slice(&sum.to_be_bytes());
    let length = icmp.len() as u8;
    let ip = [
        // Hop limit 255, else neighbours drop it (RFC 4861 §7.1.2).
        &[0x60, 0, 0, 0, 0, length, ICMPV6, 255][..],
        &address.octets(),
        &ALL_NODES.octets(),
    ]
    .concat();
    [&ALL_NODES_MAC[..], &mac.0, &ETH_P_IPV6, &ip, &icmp].concat()
}

/// RFC 1071 over the pseudo-header (RFC 8200 §8.1) and the message, which has an even length here.
fn checksum(from: Ipv6Addr, to: Ipv6Addr, message: &[u8]) -> u16 {
    let pseudo = [
        &from.octets()[..],
        &to.octets(),
        &(message.len() as u32).to_be_bytes(),
        &[0, 0, 0, ICMPV6],
    ]
    .concat();
    let words = pseudo.chunks(2).chain(message.chunks(2));
    let mut sum: u32 = words
        .map(|word| u32::from(word[0]) << 8 | u32::from(word[1]))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: Mac = Mac([2, 0, 0, 0, 0, 1]);

    #[test]
    fn an_arp_announcement_requests_its_own_address() {
        let frame = gratuitous_arp(MAC, Ipv4Addr::new(10, 0, 0, 7));
        assert_eq!(
            frame[..14],
            [255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 8, 6]
        );
        assert_eq!(frame[20..22], [0, 1], "request");
        assert_eq!(
            (&frame[28..32], &frame[38..42]),
            (&[10, 0, 0, 7][..], &[10, 0, 0, 7][..])
        );
    }

    #[test]
    fn the_advertisements_checksum_is_valid() {
        let address = "fd00::7".parse().unwrap();
        let frame = unsolicited_advertisement(MAC, address);
        assert_eq!(frame.len(), 14 + 40 + 32);
        assert_eq!(
            frame[21], 255,
            "hop limit, else neighbours drop it (RFC 4861 §7.1.2)"
        );
        assert_eq!(
            checksum(address, ALL_NODES, &frame[54..]),
            0,
            "over all, the sum is its own complement"
        );
    }
}
