//! Commands in a guest, by the lab's agent there.
//!
//! It is what `lab exec` does; spoken from here because the scenarios look often, and a shell and
//! an interpreter for each look would be most of their time. The frames are described in
//! `e2e/lab/guest/common/usr/local/lib/lab/agent`.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context, Result, bail};

use crate::command::Answer;

const PORT: u16 = 7000;
/// Of standard input in a frame: the guest's agent passes on whole frames only.
const CHUNK: usize = 64 * 1024;

/// Runs the words as root, with `input` as standard input.
pub(crate) fn answer(address: &str, words: &[&str], input: &[u8]) -> Result<Answer> {
    let to = format!("{address}:{PORT}")
        .parse()
        .with_context(|| format!("guest at {address}"))?;
    let mut stream = TcpStream::connect_timeout(&to, Duration::from_secs(20))
        .with_context(|| format!("guest at {address}"))?;
    stream.set_nodelay(true)?;
    // A guest that is reset in the middle never answers.
    stream.set_read_timeout(Some(Duration::from_secs(600)))?;
    let command: String = words.iter().flat_map(|word| [*word, "\0"]).collect();
    send(&mut stream, b'a', command.as_bytes())?;
    for part in input.chunks(CHUNK) {
        send(&mut stream, b'i', part)?;
    }
    send(&mut stream, b'e', b"")?;
    receive(&mut stream)
}

fn send(stream: &mut TcpStream, kind: u8, data: &[u8]) -> Result<()> {
    let length = u32::try_from(data.len())?;
    let frame: Vec<u8> = [kind]
        .into_iter()
        .chain(length.to_be_bytes())
        .chain(data.iter().copied())
        .collect();
    Ok(stream.write_all(&frame)?)
}

fn receive(stream: &mut TcpStream) -> Result<Answer> {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    loop {
        let (kind, data) = frame(stream).context("the guest closed the connection")?;
        match kind {
            b'o' => out.extend(data),
            b'r' => err.extend(data),
            b'x' => {
                let code = String::from_utf8_lossy(&data).parse()?;
                let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
                return Ok(Answer {
                    code,
                    out: text(out),
                    err: text(err),
                });
            }
            other => bail!("the guest sent a frame of kind {other}"),
        }
    }
}

fn frame(stream: &mut TcpStream) -> Result<(u8, Vec<u8>)> {
    let mut head = [0; 5];
    stream.read_exact(&mut head)?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
    let mut data = vec![0; usize::try_from(length)?];
    stream.read_exact(&mut data)?;
    Ok((head[0], data))
}
