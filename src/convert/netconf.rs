//! What the keys of a network mean for the CNI plugin of this driver, which reads those of the Go
//! plugins `sriov` and `ib-sriov`. Only what is odd is a row: all other keys mean what they mean
//! there.

use serde_json::Value;

use super::{any_case, chain::Link, report::Section};
use crate::device::Mac;

/// Keys of every CNI configuration, and of all SR-IOV plugins.
const COMMON: [&str; 18] = [
    "dns",
    "cniVersion",
    "cniVersions",
    "name",
    "type",
    "ipam",
    "capabilities",
    "runtimeConfig",
    "args",
    "prevResult",
    "deviceID",
    "pciBusID",
    "link_state",
    "logLevel",
    "logFile",
    "resourceName",
    "disableCheck",
    "disableGC",
];
const SRIOV: [&str; 9] = [
    "vlan",
    "vlanQoS",
    "vlanProto",
    "mac",
    "min_tx_rate",
    "max_tx_rate",
    "spoofchk",
    "trust",
    "mtu",
];
const INFINIBAND: [&str; 7] = [
    "pkey",
    "guid",
    "rdmaIsolation",
    "ibKubernetesEnabled",
    "vfioPciMode",
    "publishPfGuid",
    "kubeconfig",
];

const AS_THERE: &str = "the Go plugin refuses it as well: fix it";
const NO_EFFECT: &str = "unknown to the Go plugin as well: it has no effect";

/// Reports the keys of the plugin `sriov` or `ib-sriov`.
pub(super) fn judge(section: &mut Section<'_>, link: &Link) {
    let own: &[&str] = match link.kind() {
        "ib-sriov" => &INFINIBAND,
        _ => &SRIOV,
    };
    let known = |key: &str| {
        let mut names = COMMON.iter().chain(own);
        key.starts_with("cni.dev/") || names.any(|name| name.eq_ignore_ascii_case(key))
    };
    for (key, value) in link.plugin.as_object().into_iter().flatten() {
        if !known(key) && !value.is_null() {
            section.warning(&format!("{}.{key}", link.at), value, NO_EFFECT, "");
        }
    }
    let keys = Keys { section, link };
    match link.kind() {
        "ib-sriov" => keys.common().infiniband(),
        _ => keys.common().vlan().rates().switches().others(),
    };
}

struct Keys<'a, 'b> {
    section: &'a mut Section<'b>,
    link: &'a Link,
}

