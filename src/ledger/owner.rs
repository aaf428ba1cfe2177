//! Who owns the devices of a record: a claim, an attachment without a claim, or a port.
//!
//! ```text
//!  <run>/claims        ClaimOwner        all that agents before this module read
//!  <run>/attachments   AttachmentOwner   a device that a network's attachment took, without a claim
//!  <run>/ports         PortOwner         what provisioning changed on a PF
//! ```

use std::{
    fmt::{self, Debug, Display},
    path::PathBuf,
    str::FromStr,
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    claim_ref::{ClaimRef, ClaimUid},
    name::is_file_name,
    network::NetworkCall,
    unknown::Kept,
};
use crate::{
    device::{Bdf, ParseError},
    paths::Paths,
};

/// The owner of a record's devices. Each kind has a directory of its own, so that agents older than
/// a kind, which read only the claims' directory, never take its records for those of claims.
pub trait Owner: Clone + Debug + PartialEq + Serialize + DeserializeOwned {
    /// Names the record's file, up to the first `+`, which it does not contain.
    type Key: Clone + Debug + Ord + Display + FromStr;
    /// For messages: `claim`.
    const KIND: &'static str;

    /// The directory of this kind's records.
    fn dir(paths: &Paths) -> PathBuf;

    /// What identifies this owner among its kind.
    fn key(&self) -> &Self::Key;
}

/// A ResourceClaim. Its fields are those of the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimOwner {
    /// Which claim.
    pub claim: Kept<ClaimRef>,
    /// Name of the claim in the pod, when it was made from a template.
    pub pod_claim_name: Option<String>,
    /// UIDs of the pods that the claim was reserved for when it was prepared.
    pub reserved_for: Vec<String>,
}

impl Owner for ClaimOwner {
    type Key = ClaimUid;
    const KIND: &'static str = "claim";

    fn dir(paths: &Paths) -> PathBuf {
        paths.records()
    }

    fn key(&self) -> &ClaimUid {
        &self.claim.uid
    }
}

/// An attachment without a claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttachmentOwner {
    /// Which attachment.
    pub attachment: AttachmentId,
    /// The call of the CNI binary that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<Box<NetworkCall>>,
}

impl Owner for AttachmentOwner {
    type Key = AttachmentId;
    const KIND: &'static str = "attachment";

    fn dir(paths: &Paths) -> PathBuf {
        paths.attachments()
    }

    fn key(&self) -> &AttachmentId {
        &self.attachment
    }
}

/// A port that is provisioned. Its VFs are there to be claimed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PortOwner {
    /// The PF.
    pub port: Bdf,
}

impl Owner for PortOwner {
    type Key = Bdf;
    const KIND: &'static str = "port";

    fn dir(paths: &Paths) -> PathBuf {
        paths.ports()
    }

    fn key(&self) -> &Bdf {
        &self.port
    }
}

/// An attachment's id, chosen by whoever attaches. It names files, so only `[0-9A-Za-z._-]`, 1 to
/// 128 of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AttachmentId(String);

impl FromStr for AttachmentId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if is_file_name(text, 128, plain) {
            return Ok(Self(text.to_owned()));
        }
        let why = "must be 1 to 128 of a-z, A-Z, 0-9, '.', '_' and '-'";
        Err(ParseError::new("attachment id", text, why))
    }
}

impl TryFrom<String> for AttachmentId {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl From<AttachmentId> for String {
    fn from(id: AttachmentId) -> Self {
        id.0
    }
}

impl Display for AttachmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
