//! Plugins of the host, as shell scripts.

use std::{path::Path, sync::Arc, time::Duration};

use serde_json::json;

use super::*;
use crate::{
    api::{ConfigSource, OpaqueConfig},
    claim::{AllocatedClaim, AllocatedDevice, Engine, Identity, PoolDefaults},
    device::DeviceId,
    files,
    host::fake::Fake,
    ledger::ClaimRef,
    paths::Paths,
    slice::DeviceRef,
};

/// The host's root directory, with the plugin `p` in /opt/cni/bin.
struct Host(tempfile::TempDir);

impl Host {
    fn new(script: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let text = format!("#!/bin/sh\n{script}\n");
        let path = dir.path().join("opt/cni/bin/p");
        files::write_atomic(&path, text.as_bytes(), 0o755).unwrap();
        Self(dir)
    }

    /// Executed by a shell which stands for `cni exec`.
    fn plugins(&self) -> HostPlugins {
        let root = self.0.path().to_owned();
        let below = format!("cd {0}; exec {0}\"$0\"", root.display());
        HostPlugins {
            path: vec!["/nonexistent".into(), "/opt/cni/bin".into()],
            root,
            launcher: ["/bin/sh", "-c", &below].map(Into::into).to_vec(),
        }
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.path().join(name)).unwrap()
    }
}

fn lease(plugin: &str) -> Lease {
    let lease = json!({"claim": {"uid": "c1", "namespace": "web", "name": "nic"}, "device": "0000-02-10-0",
        "ifName": "0000-02-10-0", "netnsPath": "/run/sriov-dra/no-netns",
        "call": {"plugin": plugin, "stdin": "{\"name\":\"vf\"}", "args": "A=b", "path": "/opt/cni/bin"}});
    serde_json::from_value(lease).unwrap()
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(20))
}

const ANSWER: &str = r#"{"cniVersion": "1.0.0", "ips": [{"address": "10.0.0.2/24", "gateway": "10.0.0.1"}],
    "routes": [{"dst": "0.0.0.0/0"}, {"dst": "10.1.0.0/16", "gw": "10.0.0.9"}]}"#;

