//! The engine on the fake kernel. [`World`] is a node; a restart is a new engine on the same files.

mod another_node;
mod crash;
mod definition;
mod device_info;
mod driverless;
mod earlier_version;
mod elsewhere;
mod extras;
mod group_owners;
mod groups;
mod guards;
mod history;
mod identity;
mod ipam;
mod life;
mod looks;
mod network;
mod personalities;
mod refusal;
mod release;
mod values;
mod who_attaches;
mod yields;

use std::{path::Path, time::Duration};

use serde_json::{Value, json};

use super::*;
use crate::{
    api::{ConfigSource, OpaqueConfig},
    claim::{AllocatedClaim, AllocatedDevice, PoolDefaults, PreparedDevice},
    host::fake::Fake,
    ledger::{Attachment, ClaimRef, Record},
    slice::DeviceRef,
};

const DRIVER: &str = "sriov-dra.io";
const POD: &str = "/var/run/netns/pod";

struct World {
    dir: tempfile::TempDir,
    fake: Fake,
    engine: Engine,
    pools: PoolDefaults,
    /// What a call may take.
    time: Duration,
}

impl World {
    fn new() -> Self {
        Self::with(Fake::igb())
    }

    fn with(fake: Fake) -> Self {
        // As the real run directory, which is in memory.
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let dir = dir.unwrap();
        let engine = engine(&fake, dir.path());
        Self {
            dir,
            fake,
            engine,
            pools: PoolDefaults::Known(BTreeMap::new()),
            time: SOON,
        }
    }

    fn deadline(&self) -> Deadline {
        Deadline::after(self.time)
    }

    /// The process dies and another starts.
    fn restart(&mut self) -> Vec<(ClaimUid, ClaimError)> {
        self.fake.restart();
        self.engine = engine(&self.fake, self.dir.path());
        self.engine.recover(self.deadline()).unwrap()
    }

    fn prepare(&self, claim: &AllocatedClaim) -> Result<Vec<PreparedDevice>, ClaimError> {
        self.engine.prepare(claim, &self.pools, self.deadline())
    }

    fn unprepare(&self, claim: &AllocatedClaim) -> Result<(), ClaimError> {
        self.engine.unprepare(&claim.claim.uid, self.deadline())?;
        self.engine.finish(&claim.claim.uid, self.deadline())
    }

    fn record(&self, claim: &AllocatedClaim) -> Option<Record> {
        self.engine.store.load(&claim.claim.uid).unwrap()
    }

    /// Files of claims: records, CDI specs, metadata.
    fn files(&self) -> Vec<String> {
        let paths = &self.engine.paths;
        let mut files: Vec<String> = [
            paths.records(),
            paths.cdi.clone(),
            paths.attached(),
            paths.device_info(),
            paths.device_info_lists(),
            paths.leases(),
            self.dir.path().join("plugin"),
        ]
        .iter()
        .flat_map(|dir| below(dir))
        .collect();
        files.sort();
        files
    }

    fn attach(&self, claim: &AllocatedClaim, name: &str) {
        self.attach_at(claim, name, POD);
    }

    /// What NRI does: into the pod, named, written down. A second netdev is named after the first.
    fn attach_at(&self, claim: &AllocatedClaim, name: &str, netns: &str) {
        let pod = self.fake.add_netns(Path::new(netns));
        let host = crate::netdev::host_netns(&self.fake, &self.engine.paths).unwrap();
        let mut record = self.record(claim).unwrap();
        let mut name = name.to_owned();
        for device in record
            .devices
            .iter_mut()
            .filter(|device| device.netdev.is_some())
        {
            self.fake
                .move_link(&device.id, &host, &pod, &name.parse().unwrap())
                .unwrap();
            self.fake.add_residue(&device.id, "xdp").unwrap();
            device.attachment = Some(Attachment {
                sandbox: "box".into(),
                pod_uid: "pod".into(),
                pod: "web/pod".into(),
                netns_path: netns.into(),
                netns: pod.inode,
                if_name: name.parse().unwrap(),
                mac: None,
                done: true,
                unknown: Default::default(),
            });
            name += "x";
        }
        self.engine.store.save(&record).unwrap();
    }
}

fn below(dir: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return vec![];
    };
    entries
        .flat_map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() {
                below(&path)
            } else {
                vec![path.display().to_string()]
            }
        })
        .collect()
}

fn engine(fake: &Fake, dir: &Path) -> Engine {
    let identity = Identity {
        driver_name: DRIVER.into(),
        node_name: "node".into(),
        drivers: vec!["iavf".into()],
    };
    Engine::with_hook(
        Arc::new(fake.clone()),
        Paths::below(dir),
        identity,
        fake.change_hook(),
    )
    .assigning(Arc::new(ipam::FakeIpam::below(dir)))
}

const SOON: Duration = Duration::from_millis(300);

fn soon() -> Deadline {
    Deadline::after(SOON)
}

fn config(source: ConfigSource, mut fields: Value) -> OpaqueConfig {
    fields["apiVersion"] = json!("sriov-dra.io/v1alpha1");
    fields["kind"] = json!("DeviceConfig");
    OpaqueConfig {
        source,
        requests: vec![],
        parameters: fields,
    }
}

/// A claim for these devices, configured by its class.
fn claim(uid: &str, devices: &[&str], class: Value) -> AllocatedClaim {
    let device = |(number, name): (usize, &&str)| AllocatedDevice {
        request: format!("nic{number}"),
        class: Some("vf".into()),
        device: DeviceRef {
            driver: DRIVER.into(),
            slice_pool: "node".into(),
            device: (*name).to_owned(),
        },
        admin_access: false,
        share_id: None,
    };
    AllocatedClaim {
        extended: false,
        pod_name: None,
        definitions: Default::default(),
        networks: Default::default(),
        claim: ClaimRef {
            uid: uid.parse().unwrap(),
            namespace: "web".into(),
            name: format!("claim-{uid}"),
        },
        pod_claim_name: None,
        reserved_for: vec!["pod".into()],
        devices: devices.iter().enumerate().map(device).collect(),
        configs: vec![config(ConfigSource::Class, class)],
    }
}

fn vlan_and_mac() -> AllocatedClaim {
    claim(
        "c1",
        &["0000-02-10-0"],
        json!({"vlan": 100, "vlanQoS": 3, "mac": "02:00:00:00:00:99", "trust": "on"}),
    )
}

fn vfio() -> AllocatedClaim {
    claim(
        "c2",
        &["0000-02-10-1"],
        json!({"driver": "vfio-pci", "mac": "02:00:00:00:00:98", "maxTxRate": 100}),
    )
}

fn two() -> AllocatedClaim {
    claim(
        "c3",
        &["0000-02-10-2", "0000-02-10-3"],
        json!({"vlan": 7, "spoofChk": false}),
    )
}
