//! The keys that every plugin has.

use std::{collections::BTreeMap, path::PathBuf};

use serde_json::{Map, Value};

use super::fields::is_known;
use crate::cni::{
    json::{Json, Object, quoted, wrong},
    protocol::{CniError, Code, ContainerId, Version, is_name},
    result::{CniResult, Dns},
};

/// What a configuration is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// ADD, CHECK and STATUS: everything has to be right.
    Attach,
    /// DEL and GC: what was attached has to go, even if the configuration was broken since.
    Release,
}

impl Purpose {
    fn allow<T: Default>(self, read: Result<T, CniError>) -> Result<T, CniError> {
        match read {
            Err(_) if self == Self::Release => Ok(T::default()),
            read => read,
        }
    }
}

/// A network, without what its plugin does.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// `cniVersion`: of the answer.
    pub version: Version,
    /// `name`.
    pub name: String,
    /// `type`: the plugin.
    pub kind: String,
    /// `ipam`, when it names a plugin.
    pub ipam: Option<Ipam>,
    /// `dns`.
    pub dns: Dns,
    /// `capabilities`.
    pub capabilities: BTreeMap<String, bool>,
    /// `prevResult`: of the plugin before in the chain. Not read for a release.
    pub previous: Option<CniResult>,
    /// `runtimeConfig`.
    pub runtime: Runtime,
    /// `args.cni`: the texts in it.
    pub args: BTreeMap<String, String>,
    /// Where to log.
    pub log: LogConf,
    /// Keys that neither plugin has. They are passed over, as in Go.
    pub unknown: Vec<String>,
}

/// Who assigns addresses.
#[derive(Debug, Clone, PartialEq)]
pub struct Ipam {
    /// `ipam.type`: the plugin's file name.
    pub kind: String,
    /// The whole object.
    pub raw: Map<String, Value>,
}

/// What a runtime adds for the capabilities that a network has. Only a `mac` that is no string is
/// an error, as for the Go plugin.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Runtime {
    /// `mac`.
    pub mac: Option<String>,
    /// `infinibandGUID`.
    pub guid: Option<String>,
    /// `ips`: for the IPAM plugin.
    pub ips: Vec<String>,
    /// `deviceID`.
    pub device: Option<String>,
    /// `CNIDeviceInfoFile`: where a meta-plugin reads what the device is.
    pub device_info_file: Option<PathBuf>,
}

/// Where and how much to log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogConf {
    /// `logLevel`.
    pub level: Option<String>,
    /// `logFile`.
    pub file: Option<PathBuf>,
}

/// An attachment that GC leaves.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValidAttachment {
    /// The container.
    pub container: ContainerId,
    /// The interface.
    pub if_name: String,
}

impl Network {
    pub(in crate::cni) fn read(object: &Object<'_>, purpose: Purpose) -> Result<Self, CniError> {
        Ok(Self {
            version: version(object)?,
            name: name(object)?,
            kind: purpose
                .allow(object.text("type"))?
                .unwrap_or_default()
                .into(),
            ipam: purpose.allow(ipam(object))?,
            dns: purpose.allow(dns(object))?,
            capabilities: purpose.allow(capabilities(object))?,
            previous: match purpose {
                Purpose::Attach => previous(object)?,
                Purpose::Release => None,
            },
            runtime: purpose.allow(runtime(object))?,
            args: args(object),
            log: purpose.allow(log(object))?,
            unknown: object.others(is_known).map(str::to_owned).collect(),
        })
    }

    /// Whether the plugin is `ib-sriov`.
    #[must_use]
    pub fn is_infiniband(&self) -> bool {
        matches!(&*self.kind, "ib-sriov" | "ib-sriov-cni")
    }

    /// What CHECK compares with.
    ///
    /// # Errors
    /// The runtime has not given it.
    pub fn expected(&self) -> Result<&CniResult, CniError> {
        self.previous
            .as_ref()
            .ok_or_else(|| CniError::config("prevResult", "is not set, CHECK needs it"))
    }
}

/// The version, or 0.1.0 as libcni has it. What cannot be answered is refused before anything is
/// done.
pub(in crate::cni) fn version(object: &Object<'_>) -> Result<Version, CniError> {
    let given = object.text("cniVersion")?.unwrap_or_default();
    Version::of(given).ok_or_else(|| {
        let reason = format!(
            "cniVersion: {} is not supported, must be one of {}",
            quoted(given),
            Version::list()
        );
        CniError::new(Code::INCOMPATIBLE_VERSION, reason)
    })
}

