//! Variables of a container that has several claims or requests, which a CDI device, made for one
//! request, cannot say.

use std::{collections::BTreeSet, ffi::OsStr};

use super::{Attacher, ContainerView};
use crate::{
    claim::view::{self, claim_of_mount},
    ledger::{ClaimUid, Record},
};

impl Attacher {
    /// The pools' variables of a container, each with the devices of all its requests; none for a
    /// pool of which it has one request: its CDI devices have set those. What it mounts says which
    /// requests it has.
    #[must_use]
    pub fn environment(&self, container: &ContainerView) -> Vec<(String, String)> {
        let requests = self.requests(container);
        let claims: BTreeSet<&ClaimUid> = requests.iter().map(|(uid, _)| uid).collect();
        let mut records: Vec<Record> = claims
            .into_iter()
            .filter_map(|uid| self.known(uid))
            .collect();
        records.sort_by(|one, two| one.owner.claim.name.cmp(&two.owner.claim.name));
        let is_its = |record: &Record, request: &str| {
            requests.contains(&(record.owner.claim.uid.clone(), request.to_owned()))
        };
        view::joined_variables(&records, is_its)
    }

    fn requests(&self, container: &ContainerView) -> BTreeSet<(ClaimUid, String)> {
        let attached = self.paths.attached();
        let request = |source: &std::path::Path| {
            let uid = claim_of_mount(&self.paths, &source.display().to_string())?;
            let request = source.file_stem().and_then(OsStr::to_str)?;
            Some((uid, request.to_owned()))
        };
        container
            .sources_below(&attached)
            .filter_map(request)
            .collect()
    }

    /// A record that cannot be read takes nothing from the container but this.
    fn known(&self, uid: &ClaimUid) -> Option<Record> {
        self.store.load(uid).unwrap_or_else(|error| {
            tracing::warn!(%error, "variables of a container");
            None
        })
    }
}
