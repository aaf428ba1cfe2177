//! The socket: one request, all its replies.

use std::{
    cell::Cell,
    io,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage,
    NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::{SocketAddr, protocols::NETLINK_ROUTE};
use rustix::{
    io::Errno,
    net::sockopt::{Timeout, set_socket_timeout},
};

use super::{NetlinkError, NetlinkResult};

/// A netlink socket. It belongs to the namespace of the thread that opened it.
pub(crate) struct Socket {
    inner: netlink_sys::Socket,
    /// How long a reply may take.
    timeout: Duration,
    /// Whether a request was not answered to its end: the kernel may be in the middle of a dump.
    unanswered: Cell<bool>,
}

/// One reply without its netlink header: a fixed header and attributes.
pub(crate) type Message = Vec<u8>;

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const HEADER: usize = 16;
/// The kernel sizes the pages of a dump by the largest receive buffer that it has seen, up to this
/// (`max_recvmsg_len` in `net/netlink/af_netlink.c`).
const PAGE: usize = 32 * 1024;
/// How long the next reply may take. The kernel answers within the request, so that only a reply that was
/// dropped (`ENOBUFS`) is waited for in vain; a lock that it waits for is waited for in send(2).
const TIMEOUT: Duration = Duration::from_secs(10);
/// How often an interrupted dump (`NLM_F_DUMP_INTR`) is repeated.
const MAX_DUMPS: usize = 10;

/// Whether a datagram ended the request.
enum End {
    NotYet,
    Reached { interrupted: bool },
}

impl Socket {
    /// Opens an rtnetlink socket in the calling thread's network namespace.
    pub(crate) fn open() -> io::Result<Self> {
        let socket = Self::of(NETLINK_ROUTE)?;
        socket.inner.set_netlink_get_strict_chk(true)?;
        Ok(socket)
    }

    /// Opens a socket of that protocol.
    pub(super) fn of(protocol: isize) -> io::Result<Self> {
        Self::to(&SocketAddr::new(0, 0), protocol, TIMEOUT)
    }

    /// Opens a socket whose peer is usually the kernel.
    fn to(peer: &SocketAddr, protocol: isize, timeout: Duration) -> io::Result<Self> {
        let mut inner = netlink_sys::Socket::new(protocol)?;
        inner.bind_auto()?;
        inner.connect(peer)?;
        inner.set_ext_ack(true)?;
        inner.set_cap_ack(true)?;
        set_socket_timeout(&inner, Timeout::Recv, Some(timeout))?;
        Ok(Self::around(inner, timeout))
    }

    fn around(inner: netlink_sys::Socket, timeout: Duration) -> Self {
        Self {
            inner,
            timeout,
            unanswered: Cell::new(false),
        }
    }

    /// One that was used before.
    pub(super) fn again(inner: netlink_sys::Socket) -> Self {
        Self::around(inner, TIMEOUT)
    }

    /// For its next use, if it is fit for one.
    pub(super) fn idle(self) -> Option<netlink_sys::Socket> {
        (!self.unanswered.get()).then_some(self.inner)
    }

    /// All replies of a dump.
    pub(crate) fn dump(
        &self,
        request: impl Into<RouteNetlinkMessage>,
    ) -> NetlinkResult<Vec<Message>> {
        let request = request.into();
        self.dump_of(|sequence| route(request.clone(), NLM_F_DUMP, sequence))
    }

    /// One request; its replies, up to the acknowledgement.
    pub(crate) fn call(
        &self,
        request: impl Into<RouteNetlinkMessage>,
        flags: u16,
    ) -> NetlinkResult<Vec<Message>> {
        let request = request.into();
        self.exchange(|sequence| route(request, NLM_F_ACK | flags, sequence))
            .map(|(replies, _)| replies)
    }

    pub(super) fn dump_of(&self, request: impl Fn(u32) -> Vec<u8>) -> NetlinkResult<Vec<Message>> {
        for _ in 0..MAX_DUMPS {
            let (replies, interrupted) = self.exchange(&request)?;
            if !interrupted {
                return Ok(replies);
            }
        }
        Err(NetlinkError {
            errno: Errno::AGAIN.raw_os_error(),
            text: Some("interrupted by concurrent changes too often".into()),
        })
    }

    /// Sends the request that `request` builds with a sequence number; the replies, and whether the
    /// dump was interrupted.
    pub(super) fn exchange(
        &self,
        request: impl FnOnce(u32) -> Vec<u8>,
    ) -> NetlinkResult<(Vec<Message>, bool)> {
        let sequence = next_number();
        self.unanswered.set(true);
        self.inner.send(&request(sequence), 0)?;
        let (mut replies, mut interrupted) = (vec![], false);
        let mut last = Instant::now();
        loop {
            let (datagram, known) = (self.awaited(last)?, replies.len());
            let end = collect_replies(&datagram, sequence, &mut interrupted, &mut replies);
            self.unanswered.set(matches!(end, Ok(End::NotYet)));
            if let End::Reached { interrupted: now } = end? {
                return Ok((replies, now));
            }
            // What is for another request is no reply.
            if replies.len() > known {
                last = Instant::now();
            }
        }
    }

    /// The next datagram, unless nothing has been replied for too long.
    fn awaited(&self, last: Instant) -> NetlinkResult<Vec<u8>> {
        let silent = || NetlinkError {
            errno: Errno::TIMEDOUT.raw_os_error(),
            text: Some(format!("no reply within {} s", self.timeout.as_secs())),
        };
        if last.elapsed() >= self.timeout {
            return Err(silent());
        }
        match self.receive() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(silent()),
            received => Ok(received?),
        }
    }

    /// Receives one datagram whole: the reply for a PF with many VFs is larger than 64 KiB.
    fn receive(&self) -> io::Result<Vec<u8>> {
        const PEEK: i32 = rustix::net::RecvFlags::PEEK.bits() as i32;
        const TRUNC: i32 = rustix::net::RecvFlags::TRUNC.bits() as i32;
        let (size, _) = uninterrupted(|| self.inner.recv_from(&mut Vec::new(), PEEK | TRUNC))?;
        let mut bytes = Vec::with_capacity(size.max(PAGE));
        uninterrupted(|| {
            bytes.clear();
            self.inner.recv_from(&mut bytes, 0)
        })?;
        Ok(bytes)
    }
}

