//! The plugin on the fake kernel. [`Node`] is a node whose pods call it.

mod claims;
mod crash;
mod defects;
mod ib;
mod orders;
mod others;
mod own;
mod take_over;
mod whole;

use std::{
    collections::VecDeque,
    ffi::OsString,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};

use super::*;
use crate::{
    claim::{AllocatedClaim, AllocatedDevice, Identity, PoolDefaults},
    cni::protocol::Command,
    deadline::Deadline,
    device::DeviceId,
    host::{Kernel, fake::Fake},
    ledger::{ClaimRef, IpamCall},
    paths::Paths,
    slice::DeviceRef,
};

const VF: &str = "0000:02:10.0";
const OTHER_VF: &str = "0000:02:10.2";

/// Records its calls; fails as it is set to, else answers with one address.
#[derive(Debug, Clone, Default)]
struct FakeIpam {
    calls: Arc<Mutex<Vec<String>>>,
    errors: Arc<Mutex<VecDeque<CniError>>>,
}

impl Ipam for FakeIpam {
    fn run(
        &self,
        command: Command,
        call: &IpamCall,
        at: &IpamAt,
    ) -> Result<Option<CniResult>, CniError> {
        let line = format!("{command} {} {} {}", call.plugin, at.container, at.if_name);
        self.calls.lock().unwrap().push(line);
        if let Some(error) = self.errors.lock().unwrap().pop_front() {
            return Err(error);
        }
        let assigned = json!({"cniVersion": "1.0.0", "ips": [{"address": "10.1.0.7/24", "gateway": "10.1.0.1"}],
            "routes": [{"dst": "0.0.0.0/0"}], "dns": {}});
        Ok(Some(CniResult::read("ipam", assigned).unwrap()).filter(|_| command == Command::Add))
    }
}

struct Node {
    dir: tempfile::TempDir,
    fake: Fake,
    ipam: FakeIpam,
    plugin: Plugin,
}

fn engine(fake: &Fake, dir: &Path) -> Arc<Engine> {
    let identity = Identity {
        driver_name: "sriov-dra.io".into(),
        node_name: "node".into(),
        drivers: vec![],
    };
    let kernel: Arc<dyn Kernel> = Arc::new(fake.clone());
    Arc::new(Engine::with_hook(
        kernel,
        Paths::below(dir),
        identity,
        fake.change_hook(),
    ))
}

impl Node {
    fn new() -> Self {
        Self::on(Fake::igb())
    }

    fn on(fake: Fake) -> Self {
        let (dir, ipam) = (
            // As the real state directory, which is in memory.
            tempfile::tempdir_in("/dev/shm")
                .or_else(|_| tempfile::tempdir())
                .unwrap(),
            FakeIpam::default(),
        );
        let plugin = Plugin::new(engine(&fake, dir.path()), Box::new(ipam.clone()));
        Self {
            dir,
            fake,
            ipam,
            plugin,
        }
    }

    /// A process that died; the next call of the binary is another one.
    fn restart(&mut self) {
        self.fake.restart();
        let engine = engine(&self.fake, self.dir.path());
        self.plugin = Plugin::new(engine, Box::new(self.ipam.clone()));
    }

    fn call(&self, command: &str, pod: &Pod, conf: &Value) -> Result<Value, CniError> {
        self.call_on(&self.plugin, command, pod, conf)
    }

