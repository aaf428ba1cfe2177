//! Pods as they are: whether their devices and networks work unchanged.

pub(super) mod containers;
pub(super) mod judge;
mod machine;

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    Conversion,
    annotation::{self, DEFAULT_NETWORK, MULTUS_NAMESPACE, NETWORKS, Selection},
    input::{Content, Object, namespace_of},
    network::{Network, kind},
    places::{self, Place, dotted},
    pools::Pools,
    report::Outcome,
};
use crate::pool::PoolName;
use containers::Demand;

/// The networks of the inputs, by namespace and name; or why one cannot be read.
pub(super) type Networks = std::collections::BTreeMap<(String, String), Result<Network, String>>;

/// A pod of an object, with what it requests.
#[derive(Debug, Clone)]
pub(super) struct Pod {
    pub(super) namespace: String,
    /// Where its fields are: empty, or `spec.template: `.
    pub(super) at: String,
    pub(super) place: Place,
    pub(super) demand: Vec<Demand>,
    pub(super) networks: Vec<Selected>,
    /// Annotations that are no list of networks: which, its text, why.
    pub(super) odd: Vec<(&'static str, String, String)>,
}

/// A network that a pod selects.
#[derive(Debug, Clone)]
pub(super) struct Selected {
    /// `networks[0]`, `default-network`.
    pub(super) at: String,
    pub(super) selection: Selection,
    /// Of the inputs; `None` if it is not among them.
    pub(super) network: Option<Result<Network, String>>,
}

impl Selected {
    /// `shop/blue`.
    pub(super) fn path(&self) -> String {
        let Selection {
            namespace, name, ..
        } = &self.selection;
        match namespace.is_empty() {
            true => name.clone(),
            false => format!("{namespace}/{name}"),
        }
    }

    pub(super) fn known(&self) -> Option<&Network> {
        self.network.as_ref()?.as_ref().ok()
    }
}

impl Pod {
    /// The pools whose devices it gets, by limits or, from the network resources injector, by
    /// networks.
    pub(super) fn pools(&self, pools: &Pools) -> BTreeSet<PoolName> {
        let by_limits = self.demand.iter().map(|demand| demand.pool.clone());
        let networks = self.networks.iter().filter_map(Selected::known);
        let by_networks = networks.filter_map(|network| network.pool.clone());
        by_limits
            .chain(by_networks.filter(|pool| pools.has(pool)))
            .collect()
    }

    pub(super) fn annotations(&self) -> impl Iterator<Item = (&String, &Value)> {
        let annotations = &self.place.pod["metadata"]["annotations"];
        annotations.as_object().into_iter().flatten()
    }
}

impl Conversion<'_> {
    pub(super) fn workloads(&mut self, objects: &[Object]) {
        for object in objects {
            if let Content::Workload(document) = &object.content {
                self.workload(object, document);
            }
        }
        for object in objects {
            if let Content::Other(document) = &object.content {
                self.other(object, document);
            }
        }
    }

    fn workload(&mut self, object: &Object, document: &Value) {
        let pods = self.pods(document);
        if self.rewrite(object, document, &pods) {
            return;
        }
        let mark = self.report.rows.len();
        let mut found = Vec::new();
        for pod in &pods {
            found.extend(self.judge(object, pod));
        }
        for (pointer, networks) in places::machines(document) {
            found.extend(self.machine(object, document, &pointer, &networks));
        }
        match found.is_empty() && self.report.rows.len() == mark {
            true => *self.report.unrelated.entry(kind(object)).or_default() += 1,
            false => {
                let what = found.into_iter().collect::<BTreeSet<_>>();
                let what: Vec<String> = what.into_iter().collect();
                let summary = what.join(", ");
                self.report.summary(object, Outcome::Unchanged, &summary);
            }
        }
    }

    /// The pods of an object.
    pub(super) fn pods(&self, document: &Value) -> Vec<Pod> {
        let namespace = self.namespace(namespace_of(document));
        let places = places::pods(document);
        let several = places.len() > 1;
        places
            .into_iter()
            .map(|place| self.read_pod(namespace.clone(), place, several))
            .collect()
    }

    fn read_pod(&self, namespace: String, place: Place, several: bool) -> Pod {
        let at = match several {
            true => format!("{}: ", dotted(&place.pointer)),
            false => String::new(),
        };
        let mut pod = Pod {
            at,
            demand: containers::demand(&place.pod, &self.pools),
            networks: Vec::new(),
            odd: Vec::new(),
            namespace,
            place,
        };
        for key in [DEFAULT_NETWORK, NETWORKS] {
            self.select(&mut pod, key);
        }
        pod
    }

    fn select(&self, pod: &mut Pod, key: &'static str) {
        let text = match &pod.place.pod["metadata"]["annotations"][key] {
            Value::Null => return,
            Value::String(text) => text,
            other => {
                return pod
                    .odd
                    .push((key, other.to_string(), "is not a text".to_owned()));
            }
        };
        let default = key == DEFAULT_NETWORK;
        let namespace = match default {
            true => MULTUS_NAMESPACE,
            false => &pod.namespace,
        };
        let selections = match annotation::parse(key, text, namespace) {
            Ok(selections) => selections,
            Err(why) => return pod.odd.push((key, text.to_owned(), why)),
        };
        if let Some(why) = annotation::twice(&selections).filter(|_| !default) {
            pod.odd.push((key, text.to_owned(), why));
        }
        for (index, selection) in selections.into_iter().enumerate() {
            let at = match default {
                true => "default-network".to_owned(),
                false => format!("networks[{index}]"),
            };
            let network = find(&self.networks, &selection.namespace, &selection.name).cloned();
            pod.networks.push(Selected {
                at: format!("{}{at}", pod.at),
                selection,
                network,
            });
        }
    }
}

/// A network that is given without a namespace can be in any, and so can a pod.
pub(super) fn find<'a>(
    networks: &'a Networks,
    namespace: &str,
    name: &str,
) -> Option<&'a Result<Network, String>> {
    let at = |namespace: &str| networks.get(&(namespace.to_owned(), name.to_owned()));
    let unset = namespace.is_empty();
    let anywhere = || {
        let mut all = networks.iter().filter(|((_, other), _)| other == name);
        let first = all.next().map(|(_, network)| network);
        first.filter(|_| all.next().is_none())
    };
    at(namespace)
        .or_else(|| at(""))
        .or_else(|| unset.then(|| at("default")).flatten())
        .or_else(|| unset.then(anywhere).flatten())
}
