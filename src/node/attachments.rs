//! What the CNI binary does on this node, as its entries show it: reported for claims' status, and
//! swept where no DEL comes.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

use super::{blocking, dir_events, status::Reports};
use crate::{
    attach::Change,
    claim::Engine,
    cni::{
        plugin::{Ipam, IpamAt, Plugin},
        protocol::{CniError, Code, Command},
        result::CniResult,
    },
    deadline::Deadline,
    ledger::{AttachmentId, ClaimUid, Entry, IpamCall, Phase},
};

/// A namespace that dies is seen by nobody: entries are looked at this often while there are any.
const PERIOD: Duration = Duration::from_secs(30);
/// An ADD writes its entry three times.
const SETTLE: Duration = Duration::from_millis(100);
const TIMEOUT: Duration = Duration::from_secs(30);

/// IPAM plugins are on the host, and their data is: the next call of the CNI binary runs them.
struct LeftToBinary;

impl Ipam for LeftToBinary {
    fn run(&self, _: Command, call: &IpamCall, at: &IpamAt) -> Result<Option<CniResult>, CniError> {
        let text = format!(
            "ipam {}: the next call of the CNI plugin releases the addresses of {} in container {}",
            call.plugin, at.if_name, at.container
        );
        Err(CniError::new(Code::TRY_AGAIN_LATER, text))
    }
}

/// The claims that have a netdev in a pod, by attachment.
type Attached = BTreeMap<AttachmentId, ClaimUid>;

/// Runs until the task is dropped.
pub(super) async fn run(engine: Arc<Engine>, reports: Reports, changed: Arc<Notify>) {
    let plugin = Arc::new(Plugin::new(Arc::clone(&engine), Box::new(LeftToBinary)));
    let events = dir_events::watch(&engine.paths().attachments(), PERIOD);
    let mut known = Attached::new();
    loop {
        let (engine, plugin) = (Arc::clone(&engine), Arc::clone(&plugin));
        let (now, is_idle) = blocking(move || {
            if let Err(error) = plugin.sweep(Deadline::after(TIMEOUT)) {
                tracing::warn!(%error, "attachments");
            }
            (attached(&engine), is_idle(&engine))
        })
        .await;
        for change in differences(&known, &now) {
            reports.changed(change);
            changed.notify_one();
        }
        known = now;
        match is_idle {
            true => events.notified().await,
            false => drop(timeout(PERIOD, events.notified()).await),
        }
        sleep(SETTLE).await;
    }
}

/// Whether there is nothing to sweep, now or later: no entry, of a claim's device or of another.
fn is_idle(engine: &Engine) -> bool {
    engine
        .attachments()
        .titles()
        .is_ok_and(|all| all.is_empty())
}

fn attached(engine: &Engine) -> Attached {
    let entries = engine.attachments().all().unwrap_or_default();
    let entries = entries.into_iter().filter_map(Entry::record);
    let done = entries.filter(|entry| entry.phase == Phase::Prepared);
    done.filter_map(|entry| {
        let claim = entry.owner.call.as_ref()?.claim.as_ref()?;
        Some((entry.owner.attachment.clone(), claim.uid.clone()))
    })
    .collect()
}

fn differences(before: &Attached, now: &Attached) -> Vec<Change> {
    let only = |one: &Attached, other: &Attached| -> Vec<ClaimUid> {
        let new = one.iter().filter(|(id, _)| !other.contains_key(*id));
        new.map(|(_, claim)| claim.clone()).collect()
    };
    let gone = only(before, now).into_iter().map(Change::Detached);
    let come = only(now, before).into_iter().map(Change::Attached);
    gone.chain(come).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_attachment_is_reported_once_as_it_comes_and_goes() {
        let uid = |text: &str| text.parse::<ClaimUid>().unwrap();
        let entry = |id: &str, claim: &str| (id.parse().unwrap(), uid(claim));
        let none = Attached::new();
        let (one, two) = (
            Attached::from([entry("box-net1", "c")]),
            Attached::from([entry("box-net1", "c"), entry("box-net2", "d")]),
        );
        assert_eq!(differences(&none, &one), [Change::Attached(uid("c"))]);
        assert_eq!(differences(&one, &two), [Change::Attached(uid("d"))]);
        assert_eq!(differences(&two, &two), []);
        let gone = [Change::Detached(uid("c")), Change::Detached(uid("d"))];
        assert_eq!(differences(&two, &none), gone);
    }
    #[test]
    fn an_attachment_without_a_claim_is_looked_at_again_too() {
        let dir = tempfile::tempdir().unwrap();
        let identity = crate::claim::Identity {
            driver_name: "sriov-dra.io".into(),
            node_name: "node".into(),
            drivers: vec![],
        };
        let kernel = Arc::new(crate::host::fake::Fake::igb());
        let engine = Engine::new(kernel, crate::paths::Paths::below(dir.path()), identity);
        assert!(is_idle(&engine));
        let owner = crate::ledger::AttachmentOwner {
            attachment: "box-net1".parse().unwrap(),
            call: None,
        };
        let device = crate::device::DeviceId::from_name("0000-02-10-0").unwrap();
        engine
            .take(owner, device, Deadline::after(TIMEOUT))
            .unwrap();
        assert_eq!(attached(&engine), Attached::new());
        assert!(!is_idle(&engine));
    }
}