    fn call_on(
        &self,
        plugin: &Plugin,
        command: &str,
        pod: &Pod,
        conf: &Value,
    ) -> Result<Value, CniError> {
        let all = [
            ("CNI_COMMAND", command.to_owned()),
            ("CNI_CONTAINERID", pod.container.clone()),
            ("CNI_IFNAME", pod.if_name.clone()),
            ("CNI_NETNS", pod.netns()),
            ("CNI_PATH", "/opt/cni/bin".to_owned()),
            ("CNI_ARGS", pod.args()),
        ];
        let variables = |name: &str| {
            let found = all.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let request = crate::cni::request(&variables, conf.to_string().as_bytes());
        let request = request.map_err(|refused| refused.error)?;
        let printed = plugin.run(&request)?;
        Ok(serde_json::from_str(&printed).unwrap_or(Value::Null))
    }

    /// A pod whose claimed VF has a VLAN and an address by a network, which comes last.
    fn leased(&self) -> (Pod, AllocatedClaim, Value) {
        let (pod, one) = (Pod::new(self, "a"), claim("c", &[VF], "a", json!({})));
        self.prepare(&one);
        let network = conf(json!({"vlan": 7, "ipam": {"type": "host-local"}}));
        self.add(&pod, &network).unwrap();
        (pod, one, network)
    }

    fn add(&self, pod: &Pod, conf: &Value) -> Result<Value, CniError> {
        self.call("ADD", pod, conf)
    }

    fn del(&self, pod: &Pod, conf: &Value) -> Result<(), CniError> {
        self.call("DEL", pod, conf).map(drop)
    }

    /// The VF is handed to processes, as the host's administrator has done.
    fn bind_vfio(&self) {
        let vfio = crate::device::Binding {
            driver: Some("vfio-pci".into()),
            driver_override: Some("vfio-pci".into()),
        };
        self.fake.set_driver(&id(VF), &vfio, soon()).unwrap();
    }

    fn entries(&self) -> usize {
        self.plugin.engine.attachments().titles().unwrap().len()
    }

    /// The netdev of a device in a pod.
    fn link(&self, pod: &Pod, device: &str) -> Option<crate::device::Netdev> {
        let netns = self.fake.open_netns(Path::new(&pod.netns())).unwrap();
        self.fake.link(&id(device), &netns).unwrap()
    }

    fn prepare(&self, claim: &AllocatedClaim) {
        let pools = PoolDefaults::Known(Default::default());
        self.plugin.engine.prepare(claim, &pools, soon()).unwrap();
    }

    fn unprepare(&self, claim: &AllocatedClaim) {
        let uid = &claim.claim.uid;
        self.plugin.engine.unprepare(uid, soon()).unwrap();
        self.plugin.engine.finish(uid, soon()).unwrap();
    }

    fn ipam_calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.ipam.calls.lock().unwrap())
    }
}

/// A sandbox, and its interface.
#[derive(Debug, Clone)]
struct Pod {
    uid: String,
    container: String,
    if_name: String,
}

impl Pod {
    /// With a namespace of its own.
    fn new(node: &Node, uid: &str) -> Self {
        let pod = Self {
            uid: uid.to_owned(),
            container: format!("box-{uid}"),
            if_name: "net1".to_owned(),
        };
        let _ = node.fake.add_netns(Path::new(&pod.netns()));
        pod
    }

    fn interface(&self, name: &str) -> Self {
        Self {
            if_name: name.to_owned(),
            ..self.clone()
        }
    }

    fn netns(&self) -> String {
        format!("/var/run/netns/{}", self.container)
    }

    fn args(&self) -> String {
        format!(
            "IgnoreUnknown=1;K8S_POD_NAMESPACE=web;K8S_POD_NAME={0};K8S_POD_UID={0}",
            self.uid
        )
    }

    fn dies(&self, node: &Node) {
        node.fake.destroy_netns(Path::new(&self.netns()));
    }
}

fn id(bdf: &str) -> DeviceId {
    DeviceId::Pci(bdf.parse().unwrap())
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_millis(500))
}

/// A network with these keys besides.
fn conf(more: Value) -> Value {
    let mut conf = json!({"cniVersion": "1.1.0", "name": "blue", "type": "sriov"});
    for (key, value) in more.as_object().unwrap() {
        conf[key] = value.clone();
    }
    conf
}

fn own(more: Value) -> Value {
    let mut conf = conf(more);
    conf["deviceID"] = json!(VF);
    conf
}

/// A claim of these devices, for one pod.
fn claim(uid: &str, devices: &[&str], pod: &str, class: Value) -> AllocatedClaim {
    let device = |(number, bdf): (usize, &&str)| AllocatedDevice {
        request: format!("nic{number}"),
        class: Some("vf".into()),
        device: DeviceRef {
            driver: "sriov-dra.io".into(),
            slice_pool: "node".into(),
            device: id(bdf).name(),
        },
        admin_access: false,
        share_id: None,
    };
    let mut parameters = class;
    parameters["apiVersion"] = json!("sriov-dra.io/v1alpha1");
    parameters["kind"] = json!("DeviceConfig");
    parameters["attach"] = json!("cni");
    AllocatedClaim {
        claim: ClaimRef {
            uid: uid.parse().unwrap(),
            namespace: "web".into(),
            name: format!("claim-{uid}"),
        },
        pod_claim_name: None,
        reserved_for: vec![pod.to_owned()],
        devices: devices.iter().enumerate().map(device).collect(),
        extended: false,
        pod_name: None,
        definitions: Default::default(),
        networks: Default::default(),
        configs: vec![crate::api::OpaqueConfig {
            source: crate::api::ConfigSource::Class,
            requests: vec![],
            parameters,
        }],
    }
}
