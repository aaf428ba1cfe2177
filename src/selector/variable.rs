//! The variable `device`: maps that record which of their values an expression accesses.

use std::{any::Any, collections::HashMap};

use cel::{
    ExecutionError,
    common::{
        traits::{Container, Indexer, Iterable, Iterator, Sizer},
        types::{CelBool, CelInt, CelMap, CelMapKey, CelString, MAP_TYPE, Type},
        value::{CowVal, StaticVal, Val},
    },
};

use super::{
    access_log::{AccessLog, Text},
    device::{AttributeValue, CelDevice},
    version::Semver,
};
use crate::api::Attribute;

/// Keys and values of a map.
type Entries = Vec<(String, Box<dyn Val>)>;

/// The values as shown in messages.
type Texts = HashMap<String, Text>;

/// The level of a map.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Level {
    /// `device`.
    Fields,
    /// `device.attributes`: an unknown domain is an empty map.
    Domains,
    /// `device.attributes["domain"]`, with the prefix of its identifiers in messages.
    Ids(String),
}

/// A map that records which keys are accessed.
#[derive(Debug, Clone)]
struct LoggingMap {
    level: Level,
    entries: CelMap<'static>,
    texts: Texts,
    log: AccessLog,
}

impl LoggingMap {
    fn new(level: Level, entries: Entries, log: &AccessLog) -> Self {
        let entries: HashMap<CelMapKey<'static>, Box<dyn Val>> = entries
            .into_iter()
            .map(|(key, value)| (CelMapKey::from(key), value))
            .collect();
        Self {
            level,
            entries: entries.into(),
            texts: HashMap::new(),
            log: log.clone(),
        }
    }

    fn record(&self, key: &str) {
        let text = self.texts.get(key);
        match &self.level {
            Level::Fields if text.is_some() => self.log.record(&format!("device.{key}"), text),
            Level::Ids(prefix) => self.log.record(&format!("{prefix}{key}"), text),
            Level::Fields | Level::Domains => {}
        }
    }
}

impl Indexer for LoggingMap {
    fn get<'b, 'v>(&'b self, key: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let name = key.downcast_ref::<CelString<'_>>().map(CelString::inner);
        name.into_iter().for_each(|name| self.record(name));
        let found = self
            .entries
            .as_indexer()
            .expect("a map can be indexed")
            .get(key);
        match (&self.level, name, found) {
            (Level::Domains, Some(domain), Err(ExecutionError::NoSuchKey(_))) => Ok(CowVal::owned(
                Self::new(Level::Ids(format!("{domain}/")), Vec::new(), &self.log),
            )),
            (_, _, found) => Ok(CowVal::Owned(found?.into_owned())),
        }
    }

    fn steal<'v>(self: Box<Self>, key: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(key).map(CowVal::into_owned)
    }
}

impl Container for LoggingMap {
    fn contains(&self, key: &dyn Val) -> Result<bool, ExecutionError> {
        if let Some(key) = key.downcast_ref::<CelString<'_>>() {
            self.record(key.inner());
        }
        self.entries
            .as_container()
            .expect("a map has keys")
            .contains(key)
    }
}

impl Iterable for LoggingMap {
    fn iter<'b, 'v>(&'b self) -> Box<dyn Iterator<'b, 'v> + 'b>
    where
        Self: 'v,
    {
        self.entries.as_iterable().expect("a map has keys").iter()
    }
}

impl Sizer for LoggingMap {
    fn size(&self) -> CelInt {
        self.entries.as_sizer().expect("a map has a size").size()
    }
}

impl Val for LoggingMap {
    fn get_type(&self) -> &Type {
        &MAP_TYPE
    }
    fn cel_type() -> &'static Type {
        &MAP_TYPE
    }
    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }
    fn as_container(&self) -> Option<&dyn Container> {
        Some(self)
    }
    fn as_iterable<'b, 'v>(&'b self) -> Option<&'b (dyn Iterable + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }
    fn as_sizer(&self) -> Option<&dyn Sizer> {
        Some(self)
    }
    fn equals(&self, other: &dyn Val) -> bool {
        let other = other
            .downcast_ref::<Self>()
            .map_or(other, |other| &other.entries);
        self.entries.equals(other)
    }
    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        Box::new(self.clone())
    }
    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}
impl StaticVal for LoggingMap {}

/// The fields of Kubernetes' `device`.
pub(super) const FIELDS: [&str; 4] = [
    "driver",
    "attributes",
    "capacity",
    "allowMultipleAllocations",
];

/// The variable `device`.
pub(super) fn device(device: &CelDevice<'_>, log: &AccessLog) -> Box<dyn Val> {
    let attributes = device
        .attributes
        .iter()
        .map(|(name, value)| (name, value.to_string(), val(value, log)));
    let capacity = device.capacity.iter().map(|(name, capacity)| {
        let value: Box<dyn Val> = Box::new(capacity.value);
        (name, capacity.value.to_string(), Some(value))
    });
    let fields: [Box<dyn Val>; 4] = [
        Box::new(CelString::from(device.driver.to_owned())),
        Box::new(domains(device.driver, attributes, log)),
        Box::new(domains(device.driver, capacity, log)),
        Box::new(CelBool::from(device.allow_multiple_allocations)),
    ];
    let named = FIELDS.map(str::to_owned).into_iter().zip(fields).collect();
    let mut top = LoggingMap::new(Level::Fields, named, log);
    let shown = format!("{:?}", device.driver);
    top.texts = HashMap::from([(
        "driver".to_owned(),
        Text {
            shown,
            unsupported: false,
        },
    )]);
    Box::new(top)
}

/// Domain → identifier → value. A name without a domain is in the driver's domain.
fn domains<'a>(
    driver: &str,
    all: impl std::iter::Iterator<Item = (&'a String, String, Option<Box<dyn Val>>)>,
    log: &AccessLog,
) -> LoggingMap {
    let mut split: HashMap<&str, (Entries, Texts)> = HashMap::new();
    for (name, shown, value) in all {
        let (domain, id) = name.split_once('/').unwrap_or((driver, name));
        let (values, texts) = split.entry(domain).or_default();
        texts.insert(
            id.to_owned(),
            Text {
                shown,
                unsupported: value.is_none(),
            },
        );
        // An attribute of an unsupported type exists nevertheless: has() is true.
        values.push((
            id.to_owned(),
            value.unwrap_or_else(|| Box::new(CelBool::from(true))),
        ));
    }
    let entries = split.into_iter().map(|(domain, (values, texts))| {
        let prefix = if domain == driver {
            String::new()
        } else {
            format!("{domain}/")
        };
        let inner: Box<dyn Val> = Box::new(LoggingMap {
            texts,
            ..LoggingMap::new(Level::Ids(prefix), values, log)
        });
        (domain.to_owned(), inner)
    });
    LoggingMap::new(Level::Domains, entries.collect(), log)
}

/// `None`: its type is not supported.
fn val(value: &AttributeValue, log: &AccessLog) -> Option<Box<dyn Val>> {
    Some(match value {
        AttributeValue::Known(Attribute::String(text)) => Box::new(CelString::from(text.clone())),
        AttributeValue::Known(Attribute::Int(number)) => Box::new(CelInt::from(*number)),
        AttributeValue::Known(Attribute::Bool(value)) => Box::new(CelBool::from(*value)),
        AttributeValue::Known(Attribute::Version(text)) => {
            Box::new(Semver::parse(text)?.logging_to(log))
        }
        AttributeValue::Other(_) => return None,
    })
}
