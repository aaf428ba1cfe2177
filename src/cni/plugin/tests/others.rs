//! What earlier pods and claims have left.

use super::*;
use crate::files::Moment;

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