impl<'a> Keys<'a, '_> {
    fn value(&self, key: &str) -> &'a Value {
        any_case::get(&self.link.plugin, key)
    }

    fn refuse(&mut self, key: &str, why: &str) {
        let at = format!("{}.{key}", self.link.at);
        let value = self.value(key);
        self.section.unsupported(&at, value, why, AS_THERE);
    }

    fn warn(&mut self, key: &str, what: &str, remedy: &str) {
        let at = format!("{}.{key}", self.link.at);
        let value = self.value(key);
        self.section.warning(&at, value, what, remedy);
    }

    /// Refuses a value that is set and not one of these.
    fn one_of(&mut self, key: &str, right: &[&str], any_case: bool) {
        let is_right = |text: &str| {
            let mut right = right.iter();
            right.any(|it| *it == text || any_case && it.eq_ignore_ascii_case(text))
        };
        match self.value(key) {
            Value::Null => {}
            Value::String(text) if is_right(text) => {}
            _ => {
                let named: Vec<&str> = right.iter().filter(|it| !it.is_empty()).copied().collect();
                self.refuse(key, &format!("must be {}", named.join(" or ")));
            }
        }
    }

    /// Whether the value is not set, or an integer from 0 to this.
    fn number(&mut self, key: &str, most: u64) -> Option<u64> {
        match self.value(key) {
            Value::Null => None,
            value if value.as_u64().is_some_and(|it| it <= most) => value.as_u64(),
            _ => {
                self.refuse(key, &format!("must be an integer from 0 to {most}"));
                None
            }
        }
    }

    fn common(mut self) -> Self {
        self.one_of("link_state", &["auto", "enable", "disable", ""], false);
        if !self.value("capabilities").is_null() && !self.value("capabilities").is_object() {
            self.refuse("capabilities", "must be an object like {\"mac\": true}");
        }
        let ipam = self.value("ipam");
        let kind = any_case::get(ipam, "type");
        let is_name = |text: &str| !text.contains('/');
        if !(ipam.is_null() || ipam.is_object()) {
            self.refuse("ipam", "must be an object like {\"type\": \"host-local\"}");
        } else if !(kind.is_null() || kind.as_str().is_some_and(is_name)) {
            self.refuse("ipam", "type must be the name of a plugin");
        }
        if self
            .value("deviceID")
            .as_str()
            .is_some_and(|id| !id.is_empty())
        {
            let remedy = "exclude the device from the agent (agent.exclude)";
            self.warn(
                "deviceID",
                "a claim may have the device at the same time",
                remedy,
            );
        }
        self
    }

    /// What the CNI plugin has not: docs/cni.md.
    fn infiniband(mut self) -> Self {
        self.one_of("link_state", &["auto", "enable", "disable", ""], false);
        if self.value("publishPfGuid") == true {
            let at = format!("{}.publishPfGuid", self.link.at);
            let what = "the CNI plugin does not talk to the API server";
            let remedy = "keep the device plugin and the Go plugin for this pool";
            self.section.unsupported(&at, "true", what, remedy);
        }
        self
    }

    fn vlan(mut self) -> Self {
        let vlan = self.number("vlan", 4094);
        let qos = self.number("vlanQoS", 7);
        self.one_of("vlanProto", &["802.1q", "802.1ad"], true);
        let ad = self.value("vlanProto").as_str() == Some("802.1ad");
        let unset = self.value("vlan").is_null();
        for key in ["vlanQoS", "vlanProto"] {
            if unset && !self.value(key).is_null() {
                self.refuse(key, "needs vlan");
            }
        }
        if vlan == Some(0) {
            self.warn(
                "vlan",
                "VLAN 0 is written if the VF has another one; the Go plugin always writes it",
                "",
            );
            if qos.is_some_and(|qos| qos > 0) {
                self.refuse("vlanQoS", "needs a vlan other than 0");
            }
            if ad {
                self.refuse("vlanProto", "needs a vlan other than 0");
            }
        }
        self
    }

    fn rates(mut self) -> Self {
        let rate = |keys: &mut Self, key| keys.number(key, u32::MAX.into());
        let (least, most) = (
            rate(&mut self, "min_tx_rate"),
            rate(&mut self, "max_tx_rate"),
        );
        if let (Some(least), Some(most @ 1..)) = (least, most)
            && least > most
        {
            self.refuse("min_tx_rate", "is above max_tx_rate");
        }
        let is_set = |key| !self.value(key).is_null();
        let (set, other) = match (is_set("min_tx_rate"), is_set("max_tx_rate")) {
            (true, false) => ("min_tx_rate", "max_tx_rate"),
            (false, true) => ("max_tx_rate", "min_tx_rate"),
            _ => return self,
        };
        self.warn(
            set,
            &format!("{other} stays as it is; the Go plugin sets it to 0"),
            &format!("add {other}: 0 if that is intended"),
        );
        self
    }

    fn switches(mut self) -> Self {
        for key in ["spoofchk", "trust"] {
            match self.value(key) {
                Value::Null => {}
                Value::String(text) if ["on", "off", ""].contains(&&**text) => {}
                Value::String(_) => {
                    self.warn(key, "means off, as for the Go plugin", "write on or off");
                }
                _ => self.refuse(key, "must be the text on or off"),
            }
        }
        self
    }

    fn others(mut self) -> Self {
        if !self.value("mtu").is_null() {
            let remedy = "use the chained plugin tuning to set it";
            self.warn("mtu", "has no effect, as with the Go plugin", remedy);
        }
        match self.value("mac") {
            Value::Null => {}
            Value::String(text) if text.is_empty() => {}
            Value::String(text) => {
                if let Err(why) = mac(text) {
                    self.refuse("mac", &why);
                }
            }
            _ => self.refuse("mac", "must be a text"),
        }
        self
    }
}

fn mac(text: &str) -> Result<(), String> {
    let mac: Mac = text.parse().map_err(|error| format!("{error}"))?;
    mac.assignable()
        .map(drop)
        .map_err(|error| error.to_string())
}

/// Reports a plugin that is chained behind. Returns whether Multus has to pass the device to it.
pub(super) fn chained(section: &mut Section<'_>, link: &Link) -> bool {
    let at = format!("{}.type", link.at);
    match link.kind() {
        "bandwidth" => {
            let why = "limits a veth pair, and a VF has none: it fails, as behind the Go plugin";
            let remedy = "use max_tx_rate of the plugin sriov";
            section.unsupported(&at, link.kind(), why, remedy);
            false
        }
        "rdma" => true,
        _ => false,
    }
}
