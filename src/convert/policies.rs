//! Policies of the Go DRA driver are left unchanged, since the agents read them. Each pool that
//! they define gets a DeviceClass.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Conversion,
    input::{Content, Object, namespace_of},
    report::Outcome,
};
use crate::resource_policy::{self, Kind, Library, Objects};

const READ: &str = "read by the agents";

impl Conversion<'_> {
    /// Reads policies and DeviceAttributes by namespace: they only apply within one.
    pub(super) fn policies(&mut self, objects: &[Object]) {
        let mut all: BTreeMap<String, Vec<(&Object, resource_policy::Object)>> = BTreeMap::new();
        for object in objects {
            let Content::Policy(document, kind) = &object.content else {
                continue;
            };
            let read = read(document, *kind);
            all.entry(read.namespace.clone())
                .or_default()
                .push((object, read));
        }
        let several = all.len() > 1;
        for objects in all.values() {
            let library = self.library(objects);
            for (object, read) in objects {
                self.policy(object, read, &library, several);
            }
        }
    }

    fn library(&self, objects: &[(&Object, resource_policy::Object)]) -> Library {
        let mut library = Library::new(&self.options.driver, self.prefix());
        let of = |kind| {
            objects
                .iter()
                .filter(move |(_, object)| object.kind == kind)
                .map(|(_, object)| object.clone())
        };
        library.read(&Objects {
            policies: of(Kind::Policy).collect(),
            attributes: of(Kind::Attributes).collect(),
        });
        library
    }

    fn policy(
        &mut self,
        object: &Object,
        read: &resource_policy::Object,
        library: &Library,
        several: bool,
    ) {
        self.report.summary(object, Outcome::Unchanged, READ);
        let mut section = self.report.section(object);
        if several {
            let remedy = "set policies.namespace of the chart to this namespace, or move all policies to one";
            section.warning(
                "metadata.namespace",
                read.namespace.as_str(),
                "only policies of one namespace are read",
                remedy,
            );
        }
        let own = library
            .problems()
            .iter()
            .filter(|problem| problem.kind == read.kind && problem.name == read.name);
        for problem in own {
            match problem.bad {
                true => section.unsupported("spec", "", &problem.text, "fix it in the object"),
                false => section.warning("spec", "", &problem.text, "fix it in the object"),
            }
        }
        if read.kind == Kind::Attributes {
            return;
        }
        let what = "devices that match no policy are published as well";
        section.warning(
            "",
            "",
            what,
            "select devices in classes by pool or attribute",
        );
        let field = "spec.configs.deviceAttributesSelector";
        for pool in library.pools_of(&read.name) {
            self.pools.named(pool).defined_at(object, field);
        }
    }
}

fn read(document: &Value, kind: Kind) -> resource_policy::Object {
    let metadata = &document["metadata"];
    let text = |name: &str| metadata[name].as_str().unwrap_or_default().to_owned();
    let labels = metadata["labels"].as_object().into_iter().flatten();
    resource_policy::Object {
        kind,
        namespace: namespace_of(document),
        name: text("name"),
        uid: text("uid"),
        generation: metadata["generation"].as_i64().unwrap_or_default(),
        labels: labels
            .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
            .collect(),
        spec: document["spec"].clone(),
        status: Value::Null,
    }
}
