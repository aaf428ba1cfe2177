//! The floor of `benches/cni/run`: a program that moves a netdev into a pod and back by the same
//! netlink requests as any plugin has to send, and does nothing else.

use std::{
    env,
    error::Error,
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::fd::{AsFd, AsRawFd},
    thread,
    time::Duration,
};

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::{
    RouteNetlinkMessage,
    link::{LinkAttribute, LinkFlags, LinkMessage},
};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Of a netlink message.
const HEADER: usize = 16;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    io::stdin().read_to_end(&mut Vec::new())?;
    match &*env::var("CNI_COMMAND")? {
        "ADD" => add(),
        _ => del(),
    }
}

/// The name of the netdev on the host, and in the pod.
fn names() -> Outcome<(String, String)> {
    Ok((env::var("BENCH_LINK")?, env::var("CNI_IFNAME")?))
}

fn add() -> Outcome<()> {
    let (outside, inside) = names()?;
    let (host, pod, netns) = sockets()?;
    let index = index(&host, &outside)?;
    call(&pod, all(), NLM_F_DUMP)?;
    let attributes = [
        LinkAttribute::NetNsFd(netns.as_raw_fd()),
        LinkAttribute::IfName(inside.clone()),
    ];
    set(&host, index, &attributes)?;
    let index = self::index(&pod, &inside)?;
    set_up(&pod, index, true)?;
    self::index(&pod, &inside)?;
    Ok(writeln!(io::stdout(), "{{}}")?)
}

fn del() -> Outcome<()> {
    let (outside, inside) = names()?;
    let own = File::open("/proc/1/ns/net")?;
    let (host, pod, _) = sockets()?;
    let index = index(&pod, &inside)?;
    call(&pod, all(), NLM_F_DUMP)?;
    set_up(&pod, index, false)?;
    let attributes = [
        LinkAttribute::NetNsFd(own.as_raw_fd()),
        LinkAttribute::IfName("spare".to_owned()),
    ];
    set(&pod, index, &attributes)?;
    for file in ["unbind", "bind"] {
        let path = format!("{}/{file}", env::var("BENCH_DRIVER")?);
        let mut file = OpenOptions::new().write(true).open(path)?;
        file.write_all(env::var("BENCH_DEVICE")?.as_bytes())?;
    }
    let mut pause = Duration::from_millis(2);
    while self::index(&host, &outside).is_err() {
        thread::sleep(pause);
        pause *= 2;
    }
    Ok(())
}

/// On the host, in the pod, and the pod's namespace.
fn sockets() -> Outcome<(Socket, Socket, File)> {
    let host = socket()?;
    let netns = File::open(env::var("CNI_NETNS")?)?;
    move_into(&netns)?;
    Ok((host, socket()?, netns))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a program with one thread, which ends in the pod's namespace"
)]
fn move_into(netns: &File) -> io::Result<()> {
    let network = Some(LinkNameSpaceType::Network);
    Ok(move_into_link_name_space(netns.as_fd(), network)?)
}

fn socket() -> io::Result<Socket> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    Ok(socket)
}

fn all() -> RouteNetlinkMessage {
    RouteNetlinkMessage::GetLink(LinkMessage::default())
}

/// The index of the link of that name.
fn index(socket: &Socket, name: &str) -> Outcome<u32> {
    let mut message = LinkMessage::default();
    message.attributes = vec![LinkAttribute::IfName(name.to_owned())];
    let reply = call(socket, RouteNetlinkMessage::GetLink(message), NLM_F_ACK)?;
    word(&reply, HEADER + 4).ok_or_else(|| "no link in the reply".into())
}

fn set(socket: &Socket, index: u32, attributes: &[LinkAttribute]) -> Outcome<()> {
    let mut message = LinkMessage::default();
    message.header.index = index;
    message.attributes = attributes.to_vec();
    call(socket, RouteNetlinkMessage::SetLink(message), NLM_F_ACK).map(drop)
}

fn set_up(socket: &Socket, index: u32, up: bool) -> Outcome<()> {
    let mut message = LinkMessage::default();
    message.header.index = index;
    message.header.change_mask = LinkFlags::Up;
    if up {
        message.header.flags = LinkFlags::Up;
    }
    call(socket, RouteNetlinkMessage::SetLink(message), NLM_F_ACK).map(drop)
}

/// Sends a request and reads its replies, up to the last one; the first datagram of them.
fn call(socket: &Socket, request: RouteNetlinkMessage, flags: u16) -> Outcome<Vec<u8>> {
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | flags;
    let mut message = NetlinkMessage::new(header, NetlinkPayload::from(request));
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    socket.send(&bytes, 0)?;
    let first = receive(socket)?;
    let mut over = is_over(&first)?;
    while !over {
        over = is_over(&receive(socket)?)?;
    }
    Ok(first)
}

fn receive(socket: &Socket) -> io::Result<Vec<u8>> {
    let mut datagram = Vec::with_capacity(64 * 1024);
    socket.recv(&mut datagram, 0)?;
    Ok(datagram)
}

/// Whether the datagram has the end of the replies: `NLMSG_DONE`, or `NLMSG_ERROR` with 0.
fn is_over(mut datagram: &[u8]) -> Outcome<bool> {
    while let Some((length, kind)) = word(datagram, 0).zip(word(datagram, 4)) {
        match kind & 0xffff {
            2 if word(datagram, HEADER) != Some(0) => {
                return Err("the kernel has refused it".into());
            }
            2 | 3 => return Ok(true),
            _ => {}
        }
        let next = (length as usize).next_multiple_of(4);
        datagram = datagram.get(next..).unwrap_or_default();
    }
    Ok(false)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
