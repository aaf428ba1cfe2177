//! Configurations of classes and claims, laid over each other for one request.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    ConfigError, ConfigSource, KIND, OpaqueConfig, Settings, VERSION, definition,
    fields::{self, Field, Who},
};

/// What the configurations of an allocation say for one request.
///
/// # Expected Flow
/// Entries that name other requests are skipped (`req` covers `req/sub`). Classes come first, and
/// later fields win. A claim's entry may set what any user may, and what the classes'
/// `allowInClaims` names.
///
/// # Errors
/// The first thing that is wrong: unknown field, wrong value, a field that the writer may not set,
/// or fields that do not fit together.
pub fn merge(
    request: &str,
    class: Option<&str>,
    configs: &[OpaqueConfig],
    driver: &str,
) -> Result<Settings, ConfigError> {
    let mut merged = Merged {
        class,
        driver,
        settings: Settings::default(),
        allowed: BTreeSet::new(),
    };
    let mine = || configs.iter().filter(|config| is_for(config, request));
    let of = |source| mine().filter(move |config| config.source == source);
    for config in of(ConfigSource::Class).chain(of(ConfigSource::Claim)) {
        merged.lay(config)?;
    }
    Ok(merged.settings)
}

fn is_for(config: &OpaqueConfig, request: &str) -> bool {
    let base = request.split('/').next().unwrap_or(request);
    config.requests.is_empty()
        || config
            .requests
            .iter()
            .any(|name| name == request || name == base)
}

struct Merged<'a> {
    class: Option<&'a str>,
    driver: &'a str,
    settings: Settings,
    allowed: BTreeSet<String>,
}

impl Merged<'_> {
    fn lay(&mut self, config: &OpaqueConfig) -> Result<(), ConfigError> {
        let error = |field: &str, reason: String| {
            ConfigError::new(config.source, self.class, field, reason)
        };
        let object = config.parameters.as_object().ok_or_else(|| {
            error(
                "parameters",
                format!("{} is wrong, must be an object", config.parameters),
            )
        })?;
        check_type(object, self.driver).map_err(|(field, reason)| error(field, reason))?;
        for (name, value) in object {
            self.set(config.source, name, value)
                .map_err(|reason| ConfigError::new(config.source, self.class, name, reason))?;
        }
        let fault = self.settings.fault();
        fault.map_or(Ok(()), |(field, reason)| {
            Err(ConfigError::new(config.source, self.class, field, reason))
        })
    }

    fn set(&mut self, source: ConfigSource, name: &str, value: &Value) -> Result<(), String> {
        match name {
            "apiVersion" | "kind" => Ok(()),
            "allowInClaims" => self.allow(source, value),
            _ => {
                let field = fields::find(name).ok_or_else(|| unknown(name))?;
                self.check_right(source, field)?;
                let read = field.read.ok_or_else(|| "not supported yet".to_owned())?;
                read(&mut self.settings, value)?;
                let definition = self.settings.definition.as_mut();
                match definition.filter(|_| name == definition::NAME) {
                    Some(definition) => definition.written_by(source),
                    None => Ok(()),
                }
            }
        }
    }

    fn allow(&mut self, source: ConfigSource, value: &Value) -> Result<(), String> {
        if source == ConfigSource::Claim {
            return Err("only a DeviceClass may set it".to_owned());
        }
        let right = || {
            format!("{value} is wrong, must be a list of field names like [\"vlan\"], or [\"*\"]")
        };
        for name in value.as_array().ok_or_else(right)? {
            let name = name.as_str().ok_or_else(right)?;
            if name != "*" && fields::find(name).is_none() {
                return Err(unknown(name));
            }
            self.allowed.insert(name.to_owned());
        }
        Ok(())
    }

    fn check_right(&self, source: ConfigSource, field: &Field) -> Result<(), String> {
        let class = self.class.map_or_else(
            || "the DeviceClass".to_owned(),
            |class| format!("DeviceClass {class}"),
        );
        let allowed = self.allowed.contains("*") || self.allowed.contains(field.name);
        match (source, field.who) {
            (ConfigSource::Class, _) | (_, Who::Anyone) => Ok(()),
            (_, Who::Permitted) if allowed => Ok(()),
            (_, Who::Permitted) => Err(format!(
                "only the administrator may set it: {class} does not list it in allowInClaims"
            )),
            (_, Who::Class) => Err("only a DeviceClass may set it, never a claim".to_owned()),
        }
    }
}

fn unknown(name: &str) -> String {
    match fields::meant(name) {
        Some(known) => format!("unknown field {name:?}, did you mean {known:?}?"),
        None => {
            let known: Vec<&str> = fields::FIELDS.iter().map(|field| field.name).collect();
            format!("unknown field {name:?}, known are {}", known.join(", "))
        }
    }
}

fn check_type(object: &Map<String, Value>, driver: &str) -> Result<(), (&'static str, String)> {
    let version = format!("{driver}/{VERSION}");
    let given = |field| object.get(field).unwrap_or(&Value::Null);
    if given("apiVersion") != &Value::String(version.clone()) {
        return Err((
            "apiVersion",
            format!("{} is wrong, must be {version:?}", given("apiVersion")),
        ));
    }
    match given("kind") {
        Value::String(kind) if kind == KIND => Ok(()),
        Value::String(kind) if kind == "VfConfig" => {
            Err(("kind", "\"VfConfig\": not supported yet".to_owned()))
        }
        kind => Err(("kind", format!("{kind} is wrong, must be {KIND:?}"))),
    }
}
