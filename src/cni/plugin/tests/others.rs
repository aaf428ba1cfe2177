//! What earlier pods and claims have left.

use super::*;
use crate::{
    cni::networks::{PodFiles, PodNetworks, VERSION},
    files::{Disk, Moment},
};

/// The pod's file, as the agent writes it.
fn write_pod(node: &Node, uid: &str, claims: &[&str]) {
    let pod = PodNetworks {
        version: VERSION,
        uid: uid.parse().unwrap(),
        namespace: "web".into(),
        name: uid.into(),
        claims: claims.iter().map(|name| (*name).to_owned()).collect(),
        networks: vec![],
        error: None,
    };
    PodFiles::new(node.plugin.engine.paths(), Disk::default())
        .write(&pod)
        .unwrap();
}

/// The unprepare of an earlier claim of the same name was missed.
#[test]
fn a_device_of_an_earlier_claim_of_the_same_name_is_not_the_pods() {
    for by_first in [false, true] {
        let node = Node::new();
        let mut earlier = claim("b", &[OTHER_VF], "gone", json!({}));
        earlier.claim.name = "claim-c".into();
        node.prepare(&earlier);
        node.prepare(&claim("c", &[VF], "a", json!({})));
        let pod = match by_first {
            true => Pod::new(&node, "a"),
            // A claim that pods share is prepared for the first of them only.
            false => Pod::new(&node, "second"),
        };
        write_pod(&node, &pod.uid, &["claim-c"]);
        let added = node.add(&pod, &conf(json!({"vlan": 7})));
        assert_eq!(added.is_ok(), by_first, "{added:?}");
        assert!(node.link(&pod, OTHER_VF).is_none());
        assert_eq!(node.link(&pod, VF).is_some(), by_first);
    }
}

#[test]
fn a_gate_that_cannot_be_closed_keeps_no_netdev_in_the_pod() {
    let mut node = Node::new();
    let (pod, _, network) = node.leased();
    let read_only = |moment, what: &str| match moment {
        Moment::Before if what == "remove metadata" => Err(std::io::Error::from_raw_os_error(30)),
        _ => Ok(()),
    };
    let engine = Engine::with_hook(
        Arc::new(node.fake.clone()),
        node.plugin.engine.paths().clone(),
        node.plugin.engine.identity().clone(),
        Arc::new(read_only),
    );
    node.plugin = Plugin::new(Arc::new(engine), Box::new(node.ipam.clone()));
    node.del(&pod, &network).unwrap_err();
    assert!(node.link(&pod, VF).is_none(), "it has left the pod");
}
