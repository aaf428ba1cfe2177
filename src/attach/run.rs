//! A sandbox has its network: its claims' netdevs go into it.

use std::path::Path;

use super::{
    Attacher, Sandbox,
    error::{AttachError, Reason},
    name,
    start_gate::{hooked, is_hooked},
    steps::{Step, Steps},
    underway::Ended,
};
use crate::{
    claim::clash,
    deadline::Deadline,
    device::{DeviceId, IfName},
    host::Netns,
    ledger::{Attachment, ClaimRef, DeviceRecord, Phase, Record, of_pod},
    netdev::is_attached,
};

/// One call of the hook.
struct Visit<'a> {
    sandbox: &'a Sandbox,
    path: &'a Path,
    netns: Netns,
    /// Names that devices of the pod request.
    asked: Vec<IfName>,
    deadline: Deadline,
    ended: Ended,
    steps: Steps,
}

impl Visit<'_> {
    fn go(&self) -> Result<(), Reason> {
        if self.ended.is_set() {
            Err(Reason::Ended)
        } else {
            Ok(())
        }
    }
}

/// What this call has begun, and undoes when it fails.
type Begun = Vec<(ClaimRef, DeviceId)>;

impl Attacher {
    /// Attaches all netdevs of the sandbox's claims, or none. Locks are waited for until the
    /// deadline; the kernel is given the time that it takes, unless the sandbox ends.
    pub(super) fn attach(&self, sandbox: &Sandbox, deadline: Deadline) -> Result<(), AttachError> {
        let ended = self.underway.begin(&sandbox.id);
        let done = self.attach_all(sandbox, deadline, ended.clone());
        self.underway.finish(
            &sandbox.id,
            &ended,
            done.as_ref().err().map(ToString::to_string),
        );
        done
    }

    fn attach_all(
        &self,
        sandbox: &Sandbox,
        deadline: Deadline,
        ended: Ended,
    ) -> Result<(), AttachError> {
        let steps = Steps::begin();
        let claims = steps.time(Step::Record, || self.claims_of(&sandbox.pod_uid))?;
        let Some(first) = claims.first() else {
            return Ok(());
        };
        let path = sandbox
            .netns
            .as_deref()
            .ok_or_else(|| on_host_network(first, sandbox))?;
        let netns = self.kernel.open_netns(path)?;
        check_routes(&claims)?;
        let asked = claims
            .iter()
            .flat_map(hooked)
            .filter_map(|device| device.netdev.as_ref()?.if_name.clone());
        let visit = Visit {
            sandbox,
            path,
            netns,
            asked: asked.collect(),
            deadline,
            ended,
            steps,
        };
        let mut begun = Begun::new();
        let done = claims.iter().try_for_each(|record| {
            self.attach_claim(&visit, &record.owner.claim, &mut begun)
                .map_err(|reason| reason.of(&record.owner.claim))
        });
        match done {
            Ok(()) => visit.steps.log(sandbox),
            Err(_) => self.take_back(&sandbox.id, &begun),
        }
        done
    }

    /// The pod's claims with netdevs for it: those that its watch names, in its order, then those
    /// prepared for it.
    fn claims_of(&self, pod_uid: &str) -> Result<Vec<Record>, AttachError> {
        let named = self.pods.of(pod_uid);
        let place = |record: &Record| {
            named.iter().position(|(space, name)| {
                *space == record.owner.claim.namespace && *name == record.owner.claim.name
            })
        };
        let entries = self.store.all()?.into_iter();
        let all: Vec<Record> = entries.filter_map(|entry| entry.record()).collect();
        let its = of_pod(&all, Some(pod_uid), |record| place(record).is_some());
        let hooked = its.filter(|record| hooked(record).next().is_some());
        let mut records: Vec<Record> = hooked.cloned().collect();
        records.sort_by_key(|record| place(record).unwrap_or(usize::MAX));
        Ok(records)
    }

