//! From the SR-IOV device plugin, its CNI plugin, Multus and the Go DRA driver to this driver: what somebody has, in the new words, and a
//! report of every field.
//!
//! ```text
//!  files ─► input ─┬► config.json ─► pools ────────────────┐
//!                  ├► SriovResourcePolicy, … ─► policies ──┤
//!                  ├► NetworkAttachmentDefinition ─► network├─► DeviceClasses, ResourceClaimTemplates, edited pods
//!                  └► Pod, Deployment, … ─► workload ───────┘   report: ok, warning, unsupported
//! ```
//!
//! Knows documents, no server. Every configuration that is written was read by [`crate::api`] before. Nothing is lost in
//! silence: what nobody here knows is in the report.

mod annotation;
mod cni;
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
    /// The prefix of pools that say nothing of it.
    pub resource_prefix: String,
    /// Pods ask by claims even where they could stay as they are.
    pub claims: bool,
}

/// What became of the input.
#[derive(Debug, Clone, Default)]
pub struct Converted {
    /// DeviceClasses, then templates, then pods: to be applied in this order.
    pub documents: Vec<Value>,
    /// Field by field.
    pub report: Report,
}

/// Input that cannot be used at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct ConvertError {
    /// File, and object in it.
    pub place: String,
    /// Why.
    pub reason: String,
}

/// Converts. All inputs are looked at together: a pod's networks may be in another file.
///
/// # Errors
/// An input that is no YAML or JSON, or a `config.json` that the device plugin would not start with.
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

/// What is known so far.
struct Conversion<'a> {
    options: &'a Options,
    /// Those of every configuration.
    pools: BTreeSet<PoolName>,
    /// Those whose devices have no NUMA node.
    without_numa: BTreeSet<PoolName>,
    /// By namespace and name; none: not an SR-IOV network.
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

    /// A network that no pod uses gets a template, so that a pod can.
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
