//! Gratuitous ARP and unsolicited neighbour advertisements.

mod frame;

use std::{io, net::IpAddr, os::fd::OwnedFd};

use ipnet::IpNet;
use rustix::net::{
    AddressFamily, SendFlags, SocketType, addr::SocketAddrArg, addr::SocketAddrLen,
    addr::SocketAddrOpaque,
};

use crate::device::Mac;

/// The addresses that were configured. The link's own link-local address is new and in duplicate
/// address detection (RFC 4862 §5.4): an advertisement that the card's embedded switch loops back
/// would be taken for a duplicate, and the address be marked `dadfailed`.
pub(super) fn announceable(addresses: &[IpNet]) -> Vec<IpAddr> {
    let own = |address: &IpAddr| matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local());
    addresses
        .iter()
        .map(IpNet::addr)
        .filter(|address| !own(address))
        .collect()
}

/// Opens a packet socket for whole frames, in the calling thread's namespace. Protocol 0
/// (packet(7)): it receives nothing.
pub(super) fn open() -> io::Result<OwnedFd> {
    Ok(rustix::net::socket(
        AddressFamily::PACKET,
        SocketType::RAW,
        None,
    )?)
}

/// Sends one announcement per address through the link.
pub(super) fn send(socket: &OwnedFd, index: u32, mac: Mac, addresses: &[IpAddr]) -> io::Result<()> {
    for address in addresses {
        let frame = match address {
            IpAddr::V4(address) => frame::gratuitous_arp(mac, *address).to_vec(),
            IpAddr::V6(address) => frame::unsolicited_advertisement(mac, *address),
        };
        rustix::net::sendto(socket, &frame, SendFlags::empty(), &LinkAddress::of(index))?;
    }
    Ok(())
}

/// `struct sockaddr_ll` (linux/if_packet.h). A SOCK_RAW socket needs only the ifindex: the frame
/// has its own header.
#[repr(C)]
pub(super) struct LinkAddress {
    family: u16,
    protocol: u16,
    index: u32,
    hardware: u16,
    packet: u8,
    length: u8,
    address: [u8; 8],
}

impl LinkAddress {
    /// The address of that link, without a protocol.
    pub(super) fn of(index: u32) -> Self {
        let family = AddressFamily::PACKET.as_raw();
        Self {
            family,
            protocol: 0,
            index,
            hardware: 0,
            packet: 0,
            length: 6,
            address: [0; 8],
        }
    }
}

// SAFETY: the pointer is to a whole `sockaddr_ll`, laid out as in linux/if_packet.h (20 bytes,
// no padding), and outlives the call.
#[expect(unsafe_code, reason = "rustix has no type for AF_PACKET addresses")]
unsafe impl SocketAddrArg for LinkAddress {
    unsafe fn with_sockaddr<R>(
        &self,
        f: impl FnOnce(*const SocketAddrOpaque, SocketAddrLen) -> R,
    ) -> R {
        f(
            (&raw const *self).cast(),
            size_of::<Self>() as SocketAddrLen,
        )
    }
}

const _: () = assert!(size_of::<LinkAddress>() == 20);

#[cfg(test)]
mod tests {
    use rustix::net::{RecvFlags, bind, recv};

    use std::time::Duration;

    use super::*;
    use crate::{
        deadline::Deadline,
        host::linux::{netns, test_netns::TestNetns},
    };

    /// A socket that receives all frames of the link.
    fn receiver(ns: &TestNetns, index: u32) -> OwnedFd {
        let socket = netns::inside(&ns.netns, open).unwrap();
        let all = LinkAddress {
            // ETH_P_ALL.
            protocol: 3_u16.to_be(),
            ..LinkAddress::of(index)
        };
        bind(&socket, &all).unwrap();
        let timeout = Some(Duration::from_millis(200));
        rustix::net::sockopt::set_socket_timeout(
            &socket,
            rustix::net::sockopt::Timeout::Recv,
            timeout,
        )
        .unwrap();
        socket
    }

    /// The next such frame; none within the timeout.
    fn receive(socket: &OwnedFd, wanted: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
        let mut frame = vec![0; 2048];
        while let Ok((length, _)) = recv(socket, &mut frame[..], RecvFlags::empty()) {
            if wanted(&frame[..length]) {
                return Some(frame[..length].to_vec());
            }
        }
        None
    }

    #[test]
    fn a_link_local_address_is_not_announced() {
        let addresses = ["10.0.0.7/24", "fe80::94ee:faff:fe4b:c57c/64", "fd00::7/64"]
            .map(|text| text.parse().unwrap());
        assert_eq!(
            announceable(&addresses),
            [
                "10.0.0.7".parse::<IpAddr>().unwrap(),
                "fd00::7".parse().unwrap()
            ]
        );
    }

    #[test]
    fn the_peer_receives_both_families() {
        let up = [
            "link add dev0 type veth peer name dev1",
            "link set dev0 up",
            "link set dev1 up",
        ];
        let ns = TestNetns::new(&up);
        let near = ns.link("dev0");
        let far = ns.link("dev1");
        let receiver = receiver(&ns, far.index);
        let sender = netns::inside(&ns.netns, open).unwrap();
        let addresses = ["10.0.0.7".parse().unwrap(), "fd00::7".parse().unwrap()];
        // Frames that are sent before the kernel has detected the carrier and started the queue are
        // dropped.
        let announce_until = |wanted: fn(&[u8]) -> bool| {
            let attempt = || {
                send(&sender, near.index, near.mac.unwrap(), &addresses).unwrap();
                Ok::<_, ()>(receive(&receiver, wanted))
            };
            Deadline::after(Duration::from_secs(20))
                .poll(attempt)
                .unwrap()
                .expect("a frame")
        };
        let arp = announce_until(|frame| frame[12..14] == [8, 6]);
        assert_eq!(
            (&arp[6..12], &arp[38..42]),
            (&near.mac.unwrap().0[..], &[10, 0, 0, 7][..])
        );
        announce_until(|frame| frame[12..14] == [0x86, 0xdd] && frame[54] == 136 && frame[77] == 7);
    }
}
