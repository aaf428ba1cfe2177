//! One connection: register, then respond to calls until it is closed.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use prost::Message as _;
use tokio::{net::UnixStream, sync::watch, task::spawn_blocking};

use super::{
    Hooks, NriError, Variables,
    call::{self, DEFAULT_TIMEOUT},
    decode::{self, Call, EVENTS, RUNTIME},
    mux::Conn,
    trunk::{self, Outbox},
    ttrpc::{Kind, Message},
    wire::{Request, Response, Status, api},
};
use crate::attach::Sandbox;

/// A response's payload, or an error status.
type Answer = Result<Vec<u8>, Status>;

/// The plugin's name and index at registration.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub(super) name: String,
    pub(super) index: String,
}

/// One connection.
pub(super) struct Session {
    identity: Identity,
    hooks: Arc<dyn Hooks>,
    ready: watch::Sender<bool>,
    outbox: Outbox,
    /// The runtime's request timeout.
    timeout: Duration,
    /// Sandboxes in the chunks of Synchronize so far.
    sandboxes: Vec<Sandbox>,
}

/// Serves one connection until it is closed.
pub(super) async fn serve(
    socket: UnixStream,
    identity: Identity,
    hooks: Arc<dyn Hooks>,
    ready: watch::Sender<bool>,
) -> Result<(), NriError> {
    let (mut inbox, outbox) = trunk::open(socket);
    let mut session = Session {
        identity,
        hooks,
        ready,
        outbox,
        timeout: DEFAULT_TIMEOUT,
        sandboxes: Vec::new(),
    };
    session.register().await?;
    loop {
        match inbox.next().await? {
            (Conn::Runtime, message) => registered(&message)?,
            (Conn::Plugin, message) if message.kind == Kind::Request => {
                session.answer(message).await?
            }
            (Conn::Plugin, _) => {}
        }
    }
}

/// Handles the runtime's response to the registration.
fn registered(message: &Message) -> Result<(), NriError> {
    let response = Response::decode(&*message.payload)
        .map_err(|error| NriError::Content("response", error))?;
    match response.status {
        Some(status) if status.code != 0 => Err(NriError::Refused(status.message)),
        _ => Ok(()),
    }
}

impl Session {
    async fn register(&self) -> Result<(), NriError> {
        let Identity { name, index } = self.identity.clone();
        let register = api::RegisterPluginRequest {
            plugin_name: name,
            plugin_idx: index,
            nri_version: String::new(),
        };
        let request = Request {
            service: RUNTIME.into(),
            method: "RegisterPlugin".into(),
            payload: register.encode_to_vec(),
            timeout_nano: 0,
        };
        let message = Message {
            stream: 1,
            kind: Kind::Request,
            payload: request.encode_to_vec().into(),
        };
        self.outbox.send(Conn::Runtime, &message).await
    }

    /// Handles one request: what only concerns the session in place, hooks in tasks of their own,
    /// so that a slow one does not block later requests.
    async fn answer(&mut self, message: Message) -> Result<(), NriError> {
        let request = Request::decode(&*message.payload)
            .map_err(|error| NriError::Content("request", error))?;
        let stream = message.stream;
        match decode::request(&request.service, &request.method, &request.payload) {
            Err(status) => respond(&self.outbox, stream, Err(status)).await,
            Ok(Call::Nothing) => respond(&self.outbox, stream, Ok(Vec::new())).await,
            Ok(Call::Configure(configure)) => {
                let answer = self.configure(&configure);
                respond(&self.outbox, stream, Ok(answer)).await
            }
            Ok(Call::Synchronize(part)) => self.synchronize(stream, part).await,
            Ok(hook) => {
                let time = call::allowed(self.timeout, request.timeout_nano);
                self.hook(stream, hook, time);
                Ok(())
            }
        }
    }

    fn configure(&mut self, configure: &api::ConfigureRequest) -> Vec<u8> {
        self.timeout = call::configured(configure.request_timeout);
        tracing::info!(
            runtime = %configure.runtime_name,
            version = %configure.runtime_version,
            timeout_ms = self.timeout.as_millis() as u64,
            "registered with the runtime"
        );
        api::ConfigureResponse { events: EVENTS }.encode_to_vec()
    }

