//! IPAM plugins of claims: when they are called, and what stays.

use std::{fs, path::PathBuf};

use super::*;
use crate::{
    claim::{ClaimNetworks, Ipam},
    ledger::{Assigned, Lease},
};

/// A plugin as host-local is: one file per address, which says whose it is.
pub(super) struct FakeIpam(PathBuf);

impl FakeIpam {
    pub(super) fn below(dir: &Path) -> Self {
        Self(dir.join("plugin"))
    }

    /// The calls so far, and whose leases there are.
    fn calls(&self) -> String {
        fs::read_to_string(self.0.with_extension("log")).unwrap_or_default()
    }

    fn log(&self, what: &str, lease: &Lease) {
        // Devices are released at the same time.
        static LOG: Mutex<()> = Mutex::new(());
        let _log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
        let (uid, name, args) = (&lease.claim.uid, &lease.if_name, &lease.call.args);
        let line = format!("{}{what} {uid} {name} {args}\n", self.calls());
        crate::files::write_atomic(&self.0.with_extension("log"), line.as_bytes(), 0o600).unwrap();
    }

    /// DEL does not work from now on, or does again.
    fn refuse(&self, refuse: bool) {
        let path = self.0.with_extension("refuses");
        match refuse {
            true => crate::files::write_atomic(&path, b"", 0o600).unwrap(),
            false => crate::files::remove(&path).unwrap(),
        }
    }

    fn owner(lease: &Lease) -> String {
        format!("{} {}", lease.claim.uid, lease.if_name)
    }

    fn of(&self, lease: &Lease) -> Option<PathBuf> {
        let mut files = below(&self.0).into_iter();
        let is_its = |path: &String| fs::read_to_string(path).unwrap() == Self::owner(lease);
        files.find(is_its).map(PathBuf::from)
    }
}

impl Ipam for FakeIpam {
    fn path(&self) -> String {
        "/opt/cni/bin".into()
    }

    fn find(&self, lease: &Lease) -> Result<(), String> {
        match &*lease.call.plugin {
            "absent" => Err("ipam absent: not in CNI_PATH /opt/cni/bin".into()),
            _ => Ok(()),
        }
    }

    fn add(&self, lease: &Lease, _: Deadline) -> Result<Assigned, String> {
        self.log("ADD", lease);
        if lease.call.plugin == "full" {
            return Err("ipam full: no IP addresses available".into());
        }
        if self.of(lease).is_some() {
            return Err("ipam host-local: duplicate allocation is not allowed".into());
        }
        let is_free = |last: &u32| !self.0.join(format!("10.7.0.{last}")).exists();
        let last = (2..).find(is_free).unwrap();
        let path = self.0.join(format!("10.7.0.{last}"));
        crate::files::write_atomic(&path, Self::owner(lease).as_bytes(), 0o600).unwrap();
        let dst = match lease.call.stdin.contains("default") {
            true => "0.0.0.0/0",
            false => "10.8.0.0/16",
        };
        Ok(Assigned {
            addresses: vec![format!("10.7.0.{last}/24").parse().unwrap()],
            routes: vec![serde_json::from_value(json!({"dst": dst, "gw": "10.7.0.1"})).unwrap()],
            unknown: Default::default(),
        })
    }

    fn del(&self, lease: &Lease, _: Deadline) -> Result<(), String> {
        self.log("DEL", lease);
        if self.0.with_extension("refuses").exists() {
            return Err("ipam host-local: open /var/lib/cni/networks: no space left".into());
        }
        self.of(lease).map_or(Ok(()), |path| {
            fs::remove_file(path).map_err(|error| error.to_string())
        })
    }
}

/// A claim of one device, whose class has an IPAM plugin.
pub(super) fn addressed() -> AllocatedClaim {
    with(json!({"type": "host-local", "subnet": "10.7.0.0/24"}))
}

fn with(ipam: Value) -> AllocatedClaim {
    AllocatedClaim {
        pod_name: Some("upf-0".into()),
        ..claim("c6", &["0000-02-10-0"], json!({"ipam": ipam}))
    }
}

fn plugin(world: &World) -> FakeIpam {
    FakeIpam::below(world.dir.path())
}

