//! Which of the claims here are a pod's.

use super::record::{Phase, Record};

/// The claims that were prepared for the pod with this UID, and those that it names, in the order of
/// the records. A claim that pods share is prepared for the first of them only.
///
/// Of two claims of one name one is gone from the cluster, and its unprepare was missed: then only
/// the one counts that was prepared for the pod. If none was, it is not known which the pod means.
pub fn of_pod<'a>(
    records: &'a [Record],
    uid: Option<&str>,
    is_named: impl Fn(&Record) -> bool,
) -> impl Iterator<Item = &'a Record> {
    let is_reserved = move |record: &Record| {
        let reserved = &record.owner.reserved_for;
        uid.is_some_and(|uid| reserved.iter().any(|other| other == uid))
    };
    let is_its = move |record: &&Record| {
        is_reserved(record) || is_named(record) && !is_doubtful(record, records)
    };
    records
        .iter()
        .filter(is_its)
        .collect::<Vec<_>>()
        .into_iter()
}

/// Whether another claim of that name is here which is not being released.
fn is_doubtful(record: &Record, all: &[Record]) -> bool {
    let claim = &record.owner.claim;
    let other = all
        .iter()
        .find(|other| other.phase != Phase::Unpreparing && other.owner.claim.replaces(claim));
    if let Some(other) = other {
        tracing::warn!(
            %claim,
            uid = %claim.uid,
            other = %other.owner.claim.uid,
            "another claim of this name is prepared here: it is given to no pod that only names it"
        );
    }
    other.is_some()
}