    async fn synchronize(
        &mut self,
        stream: u32,
        part: api::SynchronizeRequest,
    ) -> Result<(), NriError> {
        self.sandboxes
            .extend(part.pods.into_iter().map(|pod| decode::sandbox(Some(pod))));
        let answer = api::SynchronizeResponse { more: part.more }.encode_to_vec();
        if part.more {
            return respond(&self.outbox, stream, Ok(answer)).await;
        }
        let began = Instant::now();
        let living = std::mem::take(&mut self.sandboxes);
        let lost = self.lost(&living).await;
        respond(&self.outbox, stream, Ok(answer)).await?;
        if began.elapsed() > self.timeout / 2 {
            // The runtime may have stopped waiting, and would then keep the connection without
            // sending any event.
            return Err(NriError::Late);
        }
        let hooks = Arc::clone(&self.hooks);
        spawn_blocking(move || hooks.synchronize(living, lost));
        self.ready.send_replace(true);
        Ok(())
    }

    /// Sandboxes that were removed while the plugin was disconnected.
    async fn lost(&self, living: &[Sandbox]) -> Vec<String> {
        let hooks = Arc::clone(&self.hooks);
        let held = spawn_blocking(move || hooks.holding())
            .await
            .unwrap_or_default();
        held.into_iter()
            .filter(|id| living.iter().all(|sandbox| sandbox.id != *id))
            .collect()
    }

    fn hook(&self, stream: u32, hook: Call, time: Duration) {
        let (hooks, outbox, name) = (
            Arc::clone(&self.hooks),
            self.outbox.clone(),
            self.identity.name.clone(),
        );
        tokio::spawn(async move {
            let (what, began) = (hook.to_string(), Instant::now());
            let container_of = match &hook {
                Call::Create(sandbox, _) => Some(sandbox.clone()),
                _ => None,
            };
            let answer = perform(Arc::clone(&hooks), hook, &what, time).await;
            let refused = container_of.filter(|_| answer.is_err());
            let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            match &answer {
                Ok(_) => tracing::debug!(hook = what, ms, "done"),
                Err(error) => tracing::warn!(hook = what, ms, error, "refused"),
            }
            let answer = answer.map_err(|text| Status::failed(format!("{name}: {text}")));
            if let Err(error) = respond(&outbox, stream, answer).await {
                // The runtime is gone, or has stopped waiting; it sends all sandboxes again when
                // the plugin reconnects.
                tracing::warn!(%error, hook = what, ms, "cannot send the response to the runtime");
            }
            if let Some(sandbox) = refused {
                spawn_blocking(move || hooks.refused(&sandbox));
            }
        });
    }
}

/// The response's payload.
async fn perform(
    hooks: Arc<dyn Hooks>,
    call: Call,
    what: &str,
    time: Duration,
) -> Result<Vec<u8>, String> {
    match call {
        Call::Run(sandbox) => {
            let answer = call::with_timeout(time, what.to_owned(), move |deadline| {
                hooks.run(&sandbox, deadline)
            })
            .await;
            let answer = answer.unwrap_or_else(|| {
                tracing::info!(
                    hook = what,
                    "hook exceeds the runtime's timeout; containers of the pod wait for it"
                );
                Ok(())
            });
            answer.map(|()| Vec::new())
        }
        Call::Create(sandbox, container) => {
            let create = move |deadline| hooks.create_container(&sandbox, &container, deadline);
            let answer = call::with_timeout(time, what.to_owned(), create).await;
            let answer =
                answer.unwrap_or_else(|| Err(format!("no result within {} ms", time.as_millis())));
            answer.map(adjusted)
        }
        Call::Stop(sandbox) => {
            call::best_effort(time, move || hooks.stop(&sandbox)).await;
            Ok(Vec::new())
        }
        Call::Remove(sandbox) => {
            call::best_effort(time, move || hooks.remove(&sandbox)).await;
            Ok(Vec::new())
        }
        Call::Configure(_) | Call::Synchronize(_) | Call::Nothing => Ok(Vec::new()),
    }
}

/// A container that gets these variables. Without any the response is empty, as ever.
fn adjusted(variables: Variables) -> Vec<u8> {
    if variables.is_empty() {
        return Vec::new();
    }
    let env = variables
        .into_iter()
        .map(|(key, value)| api::KeyValue { key, value });
    let adjust = Some(api::ContainerAdjustment { env: env.collect() });
    api::CreateContainerResponse { adjust }.encode_to_vec()
}

async fn respond(outbox: &Outbox, stream: u32, answer: Answer) -> Result<(), NriError> {
    let response = match answer {
        Ok(payload) => Response {
            status: None,
            payload,
        },
        Err(status) => Response {
            status: Some(status),
            payload: Vec::new(),
        },
    };
    let message = Message {
        stream,
        kind: Kind::Response,
        payload: response.encode_to_vec().into(),
    };
    outbox.send(Conn::Plugin, &message).await
}