#[test]
fn a_plugin_of_the_host_gets_the_claim_as_its_container() {
    let script = format!("cat >stdin; env | sort >env; echo '{ANSWER}'");
    let host = Host::new(&script);
    let assigned = host.plugins().add(&lease("p"), soon()).unwrap();
    assert_eq!(assigned.addresses, ["10.0.0.2/24".parse().unwrap()]);
    let routes: Vec<String> = assigned.routes.iter().map(ToString::to_string).collect();
    assert_eq!(
        routes,
        ["0.0.0.0/0 via 10.0.0.1", "10.1.0.0/16 via 10.0.0.9"]
    );
    assert_eq!(host.read("stdin"), r#"{"name":"vf"}"#);
    let env = host.read("env");
    let given: Vec<&str> = env.lines().filter(|line| !is_shells(line)).collect();
    assert_eq!(
        given,
        [
            "CNI_ARGS=A=b",
            "CNI_COMMAND=ADD",
            "CNI_CONTAINERID=c1",
            "CNI_IFNAME=0000-02-10-0",
            "CNI_NETNS=/run/sriov-dra/no-netns",
            "CNI_PATH=/opt/cni/bin",
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ],
        "nothing of the agent's own"
    );
}

/// What a shell adds by itself.
fn is_shells(line: &str) -> bool {
    ["PWD=", "OLDPWD=", "SHLVL=", "_="]
        .iter()
        .any(|own| line.starts_with(own))
}

#[test]
fn del_gets_what_add_got() {
    let host = Host::new("cat >stdin; echo \"$CNI_COMMAND $CNI_CONTAINERID $CNI_IFNAME\" >call");
    host.plugins().del(&lease("p"), soon()).unwrap();
    assert_eq!(host.read("stdin"), r#"{"name":"vf"}"#);
    assert_eq!(host.read("call"), "DEL c1 0000-02-10-0\n");
}

#[test]
fn del_finds_a_plugin_that_has_moved() {
    let host = Host::new("true");
    let mut lease = lease("p");
    lease.call.path = "/usr/lib/cni".to_owned();
    host.plugins().del(&lease, soon()).unwrap();
}

#[test]
fn errors_are_the_plugins_own() {
    let refused = r#"{"cniVersion": "1.0.0", "code": 11, "msg": "no IP addresses available", "details": "in range set 0"}"#;
    let host = Host::new(&format!("echo '{refused}'; exit 1"));
    assert_eq!(
        host.plugins().add(&lease("p"), soon()).unwrap_err(),
        "ipam p: no IP addresses available: in range set 0"
    );
    assert_eq!(
        host.plugins().find(&lease("q")).unwrap_err(),
        "ipam q: not in CNI_PATH /nonexistent:/opt/cni/bin"
    );
    assert_eq!(host.plugins().find(&lease("p")), Ok(()));
}

#[test]
fn a_plugin_that_hangs_is_killed_with_its_children() {
    let host = Host::new("sleep 600 & echo $! >child; wait");
    let plugins = host.plugins();
    let error = plugins.add(&lease("p"), Deadline::after(Duration::from_secs(3)));
    let error = error.unwrap_err();
    assert!(
        error.ends_with("did not end in time, and was killed"),
        "{error}"
    );
    let child = Path::new("/proc").join(host.read("child").trim());
    // A zombie is dead, whoever reaps it.
    let is_dead = || {
        let stat = std::fs::read_to_string(child.join("stat")).unwrap_or_default();
        Ok::<_, ()>((stat.is_empty() || stat.contains(") Z ")).then_some(()))
    };
    assert_eq!(soon().poll(is_dead), Ok(Some(())));
}

#[test]
fn a_child_that_outlives_its_plugin_is_not_waited_for() {
    let host = Host::new(&format!(
        "sleep 600 </dev/null >/dev/null 2>&1 & echo $! >child; echo '{ANSWER}'"
    ));
    let assigned = host.plugins().add(&lease("p"), soon());
    let kill = format!("kill -9 {}", host.read("child").trim());
    let killed = std::process::Command::new("/bin/sh")
        .args(["-c", &kill])
        .status();
    assert!(killed.unwrap().success());
    assert_eq!(assigned.unwrap().addresses.len(), 1);
}

/// A claim of one VF, whose class has the plugin `p`.
fn claim() -> AllocatedClaim {
    let parameters = json!({"apiVersion": "sriov-dra.io/v1alpha1", "kind": "DeviceConfig", "ipam": {"type": "p"}});
    AllocatedClaim {
        claim: ClaimRef {
            uid: "c1".parse().unwrap(),
            namespace: "web".into(),
            name: "nic".into(),
        },
        extended: false,
        pod_name: Some("upf-0".into()),
        definitions: Default::default(),
        networks: Default::default(),
        pod_claim_name: None,
        reserved_for: vec!["pod".into()],
        devices: vec![AllocatedDevice {
            request: "net".into(),
            class: Some("addressed".into()),
            device: DeviceRef {
                driver: "sriov-dra.io".into(),
                slice_pool: "node".into(),
                device: "0000-02-10-0".into(),
            },
            admin_access: false,
            share_id: None,
        }],
        configs: vec![OpaqueConfig {
            source: ConfigSource::Class,
            requests: vec![],
            parameters,
        }],
    }
}

#[test]
fn a_claim_has_the_addresses_of_the_hosts_plugin_until_its_release() {
    let host = Host::new(&format!(
        "case $CNI_COMMAND in ADD) cat >lease; echo '{ANSWER}';; DEL) rm -f lease;; esac"
    ));
    let node = tempfile::tempdir().unwrap();
    let identity = Identity {
        driver_name: "sriov-dra.io".into(),
        node_name: "node".into(),
        drivers: vec![],
    };
    let (kernel, paths) = (Arc::new(Fake::igb()), Paths::below(node.path()));
    let engine = Engine::new(kernel, paths, identity).assigning(Arc::new(host.plugins()));
    let (claim, pools) = (claim(), PoolDefaults::Known(Default::default()));
    engine.prepare(&claim, &pools, soon()).unwrap();
    assert!(host.read("lease").contains(r#""name":"addressed""#));
    let record = engine.store().load(&claim.claim.uid).unwrap().unwrap();
    let plan = record.devices[0].plan_in_pod().unwrap();
    assert_eq!(plan.addresses, ["10.0.0.2/24".parse().unwrap()]);
    assert_eq!(plan.routes[0].to_string(), "0.0.0.0/0 via 10.0.0.1");
    assert_eq!(
        record.devices[0].id,
        DeviceId::from_name("0000-02-10-0").unwrap()
    );
    engine.unprepare(&claim.claim.uid, soon()).unwrap();
    engine.finish(&claim.claim.uid, soon()).unwrap();
    assert!(!host.0.path().join("lease").exists());
}
