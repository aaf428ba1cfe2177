//! A model of a container runtime: it reads frames as Go's mux and `bufio.Reader` do.

use std::{
    collections::{HashMap, VecDeque},
    io,
};

use prost::Message as _;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
};

use crate::nri::{
    decode::PLUGIN,
    mux::{self, Conn},
    ttrpc::{Kind, Message},
    wire::{Request, Response, Status, api},
};

/// `defaultBufSize` of Go's bufio.
const BUFIO: usize = 4096;

/// The runtime's end of one connection.
pub(super) struct Runtime {
    socket: UnixStream,
    queues: HashMap<u32, VecDeque<Vec<u8>>>,
    buffers: HashMap<u32, VecDeque<u8>>,
    stream: u32,
    /// Bytes of each write; small values split frames and headers.
    pub(super) split: usize,
}

impl Runtime {
    pub(super) fn over(socket: UnixStream) -> Self {
        Self {
            socket,
            queues: HashMap::new(),
            buffers: HashMap::new(),
            stream: 1,
            split: usize::MAX,
        }
    }

    /// Accepts the plugin's connection and its registration.
    pub(super) async fn accept(listener: &UnixListener) -> (Self, api::RegisterPluginRequest) {
        let mut runtime = Self::over(listener.accept().await.unwrap().0);
        let (stream, request) = runtime.request().await.unwrap();
        assert_eq!(
            (request.service.as_str(), request.method.as_str()),
            ("nri.pkg.api.v1alpha1.Runtime", "RegisterPlugin")
        );
        runtime.respond(stream, Response::default()).await;
        (
            runtime,
            api::RegisterPluginRequest::decode(&*request.payload).unwrap(),
        )
    }

    /// What a runtime does after a registration.
    pub(super) async fn greet(&mut self, request_timeout: i64, pods: Vec<api::PodSandbox>) {
        let configure = api::ConfigureRequest {
            request_timeout,
            ..Default::default()
        };
        let answer = self.call("Configure", &configure).await.unwrap();
        assert_eq!(
            api::ConfigureResponse::decode(&*answer).unwrap().events,
            0b1111
        );
        for (more, pods) in [(true, pods), (false, Vec::new())] {
            let chunk = api::SynchronizeRequest {
                pods,
                containers: Vec::new(),
                more,
            };
            let answer = self.call("Synchronize", &chunk).await.unwrap();
            assert_eq!(
                api::SynchronizeResponse::decode(&*answer).unwrap().more,
                more
            );
        }
    }

    /// Calls the plugin.
    pub(super) async fn call(
        &mut self,
        method: &str,
        payload: &impl prost::Message,
    ) -> Result<Vec<u8>, Status> {
        let stream = self.send_call(method, payload.encode_to_vec()).await;
        self.answer(stream).await
    }

    pub(super) async fn send_call(&mut self, method: &str, payload: Vec<u8>) -> u32 {
        let request = Request {
            service: PLUGIN.into(),
            method: method.into(),
            payload,
            timeout_nano: 0,
        };
        let stream = self.stream;
        self.stream += 2;
        let message = Message {
            stream,
            kind: Kind::Request,
            payload: request.encode_to_vec().into(),
        };
        self.send(Conn::Plugin, &message).await;
        stream
    }

    pub(super) async fn answer(&mut self, stream: u32) -> Result<Vec<u8>, Status> {
        let (answered, kind, payload) = self.message(1).await.unwrap();
        assert_eq!((answered, kind), (stream, 2));
        let response = Response::decode(&*payload).unwrap();
        response.status.map_or(Ok(response.payload), Err)
    }

    /// The next request on connection 2.
    pub(super) async fn request(&mut self) -> io::Result<(u32, Request)> {
        let (stream, kind, payload) = self.message(2).await?;
        assert_eq!(kind, 1);
        Ok((stream, Request::decode(&*payload).unwrap()))
    }

    pub(super) async fn respond(&mut self, stream: u32, response: Response) {
        let payload = response.encode_to_vec().into();
        self.send(
            Conn::Runtime,
            &Message {
                stream,
                kind: Kind::Response,
                payload,
            },
        )
        .await;
    }

    async fn send(&mut self, conn: Conn, message: &Message) {
        for part in mux::frames(conn, &message.encoded()).chunks(self.split) {
            self.raw(part).await;
        }
    }

    pub(super) async fn raw(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).await.unwrap();
        tokio::task::yield_now().await;
    }

    /// ttrpc's `channel.recv`.
    pub(super) async fn message(&mut self, conn: u32) -> io::Result<(u32, u8, Vec<u8>)> {
        let mut header = [0; 10];
        self.read_full(conn, &mut header).await?;
        let mut payload = vec![0; u32::from_be_bytes(header[..4].try_into().unwrap()) as usize];
        self.read_full(conn, &mut payload).await?;
        Ok((
            u32::from_be_bytes(header[4..8].try_into().unwrap()),
            header[8],
            payload,
        ))
    }

    /// `io.ReadFull` over `bufio.Reader.Read`.
    async fn read_full(&mut self, conn: u32, mut into: &mut [u8]) -> io::Result<()> {
        while !into.is_empty() {
            if self.buffers.entry(conn).or_default().is_empty() {
                if into.len() >= BUFIO {
                    let frame = self.frame(conn, into.len()).await?;
                    into[..frame.len()].copy_from_slice(&frame);
                    into = &mut into[frame.len()..];
                    continue;
                }
                let frame = self.frame(conn, BUFIO).await?;
                self.buffers.insert(conn, frame.into());
            }
            let buffer = self.buffers.entry(conn).or_default();
            let length = buffer.len().min(into.len());
            for (slot, byte) in into.iter_mut().zip(buffer.drain(..length)) {
                *slot = byte;
            }
            into = &mut into[length..];
        }
        Ok(())
    }

    /// The mux's `conn.Read`: one whole frame or ENOMEM.
    async fn frame(&mut self, conn: u32, room: usize) -> io::Result<Vec<u8>> {
        loop {
            if let Some(frame) = self.queues.entry(conn).or_default().pop_front() {
                let fits = frame.len() <= room;
                return if fits {
                    Ok(frame)
                } else {
                    Err(io::ErrorKind::OutOfMemory.into())
                };
            }
            let number = self.socket.read_u32().await?;
            let mut frame = vec![0; self.socket.read_u32().await? as usize];
            self.socket.read_exact(&mut frame).await?;
            self.queues.entry(number).or_default().push_back(frame);
        }
    }
}
