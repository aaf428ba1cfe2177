//! Decodes the runtime's calls. NRI before 0.12 sends sandbox events as `StateChange`, later
//! versions as a method per event.

use std::fmt;

use prost::Message;

use super::wire::{Status, api};
use crate::attach::{ContainerView, Sandbox};

/// The service that a plugin serves.
pub(super) const PLUGIN: &str = "nri.pkg.api.v1alpha1.Plugin";
/// The service that the runtime serves.
pub(super) const RUNTIME: &str = "nri.pkg.api.v1alpha1.Runtime";

/// The events that this plugin subscribes to: bit (event − 1) each.
pub(super) const EVENTS: i32 = bit(api::Event::RunPodSandbox)
    | bit(api::Event::StopPodSandbox)
    | bit(api::Event::RemovePodSandbox)
    | bit(api::Event::CreateContainer);

const fn bit(event: api::Event) -> i32 {
    1 << (event as i32 - 1)
}

/// A call of the runtime.
#[derive(Debug, PartialEq)]
pub(super) enum Call {
    Configure(api::ConfigureRequest),
    Synchronize(api::SynchronizeRequest),
    Run(Sandbox),
    Stop(Sandbox),
    Remove(Sandbox),
    Create(Sandbox, ContainerView),
    /// A call that needs no action and gets an empty response.
    Nothing,
}

/// Event and pod, for logs.
impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, sandbox) = match self {
            Self::Run(sandbox) => ("run", sandbox),
            Self::Stop(sandbox) => ("stop", sandbox),
            Self::Remove(sandbox) => ("remove", sandbox),
            Self::Create(sandbox, container) => {
                return write!(f, "create {} of {sandbox}", container.name);
            }
            Self::Configure(_) => return f.write_str("configure"),
            Self::Synchronize(_) => return f.write_str("synchronize"),
            Self::Nothing => return f.write_str("nothing"),
        };
        write!(f, "{what} {sandbox}")
    }
}

/// Decodes a request.
pub(super) fn request(service: &str, method: &str, payload: &[u8]) -> Result<Call, Status> {
    if service != PLUGIN {
        return Err(Status::unimplemented(service, method));
    }
    decode(method, payload)
        .map_err(|error| Status::invalid(format!("{method}: {error}")))?
        .ok_or_else(|| Status::unimplemented(service, method))
}

fn decode(method: &str, payload: &[u8]) -> Result<Option<Call>, prost::DecodeError> {
    let pod = || api::PodEventRequest::decode(payload).map(|event| sandbox(event.pod));
    Ok(Some(match method {
        "Configure" => Call::Configure(api::ConfigureRequest::decode(payload)?),
        "Synchronize" => Call::Synchronize(api::SynchronizeRequest::decode(payload)?),
        "CreateContainer" => create(api::CreateContainerRequest::decode(payload)?),
        "RunPodSandbox" => Call::Run(pod()?),
        "StopPodSandbox" => Call::Stop(pod()?),
        "RemovePodSandbox" => Call::Remove(pod()?),
        "StateChange" => state_change(api::StateChangeEvent::decode(payload)?),
        "Shutdown" => Call::Nothing,
        _ => return Ok(None),
    }))
}

fn state_change(change: api::StateChangeEvent) -> Call {
    match api::Event::try_from(change.event) {
        Ok(api::Event::RunPodSandbox) => Call::Run(sandbox(change.pod)),
        Ok(api::Event::StopPodSandbox) => Call::Stop(sandbox(change.pod)),
        Ok(api::Event::RemovePodSandbox) => Call::Remove(sandbox(change.pod)),
        _ => Call::Nothing,
    }
}

fn create(request: api::CreateContainerRequest) -> Call {
    let container = request.container.unwrap_or_default();
    let mounts = container
        .mounts
        .into_iter()
        .map(|mount| (mount.source.into(), mount.destination.into()))
        .collect();
    Call::Create(
        sandbox(request.pod),
        ContainerView {
            name: container.name,
            mounts,
        },
    )
}

/// A pod as the runtime describes it. A pod with `hostNetwork` has no network namespace, or one
/// without a path.
pub(super) fn sandbox(pod: Option<api::PodSandbox>) -> Sandbox {
    let pod = pod.unwrap_or_default();
    let namespaces = pod.linux.unwrap_or_default().namespaces;
    let netns = namespaces
        .into_iter()
        .find(|namespace| namespace.r#type == "network" && !namespace.path.is_empty());
    Sandbox {
        id: pod.id,
        pod_uid: pod.uid,
        namespace: pod.namespace,
        name: pod.name,
        netns: netns.map(|namespace| namespace.path.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod() -> api::PodSandbox {
        let namespace = |r#type: &str, path: &str| api::LinuxNamespace {
            r#type: r#type.into(),
            path: path.into(),
        };
        let namespaces = vec![
            namespace("ipc", "/proc/1/ns/ipc"),
            namespace("network", "/run/netns/a"),
        ];
        let linux = Some(api::LinuxPodSandbox { namespaces });
        api::PodSandbox {
            id: "s".into(),
            uid: "u".into(),
            name: "p".into(),
            namespace: "n".into(),
            linux,
            ..Default::default()
        }
    }

    #[test]
    fn both_versions_decode_to_the_same_call() {
        let old = |event: api::Event| {
            let change = api::StateChangeEvent {
                event: event as i32,
                pod: Some(pod()),
                container: None,
            };
            request(PLUGIN, "StateChange", &change.encode_to_vec()).unwrap()
        };
        let new = |method| {
            request(
                PLUGIN,
                method,
                &api::PodEventRequest { pod: Some(pod()) }.encode_to_vec(),
            )
            .unwrap()
        };
        assert_eq!(old(api::Event::RunPodSandbox), new("RunPodSandbox"));
        assert_eq!(old(api::Event::StopPodSandbox), new("StopPodSandbox"));
        assert_eq!(old(api::Event::RemovePodSandbox), new("RemovePodSandbox"));
        let Call::Run(sandbox) = new("RunPodSandbox") else {
            panic!()
        };
        assert_eq!(sandbox.netns, Some("/run/netns/a".into()));
        assert_eq!((sandbox.id.as_str(), sandbox.pod_uid.as_str()), ("s", "u"));
    }

    #[test]
    fn unknown_calls_get_a_status_code() {
        assert_eq!(
            request(PLUGIN, "UpdatePodSandbox", &[]).unwrap_err().code,
            12
        );
        assert_eq!(
            request("some.Service", "Configure", &[]).unwrap_err().code,
            12
        );
        assert_eq!(
            request(PLUGIN, "RunPodSandbox", &[0xff]).unwrap_err().code,
            3
        );
        let change = api::StateChangeEvent {
            event: 77,
            pod: None,
            container: None,
        };
        assert_eq!(
            request(PLUGIN, "StateChange", &change.encode_to_vec()).unwrap(),
            Call::Nothing
        );
    }

    #[test]
    fn four_events_are_subscribed() {
        assert_eq!(EVENTS, 0b1111);
    }
}
