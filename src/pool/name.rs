//! Names of pools.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ConfigError, Warning, error::Place, error::quoted};
use crate::api::MAX_VALUE;

const RIGHT: &str = "1 or more of letters, digits, '_' and '-'";

/// A pool's name, which is the extended resource that pods request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PoolName {
    /// `intel.com`.
    pub prefix: String,
    /// `sriov_netdevice`.
    pub name: String,
}

impl fmt::Display for PoolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.prefix, self.name)
    }
}

impl PoolName {
    /// The device plugin's rule: it looks at the name alone.
    pub(super) fn read(
        place: &Place,
        prefix: &str,
        name: Option<&str>,
    ) -> Result<Self, ConfigError> {
        let place = place.key("resourceName");
        let name =
            name.ok_or_else(|| ConfigError::new(&place, format!("is missing, must be {RIGHT}")))?;
        if !is_name(name) {
            return Err(ConfigError::new(
                &place,
                format!("{} is wrong, must be {RIGHT}", quoted(name)),
            ));
        }
        Ok(Self {
            prefix: prefix.to_owned(),
            name: name.to_owned(),
        })
    }

    /// A resource's name, `prefix/name` or the name alone; it has to fit into an attribute.
    pub(crate) fn of_resource(text: &str, default_prefix: &str) -> Result<Self, String> {
        let (prefix, name) = text.split_once('/').unwrap_or((default_prefix, text));
        let pool = Self {
            prefix: prefix.to_owned(),
            name: name.to_owned(),
        };
        if prefix.is_empty() || !is_name(name) {
            return Err(format!(
                "{} is wrong, must be PREFIX/NAME or NAME, the name {RIGHT}",
                quoted(text)
            ));
        }
        match pool.to_string() {
            whole if whole.len() > MAX_VALUE => Err(format!(
                "{} has more than {MAX_VALUE} bytes, too many for the attribute pool",
                quoted(&whole)
            )),
            _ => Ok(pool),
        }
    }

    /// The resource that pods request in their limits; none when Kubernetes takes no such name.
    #[must_use]
    pub fn extended_resource(&self) -> Option<String> {
        // The quota `requests.NAME` has to be a name too, and must not be the resource itself.
        const QUOTA: &str = "requests.";
        let domain = self.has_domain()
            && self.prefix.len() + QUOTA.len() <= 253
            && !self.prefix.starts_with(QUOTA);
        (domain && is_qualified(&self.name)).then(|| self.to_string())
    }

    /// The container's variable that lists devices of the pool, as the device plugin names it: of
    /// prefix and name, in capitals, and only dots replaced.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("PCIDEVICE_{}_{}", self.prefix, self.name)
            .replace('.', "_")
            .to_uppercase()
    }

    /// Whether the prefix is a DNS subdomain that is not Kubernetes' own.
    pub(crate) fn has_domain(&self) -> bool {
        is_subdomain(&self.prefix)
    }

    /// What others make of a name that the device plugin accepts.
    pub(super) fn lint(&self, place: &Place) -> Vec<Warning> {
        let name = quoted(&self.name);
        let whole = self.to_string();
        let findings = [
            (!is_subdomain(&self.prefix), "resourcePrefix", {
                format!(
                    "{} is no DNS subdomain like \"intel.com\" outside kubernetes.io, so no pod can request this pool",
                    quoted(&self.prefix)
                )
            }),
            (!is_qualified(&self.name), "resourceName", {
                format!(
                    "{name} must have at most 63 characters, letters or digits first and last, or no pod can request it"
                )
            }),
            (self.name.contains('-'), "resourceName", {
                format!(
                    "{name} has a '-', which the container's variable PCIDEVICE_… has too: shells cannot read it, use '_'"
                )
            }),
            (whole.len() > MAX_VALUE, "resourceName", {
                format!(
                    "{} has more than {MAX_VALUE} bytes, too many for the attribute pool",
                    quoted(&whole)
                )
            }),
        ];
        let found = findings.into_iter().filter(|(odd, ..)| *odd);
        found
            .map(|(_, key, reason)| Warning::new(&place.key(key), reason))
            .collect()
    }
}

/// The device plugin's rule.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// Kubernetes keeps its own domain from extended resources.
fn is_subdomain(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let label = |label: &str| {
        !label.is_empty()
            && label.chars().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && !text.ends_with("kubernetes.io") && text.split('.').all(label)
}

fn is_qualified(name: &str) -> bool {
    let ends = |c: char| c.is_ascii_alphanumeric();
    name.len() <= 63 && name.starts_with(ends) && name.ends_with(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_has_no_dots_and_keeps_all_else() {
        let variable = |prefix: &str, name: &str| {
            PoolName {
                prefix: prefix.into(),
                name: name.into(),
            }
            .variable()
        };
        assert_eq!(
            variable("intel.com", "sriov_net"),
            "PCIDEVICE_INTEL_COM_SRIOV_NET"
        );
        assert_eq!(variable("a.b/c", "x-Y"), "PCIDEVICE_A_B/C_X-Y");
    }
}
