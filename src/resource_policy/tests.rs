//! Policies of made-up objects.

mod giving;
mod nodes;
mod selecting;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::{
    api::Attribute,
    device::{Bdf, LinkType, PciIds},
    pool::{Assignment, Candidate, CandidateKind, Config as PoolConfig},
};

const DRIVER: &str = "sriov-dra.io";

fn object(kind: Kind, name: &str, labels: &[(&str, &str)], spec: Value) -> Object {
    let labels = labels
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    let (namespace, uid) = ("sriov".to_owned(), format!("uid of {name}"));
    Object {
        kind,
        namespace,
        name: name.to_owned(),
        uid,
        generation: 1,
        labels,
        spec,
        status: Value::Null,
    }
}

fn policy(name: &str, spec: Value) -> Object {
    object(Kind::Policy, name, &[], spec)
}

/// A policy with one filter, whose devices get what is labelled `pool: NAME`.
fn simple(name: &str, filter: Value) -> Object {
    let selector = json!({"matchLabels": {"pool": name}});
    policy(
        name,
        json!({"configs": [{"deviceAttributesSelector": selector, "resourceFilters": [filter]}]}),
    )
}

/// Attributes labelled `pool: LABEL`.
fn set(name: &str, label: &str, attributes: Value) -> Object {
    object(
        Kind::Attributes,
        name,
        &[("pool", label)],
        json!({"attributes": attributes}),
    )
}

fn library(policies: Vec<Object>, attributes: Vec<Object>) -> Library {
    let mut library = Library::new(DRIVER, "intel.com");
    library.read(&Objects {
        policies,
        attributes,
    });
    library
}

fn problems(library: &Library) -> Vec<String> {
    library.problems().iter().map(ToString::to_string).collect()
}

/// VF `index` of ens1f0, on igbvf.
fn vf(index: u32) -> Candidate {
    let id: Bdf = format!("0000:3b:02.{index}").parse().unwrap();
    Candidate {
        id: id.into(),
        kind: CandidateKind::Vf,
        ids: PciIds {
            vendor: 0x8086,
            device: 0x154c,
        },
        driver: Some("igbvf".into()),
        acpi_index: None,
        pf_name: Some("ens1f0".into()),
        more_pf_names: vec![],
        pf_address: Some("0000:3b:00.0".parse().unwrap()),
        index: Some(index),
        link_type: Some(LinkType::Ethernet),
        ddp_profile: None,
        p_key: None,
        rdma: false,
        vdpa_type: None,
        aux_type: None,
    }
}

fn pf() -> Candidate {
    let id: Bdf = "0000:3b:00.0".parse().unwrap();
    let kind = CandidateKind::Pf { num_vfs: 8 };
    Candidate {
        id: id.into(),
        kind,
        index: None,
        driver: Some("igb".into()),
        ..vf(0)
    }
}

fn decide(library: &Library, devices: &[Candidate]) -> Decision {
    library.assign(&Node::default(), devices, &Assignment::default())
}

fn texts(given: &PolicyAssignment) -> BTreeMap<&str, String> {
    given
        .attributes
        .iter()
        .map(|(name, value)| (&**name, value.to_string()))
        .collect()
}