    fn attach_claim(
        &self,
        visit: &Visit<'_>,
        claim: &ClaimRef,
        begun: &mut Begun,
    ) -> Result<(), Reason> {
        let work = format!("attach claim {claim}");
        let steps = &visit.steps;
        let claimed = || self.locks.claim(&claim.uid, &work, visit.deadline);
        let _claim = steps.time(Step::Locks, claimed)?;
        let mut record = self.store.load(&claim.uid)?.ok_or(Reason::Absent)?;
        if record.phase != Phase::Prepared {
            return Err(Reason::Phase(record.phase));
        }
        self.check_node(&record)?;
        let mut devices: Vec<DeviceId> = hooked(&record).map(|device| device.id).collect();
        devices.sort();
        let locks = devices
            .iter()
            .map(|device| self.locks.device(device, &work, visit.deadline));
        let _devices = steps.time(Step::Locks, || locks.collect::<Result<Vec<_>, _>>())?;
        for index in 0..record.devices.len() {
            if is_hooked(&record.devices[index]) {
                self.attach_device(visit, &mut record, index, begun)?;
            }
        }
        visit.go()?;
        steps.time(Step::StartGate, || self.open_start_gate(&record))?;
        // The sandbox may have ended when the gate opened.
        visit.go()
    }

    /// Whether the claim's devices were allocated on this node.
    pub(super) fn check_node(&self, record: &Record) -> Result<(), Reason> {
        match record.not_of(&self.node) {
            Some(device) => Err(Reason::Elsewhere {
                device: device.id,
                node: device.slice_pool.clone(),
                here: self.node.clone(),
            }),
            None => Ok(()),
        }
    }

    fn attach_device(
        &self,
        visit: &Visit<'_>,
        record: &mut Record,
        index: usize,
        begun: &mut Begun,
    ) -> Result<(), Reason> {
        let device = record.devices[index].clone();
        let Some(plan) = &device.plan_in_pod() else {
            return Ok(());
        };
        let steps = &visit.steps;
        if steps.time(Step::Look, || self.is_there(visit, &device))? {
            return Ok(());
        }
        let observed = steps.time(Step::Look, || self.kernel.observe(&device.id))?;
        if observed.function.incarnation != device.incarnation {
            return Err(Reason::Replaced(device.id));
        }
        let mover = self.mover()?;
        visit.go()?;
        let fetch = || mover.fetch(&device, &visit.netns, visit.deadline);
        let from = steps.time(Step::Look, fetch)?;
        let name = steps.time(Step::Look, || self.name_for(visit, &device, &from))?;
        visit.go()?;
        begun.push(((*record.owner.claim).clone(), device.id));
        let planned = attachment(visit, &name);
        steps.time(Step::Record, || self.note(record, index, planned))?;
        let go = || visit.go();
        let into = || mover.move_in(&device, plan, (&from, &visit.netns), &name, &go);
        let mac = steps.time(Step::Move, into)?;
        visit.go()?;
        let done = Attachment {
            mac,
            done: true,
            ..attachment(visit, &name)
        };
        steps.time(Step::Record, || self.note(record, index, done))?;
        self.report_attached(&record.owner.claim);
        Ok(())
    }

    /// Whether the netdev is already in this sandbox with all that it needs.
    fn is_there(&self, visit: &Visit<'_>, device: &DeviceRecord) -> Result<bool, Reason> {
        let Some(attachment) = &device.attachment else {
            return Ok(false);
        };
        let there = is_attached(&*self.kernel, &device.id, attachment)?;
        if there && attachment.pod_uid != visit.sandbox.pod_uid {
            return Err(in_other_pod(device, attachment));
        }
        Ok(there && attachment.done && attachment.sandbox == visit.sandbox.id)
    }

    fn note(
        &self,
        record: &mut Record,
        index: usize,
        mut attachment: Attachment,
    ) -> Result<(), Reason> {
        record.devices[index].used = Some(true);
        let noted = &mut record.devices[index].attachment;
        if let Some(before) = noted.take_if(|has| has.sandbox == attachment.sandbox) {
            attachment.unknown = before.unknown;
        }
        *noted = Some(attachment);
        Ok(self.store.save(record)?)
    }

