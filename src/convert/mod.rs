//! What users of the SR-IOV device plugin, its CNI plugin, Multus and the Go DRA driver have: what
//! works as it is, what does not, and what a cluster needs beside it.
//!
//! ```text
//!  files ─► read ─► input ─┬► config.json ─► pools ────────┐
//!                          ├► SriovResourcePolicy ─► policies┤
//!                          ├► SriovNetworkNodePolicy ─► operator ─► a report, and DeviceClasses
//!                          ├► NetworkAttachmentDefinition ─► network ┤
//!                          └► Pod, Deployment, … ─► workload ────────┘
//!                                                   native: claims in place of networks
//! ```
//!
//! Works on files only, without an API server. It fails closed: an object that is not fully
//! understood is unsupported, and a class that pods could not use is not written. Every
//! configuration that is written has been validated by [`crate::api`].

mod addons;
mod annotation;
mod any_case;
mod chain;
mod config_text;
mod input;
mod native;
mod netconf;
mod network;
mod operator;
mod places;
mod policies;
mod pools;
mod prefix;
mod read;
mod rendered;
mod report;
#[cfg(test)]
mod tests;
mod workload;
mod yaml;

pub use input::Subject;
pub use read::{Input, objects, text};
pub use report::{Outcome, Report, Row, Summary, Verdict};
pub use yaml::documents as yaml;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{classes::Class, pool::PoolName};
use pools::Pools;
use workload::Networks;

/// How to convert.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The driver's name.
    pub driver: String,
    /// The prefix of pools that do not set one; `None`: as in the inputs.
    pub resource_prefix: Option<String>,
    /// The namespace of objects that do not set one.
    pub namespace: Option<String>,
    /// Rewrite pods with SR-IOV networks to claims.
    pub native: bool,
    /// Rewrite pods with extended resources only as well.
    pub claims: bool,
    /// Write what is unsupported all the same.
    pub force: bool,
    /// Multus reads ResourceSlices.
    pub multus_dra: bool,
}

/// Result of a conversion.
#[derive(Debug, Clone, Default)]
pub struct Converted {
    /// DeviceClasses, then ResourceClaimTemplates, then pods, to be applied in this order.
    pub documents: Vec<Value>,
    /// Object by object.
    pub report: Report,
}

/// Converts all inputs together: the networks of a pod can be in another file. An input that
/// cannot be read is in the report.
#[must_use]
pub fn convert(inputs: &[Input], options: &Options) -> Converted {
    let (objects, prefixes) = input::objects(inputs, options.resource_prefix.as_deref());
    let mut conversion = Conversion::new(options, prefixes.plugin.clone());
    conversion.pools(&objects);
    conversion.policies(&objects);
    conversion.pools_of_networks(&objects);
    conversion.operator(&objects, &prefixes);
    conversion.networks(&objects);
    if options.native {
        conversion.native_names(&objects);
    }
    conversion.workloads(&objects);
    conversion.classes_of_pools();
    conversion.finish()
}

/// State of the conversion.
struct Conversion<'a> {
    options: &'a Options,
    prefix: String,
    /// The pools of all inputs.
    pools: Pools,
    /// Pools that some pods cannot use with this driver, and those pods' objects.
    blocked: BTreeMap<PoolName, Vec<String>>,
    networks: Networks,
    /// The same as classes and templates, if pods are rewritten.
    natives: BTreeMap<(String, String), native::Network>,
    classes: BTreeMap<String, Class>,
    templates: Vec<Value>,
    workloads: Vec<Value>,
    report: Report,
}

impl<'a> Conversion<'a> {
    fn new(options: &'a Options, prefix: String) -> Self {
        Self {
            options,
            prefix,
            pools: Pools::default(),
            blocked: BTreeMap::new(),
            networks: BTreeMap::new(),
            natives: BTreeMap::new(),
            classes: BTreeMap::new(),
            templates: Vec::new(),
            workloads: Vec::new(),
            report: Report::default(),
        }
    }

    /// The prefix of pools that do not set one.
    fn prefix(&self) -> &str {
        &self.prefix
    }

    /// `--namespace`, for objects without one.
    fn namespace(&self, of_object: String) -> String {
        match (&self.options.namespace, of_object.is_empty()) {
            (Some(namespace), true) => namespace.clone(),
            _ => of_object,
        }
    }

    fn add_class(&mut self, class: Class) {
        self.classes.entry(class.name.clone()).or_insert(class);
    }

    fn finish(mut self) -> Converted {
        self.unused_networks();
        self.report.finish();
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