fn lease(world: &World, claim: &AllocatedClaim) -> Option<Lease> {
    let record = world.record(claim).unwrap();
    record.devices[0].ipam.as_deref().cloned()
}

const ADD: &str = "ADD c6 0000-02-10-0 IgnoreUnknown=1;K8S_POD_NAMESPACE=web;K8S_POD_NAME=upf-0;K8S_POD_UID=pod\n";

fn del() -> String {
    ADD.replace("ADD", "DEL")
}

#[test]
fn addresses_are_assigned_in_prepare_and_released_after_the_tenant() {
    let (world, claim) = (World::new(), addressed());
    let answer = world.prepare(&claim).unwrap();
    let lease = lease(&world, &claim).unwrap();
    let stdin: Value = serde_json::from_str(&lease.call.stdin).unwrap();
    assert_eq!(
        stdin,
        json!({"cniVersion": "1.0.0", "name": "vf", "type": "sriov", "deviceID": "0000:02:10.0",
            "ipam": {"type": "host-local", "subnet": "10.7.0.0/24"}})
    );
    assert!(!Path::new(&lease.netns_path).exists());
    let device = world.record(&claim).unwrap().devices[0].clone();
    let plan = device.plan_in_pod().unwrap();
    assert_eq!(plan.addresses, ["10.7.0.2/24".parse().unwrap()]);
    assert_eq!(plan.routes[0].to_string(), "10.8.0.0/16 via 10.7.0.1");
    // Asked again, it is the same address.
    assert_eq!(world.prepare(&claim).unwrap(), answer);
    assert_eq!(plugin(&world).calls(), ADD);

    world.attach(&claim, "net1");
    let uid = &claim.claim.uid;
    world.engine.unprepare(uid, soon()).unwrap();
    assert_eq!(plugin(&world).calls(), ADD, "the kubelet does not wait");
    world.engine.finish(uid, soon()).unwrap();
    assert_eq!(plugin(&world).calls(), ADD.to_owned() + &del());
    assert_eq!(world.files(), [""; 0]);
}

#[test]
fn a_refusal_has_the_plugins_words_and_leaves_nothing() {
    let world = World::new();
    let before = world.fake.dump();
    let refused = |claim: &AllocatedClaim| {
        let text = world.prepare(claim).unwrap_err().to_string();
        assert_eq!((world.files(), world.fake.dump()), (vec![], before.clone()));
        text
    };
    let by_cni = AllocatedClaim {
        networks: ClaimNetworks {
            resources: [("claim-c6".to_owned(), ["sriov".to_owned()].into())].into(),
            nodes_only: false,
        },
        ..addressed()
    };
    let vfio = claim(
        "c7",
        &["0000-02-10-0"],
        json!({"driver": "vfio-pci", "ipam": {"type": "host-local"}}),
    );
    let texts = [
        refused(&with(json!({"type": "full"}))),
        refused(&with(json!({"type": "absent"}))),
        refused(&by_cni),
        refused(&vfio),
    ];
    insta::assert_snapshot!(texts.join("\n"), @r"
    0000:02:10.0 of claim web/claim-c6: ipam full: no IP addresses available
    0000:02:10.0 of claim web/claim-c6: ipam absent: not in CNI_PATH /opt/cni/bin
    0000:02:10.0: ipam: a network of the pod takes the device (attach: cni), and has an IPAM plugin of its own; leave ipam out of the class, or set attach: pod
    0000:02:10.0: ipam: there is no network interface with vfio-pci; leave ipam out, or set driver: default
    ");
    // What has failed may have assigned something all the same; what is not there, not.
    let full = ADD.to_owned() + &del();
    assert_eq!(plugin(&world).calls(), full);
}

#[test]
fn without_plugins_a_class_with_ipam_is_refused() {
    let mut world = World::new();
    world.engine.ipam = None;
    let text = world.prepare(&addressed()).unwrap_err().to_string();
    assert_eq!(
        text,
        "ipam: this node's agent runs no IPAM plugins: set cni.ipam in the chart's values (--cni-path)"
    );
    assert_eq!(world.files(), [""; 0]);
}

#[test]
fn a_release_that_a_plugin_refuses_is_tried_again() {
    let (mut world, claim) = (World::new(), addressed());
    world.prepare(&claim).unwrap();
    plugin(&world).refuse(true);
    let said = "0000:02:10.0 of claim web/claim-c6: ipam host-local: open /var/lib/cni/networks: no space left";
    let text = world.unprepare(&claim).unwrap_err().to_string();
    assert_eq!(text, format!("release claim web/claim-c6: {said}"));
    assert_eq!(world.engine.releasing().unwrap().len(), 1);
    // Neither does the next process forget it.
    assert_eq!(world.restart().len(), 1);
    plugin(&world).refuse(false);
    world.unprepare(&claim).unwrap();
    assert_eq!(world.files(), [""; 0]);
}

#[test]
fn a_lease_of_before_a_reboot_is_released_before_the_next_add() {
    let (mut world, claim) = (World::new(), addressed());
    world.prepare(&claim).unwrap();
    fs::remove_dir_all(&world.engine.paths.run).unwrap();
    assert!(world.restart().is_empty());
    world.prepare(&claim).unwrap();
    let calls = ADD.to_owned() + &del() + ADD;
    assert_eq!(plugin(&world).calls(), calls);
    world.unprepare(&claim).unwrap();
    assert_eq!(world.files(), [""; 0]);
}

#[test]
fn leases_of_claims_without_a_record_are_swept_and_others_are_not() {
    let world = World::new();
    let (gone, stays) = (
        addressed(),
        claim(
            "c8",
            &["0000-02-10-2"],
            json!({"ipam": {"type": "host-local"}}),
        ),
    );
    world.prepare(&gone).unwrap();
    world.prepare(&stays).unwrap();
    world.engine.store.remove(&gone.claim.uid).unwrap();
    world.engine.sweep_leases(soon()).unwrap();
    let left = world.engine.leases.all().unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].claim, stays.claim);
    assert_eq!(below(&plugin(&world).0).len(), 1);
}

