//! Which device: what the ledger knows of the pod, and what the caller hints at.

use std::net::IpAddr;

use super::{Plugin, error::failed};
use crate::{
    claim::view,
    cni::{
        agent::{AgentError, Question, ask},
        netconf::{Conf, DeviceHint},
        networks::{PodFiles, PodNetworks},
        protocol::{CniError, Code, Pod},
        request::Call,
        which::{Chosen, Hint, PodDevice, Request, WhichError, which},
    },
    device::{DeviceId, Function},
    files::Disk,
    ledger::{ClaimRef, DeviceRecord, Entry, Phase, Record, of_pod},
};

/// The device of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) device: DeviceId,
    /// The claim that has it for the pod; none: nobody has.
    pub(super) claim: Option<ClaimRef>,
    /// Gateways of the default routes that the pod's annotation asks for.
    pub(super) gateways: Vec<IpAddr>,
}

impl Plugin {
    /// The agent is asked once, when what it has written down does not do.
    pub(super) fn choose(&self, call: &Call<Conf>) -> Result<Target, CniError> {
        let records = self.records()?;
        let named = &call.attachment.args.pod;
        let mut pod = self.pod(named)?;
        let mut asked = pod.is_none() && lacks_pod(call, &records);
        if asked {
            pod = self.ask_agent(named)?;
        }
        loop {
            match self.decide(call, &records, pod.as_ref()) {
                Err(error) if error.may_be_stale() && !asked => {
                    (pod, asked) = (self.ask_agent(named)?, true);
                }
                Err(error) => {
                    return Err(CniError::new(Code::INVALID_CONFIG, error.to_string()));
                }
                Ok(target) => return target,
            }
        }
    }

    fn decide(
        &self,
        call: &Call<Conf>,
        records: &[Record],
        pod: Option<&PodNetworks>,
    ) -> Result<Result<Target, CniError>, WhichError> {
        let devices = pod_devices(records, pod, &call.attachment.args.pod);
        let named = call.conf.device().map(|hint| (hint, self.resolve(hint)));
        let hint = named.as_ref().map(|(hint, id)| match id {
            Some(id) => view::cdi_name(id),
            None => hint.to_string(),
        });
        let holder = hint
            .as_ref()
            .and_then(|hint| self.holder(records, &devices, hint));
        let request = Request {
            conf_name: &call.network.name,
            conf_type: &call.network.kind,
            ifname: call.attachment.if_name.as_str(),
            hint: hint.as_deref().map(|device_id| Hint {
                device_id,
                holder: holder.as_deref(),
            }),
            pool: None,
        };
        let choice = which(pod, &request, &devices)?;
        let target = match choice.device {
            Chosen::Claimed(device) => Ok((device.id, Some(device.claim.clone()))),
            Chosen::Unclaimed(_) => unclaimed(named).map(|device| (device, None)),
        };
        let gateways = choice.network.map(|network| network.gateways.clone());
        Ok(target.map(|(device, claim)| Target {
            device,
            claim,
            gateways: gateways.unwrap_or_default(),
        }))
    }

    /// An auxiliary device's number says nothing of its PF: the host is asked. One that is not a
    /// sub-function here is none.
    fn resolve(&self, hint: &DeviceHint) -> Option<DeviceId> {
        match hint {
            DeviceHint::Pci(bdf) => Some(DeviceId::Pci(*bdf)),
            DeviceHint::SubFunction(id) => Some(*id),
            DeviceHint::Auxiliary(name) => {
                let functions = self.engine.kernel().functions().unwrap_or_default();
                let mut functions = functions.into_iter();
                let is_it = |function: &Function| function.auxiliary() == Some(name);
                functions.find(is_it).map(|function| function.id)
            }
        }
    }

    fn records(&self) -> Result<Vec<Record>, CniError> {
        let all = self.engine.store().all().map_err(failed)?;
        Ok(all.into_iter().filter_map(Entry::record).collect())
    }

    /// What the agent has written of the pod.
    fn pod(&self, pod: &Pod) -> Result<Option<PodNetworks>, CniError> {
        let files = PodFiles::new(self.engine.paths(), Disk::default());
        if let Some(uid) = pod.uid.as_deref().and_then(|uid| uid.parse().ok()) {
            return files.load(&uid).map_err(failed);
        }
        let (Some(namespace), Some(name)) = (&pod.namespace, &pod.name) else {
            return Ok(None);
        };
        let mut named = files.named(namespace, name).map_err(failed)?;
        match named.len() {
            0 | 1 => Ok(named.pop()),
            several => Err(CniError::new(
                Code::INVALID_ENVIRONMENT,
                format!(
                    "CNI_ARGS: K8S_POD_UID is not set, and {several} pods {namespace}/{name} are prepared here"
                ),
            )),
        }
    }

