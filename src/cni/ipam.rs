//! IPAM plugins for claims: the host's, called by the agent.

use std::{ffi::OsString, path::PathBuf};

use super::{
    delegate::Delegate,
    protocol::{CniError, Command},
    result::CniResult,
};
use crate::{
    claim::Ipam,
    deadline::Deadline,
    ledger::{Assigned, Lease},
};

/// Where the plugins are, and how they are executed.
#[derive(Debug, Clone)]
pub struct HostPlugins {
    /// `CNI_PATH`, as the host has it.
    pub path: Vec<PathBuf>,
    /// Where the agent sees the host's root directory.
    pub root: PathBuf,
    /// Executes a plugin with that root; empty if it is the agent's own.
    pub launcher: Vec<OsString>,
}

impl HostPlugins {
    fn plugin<'a>(&'a self, lease: &'a Lease, path: &[PathBuf]) -> Result<Delegate<'a>, String> {
        let (call, stdin) = (&lease.call, lease.call.stdin.as_bytes());
        let found = Delegate::find_below(&self.root, &call.plugin, path, stdin).map_err(text)?;
        let variables = [
            ("CNI_CONTAINERID", lease.claim.uid.as_str()),
            ("CNI_IFNAME", lease.if_name.as_str()),
            ("CNI_NETNS", &lease.netns_path),
            ("CNI_ARGS", &call.args),
            ("CNI_PATH", &call.path),
        ];
        let variables = variables.map(|(name, value)| (name, OsString::from(value)));
        let plugin = found.with_variables(variables.to_vec());
        Ok(plugin.launched_by(&self.launcher))
    }

    /// Its `CNI_PATH`, and this agent's: plugins may have moved since.
    fn recorded<'a>(&'a self, lease: &'a Lease) -> Result<Delegate<'a>, String> {
        let recorded = std::env::split_paths(&lease.call.path);
        let path: Vec<PathBuf> = recorded.chain(self.path.iter().cloned()).collect();
        self.plugin(lease, &path)
    }
}

impl Ipam for HostPlugins {
    fn path(&self) -> String {
        let path = std::env::join_paths(&self.path).unwrap_or_default();
        path.to_string_lossy().into_owned()
    }

    fn find(&self, lease: &Lease) -> Result<(), String> {
        self.plugin(lease, &self.path).map(drop)
    }

    fn add(&self, lease: &Lease, deadline: Deadline) -> Result<Assigned, String> {
        let plugin = self.plugin(lease, &self.path)?.until(deadline);
        plugin.add().map(|result| assigned(&result)).map_err(text)
    }

    fn del(&self, lease: &Lease, deadline: Deadline) -> Result<(), String> {
        let plugin = self.recorded(lease)?.until(deadline);
        plugin.call(Command::Del).map_err(text)
    }
}

fn assigned(result: &CniResult) -> Assigned {
    Assigned {
        addresses: result.ips.iter().map(|ip| ip.address).collect(),
        routes: result.routes_with_gateways(),
        unknown: Default::default(),
    }
}

fn text(error: CniError) -> String {
    match error.details.is_empty() {
        true => error.msg,
        false => format!("{}: {}", error.msg, error.details),
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, time::Duration};

    use serde_json::json;

    use super::*;
    use crate::files;

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
        let host =
            Host::new("cat >stdin; echo \"$CNI_COMMAND $CNI_CONTAINERID $CNI_IFNAME\" >call");
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
        let child: i32 = host.read("child").trim().parse().unwrap();
        let child = rustix::process::Pid::from_raw(child).unwrap();
        rustix::process::kill_process(child, rustix::process::Signal::KILL).unwrap();
        assert_eq!(assigned.unwrap().addresses.len(), 1);
    }
}