#[test]
fn another_plugin_in_the_class_is_another_allocation() {
    let (world, mut claim) = (World::new(), addressed());
    world.prepare(&claim).unwrap();
    claim.configs = with(json!({"type": "host-local", "subnet": "10.9.0.0/24"})).configs;
    world.prepare(&claim).unwrap();
    let calls = ADD.to_owned() + &del() + ADD;
    assert_eq!(plugin(&world).calls(), calls);
}

#[test]
fn a_device_that_stays_on_the_host_gets_no_address() {
    let (world, mut claim) = (World::new(), addressed());
    claim.networks.nodes_only = true;
    world.prepare(&claim).unwrap();
    assert_eq!(lease(&world, &claim), None);
    world.prepare(&claim).unwrap();
    world.unprepare(&claim).unwrap();
    assert_eq!(plugin(&world).calls(), "");
}

/// A plugin that also assigns a default route.
fn two_defaults(routes: Value) -> AllocatedClaim {
    let mut fields = json!({"ipam": {"type": "host-local", "default": true}});
    if !routes.is_null() {
        fields = json!({"routes": routes});
    }
    claim("c9", &["0000-02-10-0", "0000-02-10-2"], fields)
}

#[test]
fn two_default_routes_of_a_claim_are_refused_and_its_addresses_released() {
    let world = World::new();
    let before = world.fake.dump();
    for (claim, gateway) in [
        (
            two_defaults(json!([{"dst": "0.0.0.0/0", "gw": "10.0.0.1"}])),
            "10.0.0.1",
        ),
        (two_defaults(Value::Null), "10.7.0.1"),
    ] {
        let text = world.prepare(&claim).unwrap_err().to_string();
        assert_eq!(
            text,
            format!(
                "0000:02:10.2: routes: 0.0.0.0/0 via {gateway}: device 0000:02:10.0 has a default route too, and only \
                 one of them would be in effect; leave one out"
            )
        );
        assert_eq!((world.files(), world.fake.dump()), (vec![], before.clone()));
    }
    assert_eq!(plugin(&world).calls().matches("ADD").count(), 2);
    assert_eq!(plugin(&world).calls().matches("DEL").count(), 2);
}
