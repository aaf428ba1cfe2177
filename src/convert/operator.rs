//! Objects of the SR-IOV operator: it goes on making VFs and networks, without its device plugin.

use serde_json::Value;

use super::{
    Conversion,
    addons::Addon,
    input::{Content, Object},
    pools::Netdevs,
    prefix::Prefixes,
    report::Outcome,
};
use crate::pool::PoolName;

const GIVE: &str = "add the ConfigMap that the operator renders from it: kubectl -n sriov-network-operator get configmap device-plugin-config -o yaml";

impl Conversion<'_> {
    /// What policies say of pools, and what to do with the operator's objects.
    pub(super) fn operator(&mut self, objects: &[Object], prefixes: &Prefixes) {
        for object in objects {
            match &object.content {
                Content::Operator(document) => self.operator_object(object, document, prefixes),
                Content::Addon(addon) => self.addon(object, *addon),
                Content::Broken(why, remedy) => {
                    self.report.section(object).unsupported("", "", why, remedy);
                    self.report.summary(object, Outcome::Unchanged, "");
                }
                _ => {}
            }
        }
    }

    fn operator_object(&mut self, object: &Object, document: &Value, prefixes: &Prefixes) {
        let what = match document["kind"].as_str().unwrap_or_default() {
            "SriovNetworkNodePolicy" => {
                self.node_policy(object, document, &prefixes.operator);
                "the operator goes on making its VFs"
            }
            "SriovOperatorConfig" => {
                let (what, remedy) = Addon::Operator.advice();
                self.report.section(object).warning("", "", what, remedy);
                ""
            }
            "SpiderMultusConfig" => {
                let what = "Spiderpool renders a NetworkAttachmentDefinition from it";
                let remedy =
                    "add that to the input: kubectl get network-attachment-definitions -A -o yaml";
                self.report
                    .section(object)
                    .unsupported("", "", what, remedy);
                ""
            }
            _ => "the operator's own",
        };
        self.report.summary(object, Outcome::Unchanged, what);
    }

    fn node_policy(&mut self, object: &Object, document: &Value, prefix: &str) {
        let spec = &document["spec"];
        let name = spec["resourceName"].as_str().unwrap_or_default();
        let pool = PoolName {
            prefix: prefix.to_owned(),
            name: name.to_owned(),
        };
        let mut section = self.report.section(object);
        if !self.pools.is_defined(&pool) {
            let what = format!("no config.json in the input defines pool {pool}");
            section.unsupported("spec.resourceName", name, &what, GIVE);
            self.pools.named(pool.clone()).fault = Some(what);
        }
        let facts = self.pools.named(pool);
        facts.add_policy(match spec["deviceType"].as_str() {
            Some("vfio-pci") => Netdevs::None,
            _ => Netdevs::All,
        });
    }

    fn addon(&mut self, object: &Object, addon: Addon) {
        let (what, remedy) = addon.advice();
        if remedy.is_empty() {
            return self.report.summary(object, Outcome::Unchanged, what);
        }
        self.report.section(object).warning("", "", what, remedy);
        self.report.summary(object, Outcome::Unchanged, "");
    }
}
