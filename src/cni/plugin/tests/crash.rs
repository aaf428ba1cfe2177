//! Killed, or refused, at every write of ADD and of DEL, the kernel's and the files'.

use super::*;
use crate::host::fake::Fault;

const FAULTS: [fn(u32) -> Fault; 5] = [
    Fault::Before,
    Fault::During,
    Fault::After,
    Fault::Fail,
    Fault::FailFrom,
];

fn network() -> Value {
    conf(json!({"vlan": 7, "mac": "02:00:00:00:00:77", "ipam": {"type": "host-local"}}))
}

fn infiniband() -> Value {
    let mut network = conf(json!({"rdmaIsolation": true, "ipam": {"type": "host-local"}}));
    network["type"] = json!("ib-sriov");
    network["runtimeConfig"] = json!({"infinibandGUID": "02:00:00:00:00:00:00:77"});
    network
}

/// A device of the caller's, or of a claim's.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Of {
    Caller,
    Claim,
    /// The same of `ib-sriov`.
    IbCaller,
    IbClaim,
}

const ALL: [Of; 4] = [Of::Caller, Of::Claim, Of::IbCaller, Of::IbClaim];

impl Of {
    fn network(self) -> Value {
        let mut network = match self.is_infiniband() {
            true => infiniband(),
            false => network(),
        };
        if matches!(self, Self::Caller | Self::IbCaller) {
            network["deviceID"] = json!(VF);
        }
        network
    }

    fn is_infiniband(self) -> bool {
        matches!(self, Self::IbCaller | Self::IbClaim)
    }

    fn claim(self) -> Option<AllocatedClaim> {
        let class = match self {
            Self::Claim => json!({"trust": "on"}),
            Self::IbClaim => json!({}),
            Self::Caller | Self::IbCaller => return None,
        };
        Some(claim("c", &[VF], "a", class))
    }

    fn fresh(self) -> Node {
        match self.is_infiniband() {
            true => Node::on(Fake::infiniband()),
            false => Node::new(),
        }
    }

    fn node(self) -> (Node, Pod) {
        let node = self.fresh();
        let pod = Pod::new(&node, "a");
        if let Some(claim) = self.claim() {
            node.prepare(&claim);
        }
        (node, pod)
    }

    /// Who ends it: the pod's DEL, or nobody; the claim's release in any case.
    fn end(self, node: &mut Node, pod: &Pod, del: bool) {
        if del {
            node.del(pod, &self.network()).unwrap();
        }
        if let Some(claim) = self.claim() {
            node.unprepare(&claim);
        }
        pod.dies(node);
        node.plugin.sweep(soon()).unwrap();
    }
}

/// How many writes an undisturbed call has.
fn count(node: &Node, act: impl FnOnce()) -> u32 {
    node.fake.arm(Fault::Before(u32::MAX));
    act();
    let writes = node.fake.writes();
    assert!(writes > 5, "{writes} writes are too few to be all");
    node.fake.restart();
    writes
}

/// Each fault at each write of `act`, ended in each way: nothing is left.
fn everywhere(of: Of, set_up: impl Fn(&Node, &Pod), act: impl Fn(&Node, &Pod)) -> usize {
    let before = of.fresh().fake.dump();
    let (node, pod) = of.node();
    set_up(&node, &pod);
    let writes = count(&node, || act(&node, &pod));
    let mut cases = 0;
    for at in 1..=writes {
        for fault in FAULTS.map(|fault| fault(at)) {
            for del in [true, false] {
                let (mut node, pod) = of.node();
                set_up(&node, &pod);
                node.fake.arm(fault);
                act(&node, &pod);
                node.restart();
                of.end(&mut node, &pod, del);
                let case = format!("{of:?} {fault:?} del {del}");
                assert_eq!(node.fake.dump(), before, "{case}");
                assert_eq!(node.entries(), 0, "{case}");
                let calls = node.ipam_calls();
                let last = calls.last().map(|call| call.split(' ').next().unwrap());
                assert_ne!(last, Some("ADD"), "{case}: {calls:?}");
                cases += 1;
            }
        }
    }
    // Past the harness, which keeps back what tests print.
    let line = format!("CNI, device of {of:?}: {cases} cases\n");
    let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
    cases
}

#[test]
fn an_add_that_is_cut_short_leaves_nothing_once_it_is_ended() {
    for of in ALL {
        let act = |node: &Node, pod: &Pod| drop(node.add(pod, &of.network()));
        let cases = everywhere(of, |_, _| {}, act);
        assert!(cases >= 80, "{cases}");
    }
}

#[test]
fn a_del_that_is_cut_short_is_repeated() {
    for of in ALL {
        let added = |node: &Node, pod: &Pod| drop(node.add(pod, &of.network()).unwrap());
        let act = |node: &Node, pod: &Pod| drop(node.del(pod, &of.network()));
        let cases = everywhere(of, added, act);
        assert!(cases >= 80, "{cases}");
    }
}
