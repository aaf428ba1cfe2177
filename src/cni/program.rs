//! The program: variables and stdin in, an answer and an exit code out.

use std::{path::Path, sync::Arc};

use super::{
    Request,
    log::Logger,
    plugin::{Ipam, Plugin},
    protocol::{CniError, Code, Variables, Version},
    request,
    trace::Forward,
};
use crate::{
    claim::{Engine, Identity},
    paths::{AgentFile, Paths},
};

/// What the runtime reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// For stdout: a result, an error object, or nothing.
    pub text: String,
    /// The exit code.
    pub code: u8,
}

/// Where a call finds the agent's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Directories.
    pub paths: Paths,
    /// The driver's name.
    pub driver_name: String,
}

impl Place {
    /// As the agent's installation says; the defaults where there is none.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub fn read(file: &Path) -> Result<Self, CniError> {
        let mut paths = Paths::default();
        let read = AgentFile::read(file);
        let read =
            read.map_err(|error| CniError::new(Code::IO, format!("{}: {error}", file.display())))?;
        let Some(agent) = read else {
            return Ok(Self {
                paths,
                driver_name: "sriov-dra.io".to_owned(),
            });
        };
        (paths.run, paths.cdi) = (agent.state_dir, agent.cdi_root);
        Ok(Self {
            paths,
            driver_name: agent.driver_name,
        })
    }

    fn identity(&self) -> Identity {
        Identity {
            driver_name: self.driver_name.clone(),
            // Of claims' devices the record says where they are; a device of its own is here.
            node_name: String::new(),
            drivers: vec![],
        }
    }
}

/// Reads the call and does it.
pub fn run(
    variables: Variables<'_>,
    stdin: &[u8],
    agent_file: &Path,
    with: impl FnOnce(Paths, Identity) -> (Engine, Box<dyn Ipam>),
) -> Answer {
    let asked = match request(variables, stdin) {
        Ok(Request::Version(answer)) => return success(answer.to_json()),
        Ok(asked) => asked,
        Err(refused) => return failure(&refused.error, refused.version),
    };
    let version = asked.version();
    asked.log(stdin);
    let done = Place::read(agent_file).and_then(|place| {
        let identity = place.identity();
        let (engine, ipam) = with(place.paths, identity);
        Plugin::new(Arc::new(engine), ipam).run(&asked)
    });
    match done {
        Ok(text) => success(text),
        Err(error) => {
            tracing::error!(code = error.code.0, "{error}");
            failure(&error, version)
        }
    }
}

impl Request {
    /// Opens the network's log, for all that follows.
    fn log(&self, stdin: &[u8]) {
        let Some(network) = self.network() else {
            return;
        };
        let name = match network.is_infiniband() {
            true => "ib-sriov-cni",
            false => "sriov-cni",
        };
        let logger = Logger::open(&network.log, name, self.attachment());
        logger.stdin(stdin);
        // In tests another one is there already.
        let _ = tracing::subscriber::set_global_default(Forward(logger));
    }
}

fn success(text: String) -> Answer {
    Answer { text, code: 0 }
}

fn failure(error: &CniError, version: Version) -> Answer {
    Answer {
        text: error.to_json(version),
        code: 1,
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::{
        cni::plugin::IpamAt,
        cni::{protocol::Command, result::CniResult},
        host::fake::Fake,
        ledger::IpamCall,
    };

    struct NoIpam;

    impl Ipam for NoIpam {
        fn run(&self, _: Command, _: &IpamCall, _: &IpamAt) -> Result<Option<CniResult>, CniError> {
            unreachable!("the network has none")
        }
    }

    fn called(command: &str, stdin: &str, agent: &str) -> Answer {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.json");
        if !agent.is_empty() {
            let text = agent.replace("ROOT", &dir.path().display().to_string());
            crate::files::write_atomic(&file, text.as_bytes(), 0o644).unwrap();
        }
        let all = [
            ("CNI_COMMAND", command),
            ("CNI_CONTAINERID", "c"),
            ("CNI_IFNAME", "net1"),
            ("CNI_NETNS", "/var/run/netns/none"),
        ];
        let variables = |name: &str| {
            let found = all.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        run(&variables, stdin.as_bytes(), &file, |paths, identity| {
            let engine = Engine::new(Arc::new(Fake::igb()), paths, identity);
            (engine, Box::new(NoIpam))
        })
    }

    const AGENT: &str = r#"{"stateDir": "ROOT/run", "socket": "ROOT/run/cni.sock", "driverName": "x.io", "cdiRoot": "ROOT/cdi"}"#;

    #[test]
    fn a_call_has_an_answer_and_a_code() {
        let conf = r#"{"cniVersion": "1.0.0", "name": "blue", "type": "sriov", "deviceID": "0000:02:10.0"}"#;
        let version = called("VERSION", "{}", "");
        assert_eq!(version.code, 0);
        assert!(version.text.contains("\"1.1.0\""), "{}", version.text);
        let gone = called("DEL", conf, AGENT);
        assert_eq!(gone, success(String::new()));
        let refused = called("ADD", conf, AGENT);
        assert_eq!(refused.code, 1);
        let error: serde_json::Value = serde_json::from_str(&refused.text).unwrap();
        assert_eq!(
            (&error["code"], &error["cniVersion"]),
            (&8.into(), &"1.0.0".into())
        );
        let unread = called("DEL", conf, "{");
        assert_eq!(unread.code, 1);
        assert!(unread.text.contains("config.json: EOF"), "{}", unread.text);
        let bad = called("ADD", "{", AGENT);
        assert_eq!(bad.code, 1);
    }
}
