//! The ledger's entry of one ADD.

use super::{Plugin, error::failed};
use crate::{
    cni::protocol::{Attachment, CniError, Code},
    deadline::Deadline,
    device::IfName,
    host::ErrorKind,
    ledger::{AttachmentId, AttachmentLock, AttachmentOwner, NetworkCall, Phase, Record, VERSION},
};

/// What a release of an entry concerns.
pub(super) type Entry = Record<AttachmentOwner>;

/// The key of an attachment, from its container and interface. It names a file.
pub(super) fn key(container: &str, if_name: &IfName) -> Result<AttachmentId, CniError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let escaped: String = if_name
        .as_str()
        .bytes()
        .map(|byte| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("_{byte:02x}"),
        })
        .collect();
    format!("{container}-{escaped}").parse().map_err(|error| {
        let text = format!("CNI_CONTAINERID: {error}");
        CniError::new(Code::INVALID_ENVIRONMENT, text)
    })
}

pub(super) fn key_of(attachment: &Attachment) -> Result<AttachmentId, CniError> {
    key(attachment.container.as_str(), &attachment.if_name)
}

/// An entry without devices: those are the claim's, or are added.
pub(super) fn new(key: AttachmentId, call: NetworkCall) -> Entry {
    Record {
        version: VERSION,
        owner: AttachmentOwner {
            attachment: key,
            call: Some(Box::new(call)),
        },
        phase: Phase::Preparing,
        devices: vec![],
        releasing_since: None,
        unknown: Default::default(),
    }
}

impl Plugin {
    pub(super) fn lock(
        &self,
        key: &AttachmentId,
        work: &str,
        deadline: Deadline,
    ) -> Result<AttachmentLock, CniError> {
        let work = format!("{work} attachment {key}");
        let lock = self.engine.locks().attachment(key, &work, deadline);
        lock.map_err(|error| CniError::new(Code::TRY_AGAIN_LATER, error.to_string()))
    }

    pub(super) fn load(&self, key: &AttachmentId) -> Result<Option<Entry>, CniError> {
        self.engine.attachments().load(key).map_err(failed)
    }

    pub(super) fn save(&self, entry: &Entry) -> Result<(), CniError> {
        self.engine.attachments().save(entry).map_err(failed)
    }

    /// Whether the namespace that the call was for is no more. One that cannot be looked at lives.
    pub(super) fn is_dead(&self, call: &NetworkCall) -> bool {
        let path = std::path::Path::new(&call.netns_path);
        match self.engine.kernel().open_netns(path) {
            Ok(netns) => netns.inode != call.netns,
            Err(error) => matches!(error.kind(), ErrorKind::Gone | ErrorKind::Invalid),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_file_name_and_no_two_interfaces_have_the_same() {
        let named = |name: &str| key("0f3a", &name.parse().unwrap()).unwrap().to_string();
        assert_eq!(named("net1"), "0f3a-net1");
        assert_eq!(named("net@1"), "0f3a-net_401");
        assert_eq!(named("net_401"), "0f3a-net_5f401");
        let long = key(&"a".repeat(200), &"net1".parse().unwrap()).unwrap_err();
        assert_eq!(long.code, Code::INVALID_ENVIRONMENT);
    }
}