    /// The name that an interrupted call has chosen, or a new one.
    fn name_for(
        &self,
        visit: &Visit<'_>,
        device: &DeviceRecord,
        from: &Netns,
    ) -> Result<IfName, Reason> {
        let begun = device
            .attachment
            .as_ref()
            .filter(|attachment| attachment.sandbox == visit.sandbox.id);
        if let Some(attachment) = begun.filter(|_| *from == visit.netns) {
            return Ok(attachment.if_name.clone());
        }
        let asked = device
            .netdev
            .as_ref()
            .and_then(|plan| plan.if_name.as_ref());
        let taken = self.kernel.link_names(&visit.netns)?;
        name::choose(asked, &taken, &visit.asked).map_err(|name| {
            let owner = self.owner_of(visit, &name);
            Reason::NameTaken {
                device: device.id,
                name,
                owner,
            }
        })
    }

    /// Who has the name in the sandbox.
    fn owner_of(&self, visit: &Visit<'_>, name: &IfName) -> String {
        let records = self
            .store
            .all()
            .unwrap_or_default()
            .into_iter()
            .filter_map(|entry| entry.record());
        let mut owners = records.flat_map(|record| {
            let owner = |device: &DeviceRecord| {
                format!("device {} of claim {}", device.id, record.owner.claim)
            };
            let has = |device: &&DeviceRecord| {
                let attachment = device.attachment.as_ref();
                attachment.is_some_and(|a| a.sandbox == visit.sandbox.id && a.if_name == *name)
            };
            record
                .devices
                .iter()
                .filter(has)
                .map(owner)
                .collect::<Vec<_>>()
        });
        owners
            .next()
            .unwrap_or_else(|| "a link of the pod's own network".to_owned())
    }

    /// Reports the claims that the sandbox has netdevs of.
    pub(super) fn report_all(&self, sandbox: &Sandbox) {
        let records = self
            .store
            .all()
            .unwrap_or_default()
            .into_iter()
            .filter_map(|entry| entry.record());
        for record in records {
            let has = |device: &DeviceRecord| {
                device
                    .attachment
                    .as_ref()
                    .is_some_and(|attachment| attachment.sandbox == sandbox.id && attachment.done)
            };
            if record.devices.iter().any(has) {
                self.report_attached(&record.owner.claim);
            }
        }
    }
}

/// Claims of one pod do not know of each other when they are prepared.
fn check_routes(claims: &[Record]) -> Result<(), AttachError> {
    let routes = |device: &DeviceRecord| Some((device.id, device.plan_in_pod()?.routes));
    let all = claims.iter().flat_map(hooked).filter_map(routes);
    let Some(clash) = clash(&all.collect::<Vec<_>>()) else {
        return Ok(());
    };
    let has = |record: &&Record| record.devices.iter().any(|device| device.id == clash.other);
    let claim = claims.iter().find(has).unwrap_or(&claims[0]);
    Err(Reason::DefaultRoutes(clash).of(&claim.owner.claim))
}

fn attachment(visit: &Visit<'_>, name: &IfName) -> Attachment {
    let Sandbox { id, pod_uid, .. } = visit.sandbox;
    Attachment {
        sandbox: id.clone(),
        pod_uid: pod_uid.clone(),
        pod: visit.sandbox.to_string(),
        netns_path: visit.path.display().to_string(),
        netns: visit.netns.inode,
        if_name: name.clone(),
        mac: None,
        done: false,
        unknown: Default::default(),
    }
}

fn in_other_pod(device: &DeviceRecord, attachment: &Attachment) -> Reason {
    let (owner, if_name) = (attachment.pod.clone(), attachment.if_name.clone());
    Reason::OtherPod {
        device: device.id,
        owner,
        if_name,
    }
}

fn on_host_network(record: &Record, sandbox: &Sandbox) -> AttachError {
    let device = hooked(record)
        .next()
        .map_or(record.devices[0].id, |device| device.id);
    Reason::HostNetwork {
        device,
        pod: sandbox.to_string(),
    }
    .of(&record.owner.claim)
}
