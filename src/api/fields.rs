//! The table of fields: name, who may set it, how it is read. Parser, privilege check and documents
//! follow it.

use serde_json::Value;

use super::{Settings, definition, env, read};

/// Who may set a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Any user, in a claim.
    Anyone,
    /// The administrator in a DeviceClass, and users where the class's `allowInClaims` names the
    /// field.
    Permitted,
    /// The administrator in a DeviceClass, nobody else ever.
    Class,
}

/// Reads a value into the settings, or says why not.
pub(super) type Reader = fn(&mut Settings, &Value) -> Result<(), String>;

/// One field of the configuration.
#[derive(Debug)]
pub struct Field {
    /// As written.
    pub name: &'static str,
    /// Who may set it.
    pub who: Who,
    /// None: known, but not supported yet.
    pub(super) read: Option<Reader>,
}

const fn field(name: &'static str, who: Who, read: Reader) -> Field {
    Field {
        name,
        who,
        read: Some(read),
    }
}

const fn later(name: &'static str, who: Who) -> Field {
    Field {
        name,
        who,
        read: None,
    }
}

/// All fields but `apiVersion`, `kind` and `allowInClaims`.
pub static FIELDS: &[Field] = &[
    field("driver", Who::Permitted, read::driver),
    field("ifName", Who::Anyone, read::if_name),
    field("mac", Who::Permitted, read::mac),
    field("mtu", Who::Anyone, read::mtu),
    field("vlan", Who::Permitted, read::vlan),
    field("vlanQoS", Who::Permitted, read::vlan_qos),
    field("vlanProto", Who::Permitted, read::vlan_proto),
    field("spoofChk", Who::Permitted, read::spoof_chk),
    field("trust", Who::Permitted, read::trust),
    field("linkState", Who::Permitted, read::link_state),
    field("minTxRate", Who::Permitted, read::min_tx_rate),
    field("maxTxRate", Who::Permitted, read::max_tx_rate),
    field("addresses", Who::Anyone, read::addresses),
    field("routes", Who::Anyone, read::routes),
    field("attach", Who::Permitted, read::attach),
    field("rdma", Who::Anyone, read::rdma),
    field("vhostNet", Who::Anyone, read::vhost_net),
    field("env", Who::Anyone, env::read),
    later("vdpaType", Who::Permitted),
    field("ipam", Who::Class, read::ipam),
    field(definition::NAME, Who::Permitted, read::definition),
];

/// The field of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.name == name)
}

/// The field that somebody meant who wrote it as SriovNetwork or the CNI plugin do (`min_tx_rate`,
/// `spoofchk`).
#[must_use]
pub fn meant(name: &str) -> Option<&'static str> {
    let plain = |name: &str| name.replace(['_', '-'], "").to_ascii_lowercase();
    FIELDS
        .iter()
        .map(|field| field.name)
        .chain(["allowInClaims"])
        .find(|known| plain(known) == plain(name))
}
