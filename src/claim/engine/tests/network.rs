//! A network attachment's layer on a claim's device, and a device of an attachment's own.

use super::*;
use crate::{
    api::Settings,
    device::LinkSetting,
    host::Netns,
    ledger::{AttachmentId, AttachmentOwner, DeviceRecord, NetworkLayer, Step},
    netdev::{Mover, host_netns},
};

/// Of the network, as it is dumped.
const TAG: &str = "VlanTag { id: 7";

fn vf0() -> DeviceId {
    DeviceId::from_name("0000-02-10-0").unwrap()
}

fn id(text: &str) -> AttachmentId {
    text.parse().unwrap()
}

fn tagged(vlan: u16) -> Settings {
    Settings {
        vlan: Some(vlan),
        ..Settings::default()
    }
}

/// A claim whose netdev a meta-plugin attaches.
fn by_cni(class: Value) -> AllocatedClaim {
    let mut class = class;
    class["attach"] = json!("cni");
    claim("n", &["0000-02-10-0"], class)
}

impl World {
    /// What the CNI binary does: the values set, the netdev in a pod.
    fn add(&self, device: &mut DeviceRecord, settings: &Settings) -> Result<(), ClaimError> {
        let steps = self.engine.plan_network(device, settings, &[])?;
        device.network = Some(NetworkLayer {
            attachment: id("box-net1"),
            if_name: "net1".parse().unwrap(),
            steps,
            addresses: vec![],
            rdma: vec![],
            unknown: Default::default(),
        });
        self.engine.set_network(device, soon())?;
        let pod = self.fake.add_netns(Path::new(POD));
        let plan = device.netdev.clone().unwrap();
        let mover = Mover {
            kernel: &self.fake,
            host: self.host(),
        };
        device.attachment = Some(Attachment {
            sandbox: "box".into(),
            pod_uid: "pod".into(),
            pod: "web/pod".into(),
            netns_path: POD.into(),
            netns: pod.inode,
            if_name: "net1".parse().unwrap(),
            mac: None,
            done: true,
            unknown: Default::default(),
        });
        device.used = Some(true);
        let name = "net1".parse().unwrap();
        mover
            .move_in::<crate::host::HostError>(device, &plan, (&self.host(), &pod), &name, &|| {
                Ok(())
            })
            .unwrap();
        self.fake.add_residue(&device.id, "xdp").unwrap();
        Ok(())
    }

    fn host(&self) -> Netns {
        host_netns(&self.fake, &self.engine.paths).unwrap()
    }

    fn add_to_claim(&self, claim: &AllocatedClaim, vlan: u16) -> Result<(), ClaimError> {
        let mut record = self.record(claim).unwrap();
        self.add(&mut record.devices[0], &tagged(vlan))?;
        Ok(self.engine.store.save(&record)?)
    }

    fn own(&self) -> Result<Record<AttachmentOwner>, ClaimError> {
        let owner = AttachmentOwner {
            attachment: id("box-net1"),
            call: None,
        };
        self.engine.take(owner, vf0(), soon())
    }

    fn log_of_vf(&self) -> Vec<String> {
        let log = self.fake.take_log();
        log.into_iter()
            .filter(|line| line.starts_with("vf "))
            .collect()
    }
}

#[test]
fn a_networks_values_go_with_its_attachment_and_the_claims_stay() {
    let world = World::new();
    let claim = by_cni(json!({"trust": "on"}));
    world.prepare(&claim).unwrap();
    let prepared = world.fake.dump();
    world.add_to_claim(&claim, 7).unwrap();
    assert!(world.fake.dump().contains(TAG), "{}", world.fake.dump());
    let mut record = world.record(&claim).unwrap();
    world
        .engine
        .pop_network(&mut record.devices[0], soon())
        .unwrap();
    assert_eq!(record.devices[0].network, None);
    assert_eq!(world.fake.dump().replace("{\"xdp\"}", "{}"), prepared);
}

#[test]
fn without_a_del_the_claims_release_takes_both_layers_off() {
    let world = World::new();
    let before = world.fake.dump();
    let claim = by_cni(json!({"trust": "on"}));
    world.prepare(&claim).unwrap();
    world.add_to_claim(&claim, 7).unwrap();
    world.unprepare(&claim).unwrap();
    assert_eq!(world.fake.dump(), before);
}

