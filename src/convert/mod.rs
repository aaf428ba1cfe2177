//! Converts objects of the SR-IOV device plugin, its CNI plugin, Multus and the Go DRA driver to
//! objects for this driver, with a report on every field.
//!
//! ```text
//!  files ─► input ─┬► config.json ─► pools ──────────────────┐
//!                  ├► SriovResourcePolicy, … ─► policies ────┤
//!                  ├► NetworkAttachmentDefinition ─► network ┼─► DeviceClasses,
//!                  └► Pod, Deployment, … ─► workload ────────┘   ResourceClaimTemplates, pods
//!                                                                and a report
//! ```
//!
//! Works on files only, without an API server. Every configuration that is written has been
//! validated by [`crate::api`]. Nothing is dropped silently: unknown fields and objects are in the
//! report.

mod annotation;
mod cni;
mod config_text;
mod fields;
mod input;
mod ipam;
mod network;
mod objects;
mod policies;
mod pools;
mod report;
#[cfg(test)]
mod tests;
mod workload;
mod yaml;

pub use input::Input;
pub use report::{Report, Row, Verdict};
pub use yaml::documents as yaml;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{classes::Class, pool::PoolName};
use input::{Content, Object};
use network::Network;

/// How to convert.
#[derive(Debug, Clone)]
pub struct Options {
    /// The driver's name.
    pub driver: String,
    /// The prefix of pools that do not set one.
    pub resource_prefix: String,
    /// Convert pods to claims even if their extended resources could be left unchanged.
    pub claims: bool,
}

/// Result of a conversion.
#[derive(Debug, Clone, Default)]
pub struct Converted {
    /// DeviceClasses, then ResourceClaimTemplates, then pods, to be applied in this order.
    pub documents: Vec<Value>,
    /// Field by field.
    pub report: Report,
}

/// An input that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct ConvertError {
    /// The file and the object in it.
    pub place: String,
    /// The error.
    pub reason: String,
}

/// Converts all inputs together: the networks of a pod can be in another file.
///
/// # Errors
/// An input is neither YAML nor JSON, or a `config.json` that is not JSON or with which the device
/// plugin would not start.
pub fn convert(inputs: &[Input], options: &Options) -> Result<Converted, ConvertError> {
    let mut objects = Vec::new();
    for input in inputs {
        objects.extend(input::objects(input)?);
    }
    let mut conversion = Conversion::new(options);
    conversion.pools(&objects)?;
    conversion.policies(&objects);
    conversion.networks(&objects);
    conversion.workloads(&objects);
    conversion.report_others(&objects);
    Ok(conversion.finish())
}

/// State of the conversion.
struct Conversion<'a> {
    options: &'a Options,
    /// The pools of all inputs.
    pools: BTreeSet<PoolName>,
    /// Pools with `excludeTopology`: their devices have no attribute numaNode.
    without_numa: BTreeSet<PoolName>,
    /// By namespace and name; `None`: not an SR-IOV network.
    networks: BTreeMap<(String, String), Option<Network>>,
    classes: BTreeMap<String, Class>,
    templates: Vec<Value>,
    workloads: Vec<Value>,
    report: Report,
}

impl<'a> Conversion<'a> {
    fn new(options: &'a Options) -> Self {
        Self {
            options,
            pools: BTreeSet::new(),
            without_numa: BTreeSet::new(),
            networks: BTreeMap::new(),
            classes: BTreeMap::new(),
            templates: Vec::new(),
            workloads: Vec::new(),
            report: Report::default(),
        }
    }

    fn add_class(&mut self, class: Class) {
        self.classes.entry(class.name.clone()).or_insert(class);
    }

    fn report_others(&mut self, objects: &[Object]) {
        for object in objects {
            if let Content::Other(why) = &object.content {
                self.report.section(object).unsupported("", "", why, "");
            }
        }
    }

    /// Networks that no pod in the input uses get a template as well.
    fn finish(mut self) -> Converted {
        let unused: Vec<Network> = self
            .networks
            .values()
            .flatten()
            .filter(|network| !network.used)
            .cloned()
            .collect();
        for network in unused {
            self.templates.push(network.template(&self.options.driver));
            self.add_class(network.class(&self.options.driver));
        }
        let classes = self.classes.values().map(Class::manifest);
        let documents = classes
            .chain(self.templates)
            .chain(self.workloads)
            .collect();
        Converted {
            documents,
            report: self.report,
        }
    }
}