/// Of all sockets together: no socket sees a number twice.
fn next_number() -> u32 {
    static LAST: AtomicU32 = AtomicU32::new(0);
    LAST.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
}

fn route(request: RouteNetlinkMessage, flags: u16, sequence: u32) -> Vec<u8> {
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | flags;
    header.sequence_number = sequence;
    let mut message = NetlinkMessage::new(header, NetlinkPayload::from(request));
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    bytes
}

fn uninterrupted<T>(mut receive: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match receive() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Filters the messages of one datagram: replies to this request are kept, others dropped.
fn collect_replies(
    datagram: &[u8],
    sequence: u32,
    interrupted: &mut bool,
    replies: &mut Vec<Message>,
) -> NetlinkResult<End> {
    for (kind, flags, number, payload) in messages(datagram) {
        if number != sequence {
            continue;
        }
        *interrupted |= flags & NLM_F_DUMP_INTR != 0;
        let refused = match kind {
            NLMSG_ERROR => NetlinkError::of_error(flags, payload),
            NLMSG_DONE => NetlinkError::of_done(flags, payload),
            _ => {
                replies.push(payload.to_vec());
                continue;
            }
        };
        return refused.map_or(
            Ok(End::Reached {
                interrupted: *interrupted,
            }),
            Err,
        );
    }
    Ok(End::NotYet)
}

/// Type, flags, sequence number and payload of each message of a datagram.
fn messages(mut datagram: &[u8]) -> impl Iterator<Item = (u16, u16, u32, &[u8])> {
    std::iter::from_fn(move || {
        let header = datagram.first_chunk::<HEADER>()?;
        let word = |at: usize| {
            u32::from_ne_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
        };
        let half = |at: usize| u16::from_ne_bytes([header[at], header[at + 1]]);
        let length = word(0) as usize;
        let payload = datagram.get(HEADER..length)?;
        datagram = datagram
            .get(length.next_multiple_of(4)..)
            .unwrap_or_default();
        Some((half(4), half(6), word(8), payload))
    })
}

#[cfg(test)]
mod tests {
    use netlink_packet_route::link::LinkMessage;

    use super::*;

    #[test]
    fn a_dump_works_after_a_rejected_request() {
        let socket = Socket::open().unwrap();
        let mut nobody = LinkMessage::default();
        nobody.header.index = 0x7fff_fff0;
        let refused = socket
            .call(RouteNetlinkMessage::GetLink(nobody), 0)
            .err()
            .unwrap();
        assert!(refused.is(Errno::NODEV), "{refused:?}");
        let links = socket
            .dump(RouteNetlinkMessage::GetLink(LinkMessage::default()))
            .unwrap();
        assert!(
            links
                .iter()
                .any(|link| link.windows(3).any(|name| name == b"lo\0"))
        );
    }

    /// `NETLINK_USERSOCK`: another socket is the peer, in place of the kernel.
    const BETWEEN_SOCKETS: isize = 2;
    const BRIEF: Duration = Duration::from_millis(50);

    fn peer() -> (netlink_sys::Socket, Socket) {
        let mut peer = netlink_sys::Socket::new(BETWEEN_SOCKETS).unwrap();
        let address = peer.bind_auto().unwrap();
        let socket = Socket::to(&address, BETWEEN_SOCKETS, BRIEF).unwrap();
        (peer, socket)
    }

    fn unanswered(socket: &Socket) -> NetlinkError {
        let begin = Instant::now();
        let request = LinkMessage::default();
        let error = socket.call(RouteNetlinkMessage::GetLink(request), 0);
        assert!(begin.elapsed() < Duration::from_secs(10));
        error.unwrap_err()
    }

    #[test]
    fn a_request_that_is_not_answered_ends() {
        let (_silent, socket) = peer();
        let error = unanswered(&socket);
        assert!(error.is(Errno::TIMEDOUT), "{error:?}");
        let error = error.at("link 7".to_owned(), "read");
        assert_eq!(error.to_string(), "link 7: read: no reply within 0 s");
        assert_eq!(error.kind(), crate::host::ErrorKind::Busy);
        assert!(socket.idle().is_none(), "a dump may be going on");
    }

    #[test]
    fn replies_to_others_do_not_keep_a_request_waiting() {
        let (peer, socket) = peer();
        // Its buffer may be full.
        peer.set_non_blocking(true).unwrap();
        let mut own = netlink_sys::SocketAddr::new(0, 0);
        socket.inner.get_address(&mut own).unwrap();
        let over = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let other = [20_u32.to_ne_bytes(), [16, 0, 0, 0], 99_u32.to_ne_bytes()];
                let message = [other.concat(), vec![0; 8]].concat();
                while !over.load(std::sync::atomic::Ordering::SeqCst) {
                    let _ = peer.send_to(&message, &own, 0);
                    std::thread::yield_now();
                }
            });
            let error = unanswered(&socket);
            over.store(true, std::sync::atomic::Ordering::SeqCst);
            assert!(error.is(Errno::TIMEDOUT), "{error:?}");
        });
    }

    #[test]
    fn other_replies_are_dropped_and_an_interrupted_dump_is_reported() {
        let message = |kind: u16, flags: u16, sequence: u32| {
            let mut bytes = 20_u32.to_ne_bytes().to_vec();
            bytes.extend(kind.to_ne_bytes());
            bytes.extend(flags.to_ne_bytes());
            bytes.extend(sequence.to_ne_bytes());
            bytes.extend([0; 8]);
            bytes
        };
        let datagram = [
            message(16, 0, 1),
            message(16, NLM_F_DUMP_INTR, 2),
            message(NLMSG_DONE, 0, 2),
        ]
        .concat();
        let (mut replies, mut interrupted) = (vec![], false);
        let end = collect_replies(&datagram, 2, &mut interrupted, &mut replies).unwrap();
        assert!(matches!(end, End::Reached { interrupted: true }));
        assert_eq!(replies.len(), 1);
    }
}