#[test]
fn the_tenant_is_cut_off_before_a_value_of_its_network_changes() {
    let world = World::new();
    let claim = by_cni(json!({}));
    world.prepare(&claim).unwrap();
    world.add_to_claim(&claim, 7).unwrap();
    let _ = world.fake.take_log();
    let mut record = world.record(&claim).unwrap();
    world
        .engine
        .pop_network(&mut record.devices[0], soon())
        .unwrap();
    let log = world.fake.take_log();
    let moved = log.iter().position(|line| line.contains("move to netns 1"));
    let untagged = log.iter().position(|line| line.contains("vlan 0"));
    assert!(moved.is_some() && moved < untagged, "{log:#?}");
}

#[test]
fn a_value_that_the_class_has_set_otherwise_is_refused_with_both() {
    let world = World::new();
    let claim = by_cni(json!({"vlan": 5}));
    world.prepare(&claim).unwrap();
    let error = world.add_to_claim(&claim, 7).unwrap_err().to_string();
    assert_eq!(
        error,
        "0000:02:10.0: the network asks for vlan 7 qos 0 proto 802.1q, and the device's class or claim \
         has set vlan 5 qos 0 proto 802.1q; leave one out"
    );
    world.add_to_claim(&claim, 5).unwrap();
    let layer = world.record(&claim).unwrap().devices.remove(0).network;
    assert_eq!(layer.unwrap().steps, [], "it is so already");
}

#[test]
fn at_start_an_attachment_whose_pod_is_no_more_is_taken_off_its_claim() {
    let mut world = World::new();
    let claim = by_cni(json!({"trust": "on"}));
    world.prepare(&claim).unwrap();
    world.add_to_claim(&claim, 7).unwrap();
    world.fake.destroy_netns(Path::new(POD));
    assert!(world.restart().is_empty());
    let device = world.record(&claim).unwrap().devices.remove(0);
    assert_eq!((device.network, device.attachment), (None, None));
    assert!(!world.fake.dump().contains(TAG), "{}", world.fake.dump());
    world.unprepare(&claim).unwrap();
    assert_eq!(world.fake.dump(), World::new().fake.dump());
}

#[test]
fn an_attachment_of_its_own_has_the_device_for_itself_and_gives_it_back() {
    let world = World::new();
    let before = world.fake.dump();
    let mut record = world.own().unwrap();
    let again = world.own().unwrap_err().to_string();
    assert_eq!(again, "0000:02:10.0: is held by attachment box-net1");
    let claimed = world.prepare(&vlan_and_mac()).unwrap_err().to_string();
    assert_eq!(claimed, "0000:02:10.0: is held by attachment box-net1");
    world.add(&mut record.devices[0], &tagged(7)).unwrap();
    world.engine.attachments.save(&record).unwrap();
    world.engine.give_back(&mut record, soon()).unwrap();
    assert_eq!(world.fake.dump(), before);
}

#[test]
fn what_a_claim_or_the_host_has_is_no_attachments() {
    let world = World::new();
    world.prepare(&vlan_and_mac()).unwrap();
    let error = world.own().unwrap_err().to_string();
    assert_eq!(
        error,
        "0000:02:10.0: 0000:02:10.0 is held by claim web/claim-c1 (c1)"
    );
    let world = World::new();
    world.fake.use_by_host(vf0().pci(), true);
    let error = world.own().unwrap_err().to_string();
    assert!(error.contains("used by the host itself"), "{error}");
    assert!(world.engine.attachments.titles().unwrap().is_empty());
}

#[test]
fn a_second_agent_finds_the_values_of_a_network_in_place() {
    let world = World::new();
    let claim = by_cni(json!({"trust": "on"}));
    world.prepare(&claim).unwrap();
    world.add_to_claim(&claim, 7).unwrap();
    let _ = world.fake.take_log();
    world.prepare(&claim).unwrap();
    assert_eq!(world.log_of_vf(), [] as [String; 0]);
    let device = world.record(&claim).unwrap().devices.remove(0);
    let layer = device.network.unwrap();
    assert!(matches!(layer.steps[..], [Step::Vf { .. }]));
    let up = LinkSetting::Up(true).to_string();
    assert!(!world.fake.take_log().contains(&up));
}