    /// For a pod of a shared claim the kubelet calls no Prepare. On a node whose agent looks at no
    /// networks, or without an agent, there is nothing to ask.
    fn ask_agent(&self, pod: &Pod) -> Result<Option<PodNetworks>, CniError> {
        let paths = self.engine.paths();
        let (Some(namespace), Some(name)) = (pod.namespace.clone(), pod.name.clone()) else {
            return Ok(None);
        };
        if !paths.pods().exists() {
            return Ok(None);
        }
        let question = Question {
            pod_uid: pod.uid.clone(),
            namespace,
            name,
        };
        match ask(&paths.cni_socket(), &question) {
            Ok(()) => self.pod(pod),
            Err(error @ AgentError::Away { .. }) => {
                Err(CniError::new(Code::TRY_AGAIN_LATER, error.to_string()))
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// Who has the device, if not the pod.
    fn holder(&self, records: &[Record], devices: &[PodDevice], hint: &str) -> Option<String> {
        if devices.iter().any(|device| device.device_id == hint) {
            return None;
        }
        let has =
            |device: &DeviceRecord| !device.admin_access && view::cdi_name(&device.id) == hint;
        let claim = records.iter().find(|record| record.devices.iter().any(has));
        if let Some(record) = claim {
            return Some(format!("claim {}", record.owner.claim));
        }
        let entries = self.engine.attachments().all().unwrap_or_default();
        let mut entries = entries.into_iter().filter_map(Entry::record);
        let entry = entries.find(|entry| entry.devices.iter().any(has))?;
        let call = entry.owner.call.as_deref()?;
        Some(match &call.pod {
            Some(pod) => format!("pod {pod} as {}", call.if_name),
            None => format!("container {} as {}", call.container, call.if_name),
        })
    }
}

/// Whether the agent has to be asked: the caller names no device, or the pod has claims here.
fn lacks_pod(call: &Call<Conf>, records: &[Record]) -> bool {
    let Some(uid) = &call.attachment.args.pod.uid else {
        return false;
    };
    let is_reserved = |record: &Record| record.owner.reserved_for.contains(uid);
    call.conf.device().is_none() || records.iter().any(is_reserved)
}

fn unclaimed(named: Option<(&DeviceHint, Option<DeviceId>)>) -> Result<DeviceId, CniError> {
    match named {
        Some((_, Some(device))) => Ok(device),
        Some((hint, None)) => Err(CniError::config(
            "deviceID",
            &format!("{hint} is no sub-function of this host"),
        )),
        None => Err(failed("deviceID: none was given")),
    }
}

/// The devices of the pod's claims that a network may attach.
fn pod_devices(records: &[Record], pod: Option<&PodNetworks>, caller: &Pod) -> Vec<PodDevice> {
    let uid = pod.map(|pod| pod.uid.as_str()).or(caller.uid.as_deref());
    let is_shared = |record: &Record| {
        pod.is_some_and(|pod| {
            let claim = &record.owner.claim;
            claim.namespace == pod.namespace && pod.claims.contains(&claim.name)
        })
    };
    of_pod(records, uid, is_shared)
        .filter(|record| record.phase == Phase::Prepared)
        .flat_map(|record| {
            let attachable = record.devices.iter().filter(|device| is_attachable(device));
            attachable.map(|device| pod_device(record, device))
        })
        .collect()
}

fn is_attachable(device: &DeviceRecord) -> bool {
    use crate::api::AttachMode;
    let by_cni = |plan: &crate::ledger::NetdevPlan| plan.attach == AttachMode::Cni;
    !device.admin_access && device.netdev.as_ref().is_none_or(by_cni)
}

fn pod_device(record: &Record, device: &DeviceRecord) -> PodDevice {
    let asked = device
        .netdev
        .as_ref()
        .and_then(|plan| plan.if_name.as_ref());
    PodDevice {
        claim: (*record.owner.claim).clone(),
        request: device.request.clone(),
        id: device.id,
        device_id: view::cdi_name(&device.id),
        pool: device.extras.pool.as_ref().map(|pool| pool.to_string()),
        named_nad: None,
        named_interface: asked.map(ToString::to_string),
        attached_as: device
            .network
            .as_ref()
            .map(|layer| layer.if_name.to_string()),
    }
}