fn name(object: &Object<'_>) -> Result<String, CniError> {
    const RIGHT: &str = "must be letters, digits, '_', '.' and '-', the first a letter or digit";
    match object.text("name")? {
        None => Err(CniError::config("name", &format!("is not set, {RIGHT}"))),
        Some(name) if is_name(name) => Ok(name.to_owned()),
        Some(name) => Err(CniError::config(
            "name",
            &format!("is {}, {RIGHT}", quoted(name)),
        )),
    }
}

fn ipam(object: &Object<'_>) -> Result<Option<Ipam>, CniError> {
    let ipam = object.nested("ipam")?;
    let Some(kind) = ipam.text("type")? else {
        return Ok(None);
    };
    if kind.contains('/') || kind == "." || kind == ".." {
        let reason = format!("is {}, must be a file name", quoted(kind));
        return Err(CniError::config("ipam.type", &reason));
    }
    Ok(Some(Ipam {
        kind: kind.to_owned(),
        raw: ipam.to_map(),
    }))
}

fn dns(object: &Object<'_>) -> Result<Dns, CniError> {
    let dns = object.nested("dns")?;
    // Whatever the case of the keys, the result has the specification's.
    let mut known = Map::new();
    if let Some(domain) = dns.text("domain")? {
        known.insert("domain".into(), domain.into());
    }
    for list in ["nameservers", "search", "options"] {
        let items = dns.texts(list)?;
        if !items.is_empty() {
            known.insert(list.into(), items.into());
        }
    }
    Ok(Dns(known))
}

fn capabilities(object: &Object<'_>) -> Result<BTreeMap<String, bool>, CniError> {
    let capabilities = object.nested("capabilities")?;
    let capability = |(name, value): (&str, &Json)| match value {
        Json::Bool(on) => Ok((name.to_owned(), *on)),
        Json::Null => Ok((name.to_owned(), false)),
        other => Err(wrong(&capabilities.place(name), other, "true or false")),
    };
    capabilities.entries().map(capability).collect()
}

fn previous(object: &Object<'_>) -> Result<Option<CniResult>, CniError> {
    const NAME: &str = "prevResult";
    let previous = object.nested(NAME)?;
    if previous.is_empty() {
        return Ok(None);
    }
    CniResult::read(NAME, Value::Object(previous.to_map())).map(Some)
}

fn runtime(object: &Object<'_>) -> Result<Runtime, CniError> {
    let runtime = object.nested("runtimeConfig")?;
    let text = |name: &str| runtime.text(name).ok().flatten().map(str::to_owned);
    Ok(Runtime {
        mac: runtime.text("mac")?.map(str::to_owned),
        guid: text("infinibandGUID"),
        ips: runtime.texts("ips").unwrap_or_default(),
        device: text("deviceID"),
        device_info_file: text("CNIDeviceInfoFile").map(PathBuf::from),
    })
}

/// The Go plugin does not read them: what is no text is passed over.
fn args(object: &Object<'_>) -> BTreeMap<String, String> {
    let cni = object.nested("args").and_then(|args| args.nested("cni"));
    let text = |(name, value): (&str, &Json)| match value {
        Json::Text(text) => Some((name.to_owned(), text.clone())),
        _ => None,
    };
    cni.map(|cni| cni.entries().filter_map(text).collect())
        .unwrap_or_default()
}

fn log(object: &Object<'_>) -> Result<LogConf, CniError> {
    Ok(LogConf {
        level: object.text("logLevel")?.map(str::to_owned),
        file: object.text("logFile")?.map(PathBuf::from),
    })
}

/// The attachments that GC leaves. libcni writes an empty list as null, and has a second name for
/// it, which an earlier text of the specification had.
pub(in crate::cni) fn valid_attachments(
    object: &Object<'_>,
) -> Result<Vec<ValidAttachment>, CniError> {
    const NAME: &str = "cni.dev/valid-attachments";
    let given = object
        .last(NAME)
        .or_else(|| object.last("cni.dev/attachments"));
    match given {
        // Without the list it is not known what is stale.
        None => Err(CniError::config(NAME, "is not set, GC needs it")),
        Some(Json::Null) => Ok(Vec::new()),
        Some(Json::List(items)) => {
            let items = items.iter();
            items.map(|item| valid_attachment(NAME, item)).collect()
        }
        Some(other) => Err(wrong(NAME, other, "a list")),
    }
}

fn valid_attachment(place: &str, item: &Json) -> Result<ValidAttachment, CniError> {
    let object = Object::root(item).map_err(|_| wrong(place, item, "a list of objects"))?;
    let text = |name: &str| {
        let missing = || CniError::config(place, &format!("an item has no {name}"));
        object.text(name)?.ok_or_else(missing)
    };
    let container = text("containerID")?;
    Ok(ValidAttachment {
        container: container
            .parse()
            .map_err(|error| CniError::config(place, &format!("{error}")))?,
        if_name: text("ifname")?.to_owned(),
    })
}
