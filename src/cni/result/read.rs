//! Results of every version.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::{Map, Value};

use super::{CniResult, Dns, Ip, ResultRoute};
use crate::cni::protocol::{CniError, Version};

impl CniResult {
    /// Reads a result of the version that it names; a result that names none is read by its form.
    ///
    /// # Errors
    /// It cannot be decoded, or its version is unknown. `place` names it.
    pub fn read(place: &str, value: Value) -> Result<Self, CniError> {
        let Value::Object(mut object) = value else {
            return Err(CniError::decoding(place, "is no object"));
        };
        let old = match object.remove("cniVersion") {
            None | Some(Value::Null) => object.contains_key("ip4") || object.contains_key("ip6"),
            Some(given) => version(place, &given)?.needs_address(),
        };
        let read = if old {
            OldResult::read(object)
        } else {
            read(object)
        };
        read.map_err(|error| CniError::decoding(place, &error.to_string()))
    }
}

fn version(place: &str, given: &Value) -> Result<Version, CniError> {
    let known = given.as_str().and_then(Version::of);
    known.ok_or_else(|| {
        let reason = format!("is {given}, must be one of {}", Version::list());
        CniError::decoding(&format!("{place}.cniVersion"), &reason)
    })
}

fn read(object: Map<String, Value>) -> serde_json::Result<CniResult> {
    let mut result: CniResult = serde_json::from_value(Value::Object(object))?;
    for ip in &mut result.ips {
        // The family, which is written anew for versions that have it.
        ip.extra.remove("version");
    }
    Ok(result)
}

/// 0.1.0 and 0.2.0.
#[derive(Deserialize)]
struct OldResult {
    #[serde(default)]
    ip4: Option<OldIp>,
    #[serde(default)]
    ip6: Option<OldIp>,
    #[serde(default, deserialize_with = "or_default")]
    dns: Dns,
}

#[derive(Deserialize)]
struct OldIp {
    ip: IpNet,
    #[serde(default, deserialize_with = "gateway")]
    gateway: Option<IpAddr>,
    #[serde(default, deserialize_with = "or_default")]
    routes: Vec<ResultRoute>,
}

impl OldResult {
    fn read(object: Map<String, Value>) -> serde_json::Result<CniResult> {
        let old: Self = serde_json::from_value(Value::Object(object))?;
        let mut result = CniResult {
            dns: old.dns,
            ..CniResult::default()
        };
        for OldIp {
            ip,
            gateway,
            routes,
        } in [old.ip4, old.ip6].into_iter().flatten()
        {
            result.ips.push(Ip {
                interface: None,
                address: ip,
                gateway,
                extra: Map::new(),
            });
            result.routes.extend(routes);
        }
        Ok(result)
    }
}

/// Go writes what is not there as null too.
pub(super) fn or_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Empty is none.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.is_empty()))
}

/// 0 is none.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let number: Option<u32> = Option::deserialize(deserializer)?;
    Ok(number.filter(|number| *number != 0))
}

pub(super) fn gateway<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<IpAddr>, D::Error> {
    let given = text(deserializer)?;
    let parse = |text: String| text.parse().map_err(|_| text);
    given
        .map(parse)
        .transpose()
        .map_err(|text| D::Error::custom(format!("gateway {text:?} is no IP address")))
}
