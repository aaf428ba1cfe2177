use std::{path::Path, time::Duration};

use super::*;
use crate::{
    deadline::Deadline,
    device::DeviceId,
    host::{ErrorKind, HostError, Kernel, Netns, fake::Fake},
    ledger::Attachment,
    paths::Paths,
};

const POD: &str = "/var/run/netns/pod";

struct Node {
    fake: Fake,
    host: Netns,
    pod: Netns,
    device: DeviceId,
}

impl Node {
    /// As it was, of a netdev whose PF reports no MAC.
    fn restore(&self, netdev: &crate::device::NetdevState, deadline: Deadline) {
        let before = Before {
            netdev,
            mirrored: false,
            binding: None,
        };
        let errors = restore(&self.fake, &self.host, &self.device, &before, deadline);
        assert!(errors.is_empty());
    }

    /// A netdev in a pod, as `net1`.
    fn new() -> Self {
        let fake = Fake::igb();
        let host = host_netns(&fake, &Paths::default()).unwrap();
        let pod = fake.add_netns(Path::new(POD));
        let device = DeviceId::from_name("0000-02-10-0").unwrap();
        fake.move_link(&device, &host, &pod, &"net1".parse().unwrap())
            .unwrap();
        fake.add_residue(&device, "xdp").unwrap();
        Self {
            fake,
            host,
            pod,
            device,
        }
    }

    fn attachment(&self) -> Attachment {
        Attachment {
            sandbox: "box".into(),
            pod_uid: "pod".into(),
            pod: "web/pod".into(),
            netns_path: POD.into(),
            netns: self.pod.inode,
            if_name: "net1".parse().unwrap(),
            mac: None,
            done: true,
            unknown: Default::default(),
        }
    }

    fn bring(&self, attachment: &Attachment, name: &str) -> Arrival {
        let name = name.parse().unwrap();
        let deadline = Deadline::after(Duration::from_millis(100));
        return_to_host(
            &self.fake,
            &self.host,
            &self.device,
            attachment,
            (None, Some(&name)),
            deadline,
        )
        .unwrap()
    }

    fn name(&self) -> String {
        self.fake
            .link(&self.device, &self.host)
            .unwrap()
            .unwrap()
            .state
            .name
            .to_string()
    }
}

#[test]
fn from_a_living_pod_it_comes_under_its_own_name_or_a_spare_one_and_coming_twice_is_success() {
    for (asked, gets) in [("enp1s0f0v0", "enp1s0f0v0"), ("enp1s0f0v1", "dra000002100")] {
        let node = Node::new();
        assert!(is_attached(&node.fake, &node.device, &node.attachment()).unwrap());
        for _ in 0..2 {
            assert_eq!(node.bring(&node.attachment(), asked), Arrival::Used);
            assert_eq!(node.name(), gets);
        }
        assert!(!is_attached(&node.fake, &node.device, &node.attachment()).unwrap());
    }
}

#[test]
fn from_a_dead_namespace_the_kernel_brings_it_under_the_pods_name() {
    let node = Node::new();
    node.fake.destroy_netns(Path::new(POD));
    assert_eq!(node.bring(&node.attachment(), "enp1s0f0v0"), Arrival::Used);
    assert_eq!(node.name(), "net1");
}

#[test]
fn from_a_pinned_namespace_only_a_new_start_of_the_driver_brings_it() {
    let node = Node::new();
    node.fake.leak_netns(Path::new(POD));
    assert_eq!(node.bring(&node.attachment(), "enp1s0f0v0"), Arrival::Fresh);
    assert!(!node.fake.dump().contains("xdp"));
}

#[test]
fn another_namespace_at_the_same_path_is_not_the_pods() {
    let node = Node::new();
    let other = Attachment {
        netns: node.pod.inode + 1,
        ..node.attachment()
    };
    assert!(!is_attached(&node.fake, &node.device, &other).unwrap());
    assert_eq!(node.bring(&other, "enp1s0f0v0"), Arrival::Fresh);
}

#[test]
fn what_is_restored_is_free_of_the_tenant() {
    let (node, before) = (Node::new(), Fake::igb().dump());
    let was = Fake::igb()
        .observe(&node.device)
        .unwrap()
        .netdev
        .unwrap()
        .state;
    let deadline = Deadline::after(Duration::from_millis(100));
    node.fake.reprobe(&node.device).unwrap();
    node.restore(&was, deadline);
    assert_eq!(node.fake.dump(), before);
}

#[test]
fn udev_has_its_way_before_a_fresh_netdev_is_made_what_it_was() {
    let (node, before) = (Node::new(), Fake::igb().dump());
    node.fake.run_udev();
    let was = Fake::igb()
        .observe(&node.device)
        .unwrap()
        .netdev
        .unwrap()
        .state;
    let deadline = Deadline::after(Duration::from_secs(60));
    node.fake.reprobe(&node.device).unwrap();
    node.restore(&was, deadline);
    node.fake.settle();
    assert_eq!(node.fake.dump(), before, "nothing was left for udev to do");
}

#[test]
fn busy_is_tried_again_until_time_is_over() {
    let busy = || HostError::of_kind(ErrorKind::Busy, "vf", "bind", "busy");
    let mut times = 0;
    let done = retry(Deadline::after(Duration::from_secs(60)), || {
        times += 1;
        if times < 3 { Err(busy()) } else { Ok(times) }
    });
    assert_eq!(done.unwrap(), 3);
    let over = Deadline::after(Duration::ZERO);
    assert_eq!(
        retry(over, || Err::<(), _>(busy()))
            .unwrap_err()
            .to_string(),
        "vf: bind: busy"
    );
    let other = || HostError::of_kind(ErrorKind::Invalid, "vf", "bind", "wrong");
    assert_eq!(
        retry(Deadline::after(Duration::from_secs(60)), || Err::<(), _>(
            other()
        ))
        .unwrap_err()
        .kind(),
        ErrorKind::Invalid
    );
}
