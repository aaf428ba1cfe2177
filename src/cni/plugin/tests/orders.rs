//! Who comes first: ADD, DEL, Prepare, Unprepare, and restarts between them.

use std::sync::mpsc;

use super::*;
use crate::files::Moment;

/// Stays in ADD until the test lets it go on.
#[derive(Clone)]
struct SlowIpam {
    inside: mpsc::Sender<()>,
    go: Arc<Mutex<mpsc::Receiver<()>>>,
    plain: FakeIpam,
}

impl Ipam for SlowIpam {
    fn run(
        &self,
        command: Command,
        call: &IpamCall,
        at: &IpamAt,
    ) -> Result<Option<CniResult>, CniError> {
        if command == Command::Add {
            self.inside.send(()).unwrap();
            self.go.lock().unwrap().recv().unwrap();
        }
        self.plain.run(command, call, at)
    }
}

/// Go's plugin answers at once, and the ADD that goes on leaks its attachment.
#[test]
fn a_del_waits_for_the_add_of_its_attachment() {
    let mut node = Node::new();
    let (before, pod) = (node.fake.dump(), Pod::new(&node, "a"));
    let ((inside, is_inside), (go, goes)) = (mpsc::channel(), mpsc::channel());
    let slow = SlowIpam {
        inside,
        go: Arc::new(Mutex::new(goes)),
        plain: node.ipam.clone(),
    };
    node.plugin = Plugin::new(engine(&node.fake, node.dir.path()), Box::new(slow));
    let network = own(json!({"vlan": 7, "ipam": {"type": "host-local"}}));
    std::thread::scope(|scope| {
        let added = scope.spawn(|| node.add(&pod, &network));
        is_inside.recv().unwrap();
        let deleted = scope.spawn(|| node.del(&pod, &network));
        go.send(()).unwrap();
        added.join().unwrap().unwrap();
        deleted.join().unwrap().unwrap();
    });
    assert_eq!((node.fake.dump(), node.entries()), (before, 0));
    let calls = node.ipam_calls();
    assert_eq!(
        calls,
        ["ADD host-local box-a net1", "DEL host-local box-a net1"]
    );
}

#[test]
fn a_del_during_the_release_of_its_claim_takes_nothing_twice() {
    let node = Node::new();
    let before = node.fake.dump();
    let (pod, one, network) = node.leased();
    let (begun, has_begun) = mpsc::channel();
    node.fake.on_rebind(move |_, moment| {
        if moment == Moment::Before {
            let _ = begun.send(());
        }
    });
    std::thread::scope(|scope| {
        let released = scope.spawn(|| node.unprepare(&one));
        has_begun.recv().unwrap();
        // Another process, as the binary is.
        let binary = Plugin::new(
            engine(&node.fake, node.dir.path()),
            Box::new(node.ipam.clone()),
        );
        node.call_on(&binary, "DEL", &pod, &network).unwrap();
        released.join().unwrap();
    });
    assert_eq!((node.fake.dump(), node.entries()), (before, 0));
    let dels = node.ipam_calls();
    let dels = dels.iter().filter(|call| call.starts_with("DEL")).count();
    assert_eq!(dels, 1);
}

#[test]
fn a_del_after_the_release_of_its_claim_only_calls_the_ipam_plugin() {
    let node = Node::new();
    let before = node.fake.dump();
    let (pod, one, network) = node.leased();
    node.unprepare(&one);
    node.ipam_calls();
    let _ = node.fake.take_log();
    for _ in 0..2 {
        node.del(&pod, &network).unwrap();
    }
    assert_eq!(node.ipam_calls(), ["DEL host-local box-a net1"]);
    assert_eq!(node.fake.take_log(), [] as [String; 0]);
    assert_eq!((node.fake.dump(), node.entries()), (before, 0));
}

#[test]
fn what_is_prepared_outlives_a_restart_of_the_agent() {
    let mut node = Node::new();
    let before = node.fake.dump();
    let (pod, one) = (Pod::new(&node, "a"), claim("c", &[VF], "a", json!({})));
    node.prepare(&one);
    node.restart();
    assert!(node.plugin.engine.recover(soon()).unwrap().is_empty());
    // The kubelet asks again after its own restart.
    node.prepare(&one);
    let network = conf(json!({"vlan": 7}));
    node.add(&pod, &network).unwrap();
    node.restart();
    assert!(node.plugin.engine.recover(soon()).unwrap().is_empty());
    assert!(node.link(&pod, VF).is_some(), "a living pod keeps it");
    node.del(&pod, &network).unwrap();
    node.unprepare(&one);
    assert_eq!((node.fake.dump(), node.entries()), (before, 0));
}

/// A repeated ADD of another network gets what it asks for, as the first one's DEL never came.
#[test]
fn an_add_after_one_that_was_lost_starts_from_the_host() {
    let node = Node::new();
    let (before, pod) = (node.fake.dump(), Pod::new(&node, "a"));
    node.add(&pod, &own(json!({"vlan": 7}))).unwrap();
    pod.dies(&node);
    let again = Pod::new(&node, "a");
    node.add(&again, &own(json!({"vlan": 8, "trust": "on"})))
        .unwrap();
    assert_eq!(node.fake.stored(&id(VF)).unwrap().vlan.unwrap().id, 8);
    node.del(&again, &own(json!({}))).unwrap();
    assert_eq!((node.fake.dump(), node.entries()), (before, 0));
}
