use std::{ffi::OsString, path::Path};

use serde_json::{Value, json};

use crate::cni::{
    Refused, Request,
    netconf::{Conf, NetConf},
    protocol::{Code, Version},
    request,
};

/// A call with these variables and this configuration.
pub(super) fn call(command: &str, args: &str, stdin: &str) -> Result<Request, Refused> {
    let set = [
        ("CNI_COMMAND", command),
        ("CNI_CONTAINERID", "c1"),
        ("CNI_NETNS", "/run/netns/x"),
        ("CNI_IFNAME", "net1"),
        ("CNI_PATH", "/opt/cni/bin"),
        ("CNI_ARGS", args),
    ];
    let variables = |name: &str| {
        let found = set.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| OsString::from(value))
    };
    request(&variables, stdin.as_bytes())
}

fn refused(command: &str, stdin: &Value) -> (u32, String) {
    let refused = call(command, "", &stdin.to_string()).unwrap_err();
    (refused.error.code.0, refused.error.msg)
}

/// The configuration of `docs` of the Go plugin, with everything in it.
fn whole(version: &str) -> Value {
    json!({
        "cniVersion": version, "name": "sriov-advanced", "type": "sriov",
        "deviceID": "0000:3b:02.1", "vlan": 1000, "vlanQoS": 4, "vlanProto": "802.1ad",
        "spoofchk": "off", "trust": "on", "link_state": "enable", "mac": "02:00:00:00:00:01",
        "min_tx_rate": 100, "max_tx_rate": 200,
        "ipam": {"type": "host-local", "subnet": "10.56.217.0/24"},
    })
}

fn sriov(request: Request) -> NetConf {
    match request {
        Request::Add(call) => match call.conf {
            Conf::Sriov(conf) => conf,
            Conf::Ib(conf) => panic!("{conf:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn add_is_read_in_every_version() {
    for version in Version::ALL {
        let stdin = whole(version.as_str()).to_string();
        let Request::Add(add) = call("ADD", "MAC=02:00:00:00:00:02", &stdin).unwrap() else {
            panic!("not ADD");
        };
        assert_eq!(add.network.version, version);
        assert_eq!(add.netns(), Path::new("/run/netns/x"));
        assert_eq!(add.stdin, stdin.as_bytes());
        assert_eq!(add.network.ipam.as_ref().unwrap().kind, "host-local");
        assert_eq!(
            add.network.ipam.as_ref().unwrap().raw["subnet"],
            "10.56.217.0/24"
        );
        assert_eq!(add.conf.device().unwrap().to_string(), "0000:3b:02.1");
        let settings = sriov(Request::Add(add)).settings;
        assert_eq!(settings.mac.unwrap().to_string(), "02:00:00:00:00:02");
        assert_eq!(settings.vlan_tag().unwrap().qos, 4);
    }
}

/// The Go plugin attaches, and then cannot say so.
#[test]
fn what_cannot_be_answered_is_refused_before_anything_is_changed() {
    let said = "results of 0.1.0 need an IP address, must be 0.3.1 or later without ipam";
    for bare in [
        json!({"name": "n", "type": "sriov"}),
        json!({"cniVersion": "", "name": "n", "ipam": {}}),
        json!({"cniVersion": "0.1.0", "name": "n", "ipam": {"type": ""}}),
    ] {
        assert_eq!(refused("ADD", &bare), (1, format!("cniVersion: {said}")));
    }
    let with_ipam = json!({"name": "n", "type": "sriov", "ipam": {"type": "static"}});
    assert!(call("ADD", "", &with_ipam.to_string()).is_ok());
    for unknown in ["0.3.2", "1.2.0", "2.0.0", "1.0", "v1.0.0", "x"] {
        let refused = call("ADD", "", &whole(unknown).to_string()).unwrap_err();
        assert_eq!(refused.error.code, Code::INCOMPATIBLE_VERSION);
        assert!(
            refused
                .to_json()
                .starts_with(r#"{"cniVersion":"1.1.0","code":1,"#)
        );
    }
}

#[test]
fn commands_are_refused_in_versions_that_do_not_have_them() {
    for (command, since) in [
        ("CHECK", Version::V040),
        ("GC", Version::V110),
        ("STATUS", Version::V110),
    ] {
        for version in Version::ALL {
            let mut conf = whole(version.as_str());
            conf["prevResult"] = json!({"cniVersion": version.as_str(), "interfaces": []});
            conf["cni.dev/valid-attachments"] = json!([]);
            let read = call(command, "", &conf.to_string());
            assert_eq!(read.is_ok(), version >= since, "{command} {version}");
            if let Err(refused) = read {
                let said =
                    format!("cniVersion: {command} is not in {version}, must be {since} or later");
                assert_eq!((refused.error.code.0, refused.error.msg), (1, said));
                assert_eq!(refused.version, version);
            }
        }
    }
}

#[test]
fn errors_have_the_specifications_codes() {
    let set = |key: &str, value: Value| {
        let mut conf = whole("1.1.0");
        conf[key] = value;
        conf
    };
    for (command, conf, code) in [
        ("ADD", set("cniVersion", json!("9.0.0")), 1),
        ("UPDATE", whole("1.1.0"), 4),
        ("ADD", json!([]), 6),
        ("ADD", json!("x"), 6),
        ("ADD", set("cniVersion", json!(1)), 6),
        ("ADD", set("name", json!(1)), 6),
        ("ADD", set("vlan", json!("1000")), 6),
        (
            "ADD",
            set("prevResult", json!({"cniVersion": "1.1.0", "ips": [1]})),
            6,
        ),
        ("ADD", set("name", json!(null)), 7),
        ("ADD", set("name", json!("a/b")), 7),
        ("ADD", set("name", json!("-a")), 7),
        ("ADD", set("vlan", json!(4095)), 7),
        ("CHECK", whole("1.1.0"), 7),
        ("GC", whole("1.1.0"), 7),
    ] {
        assert_eq!(refused(command, &conf).0, code, "{command} {conf}");
    }
    for broken in ["", "{", "{\"name\": \"secret\"", "{} {}", "\u{feff}{}"] {
        let refused = call("ADD", "", broken).unwrap_err();
        assert_eq!(refused.error.code, Code::DECODING, "{broken}");
        assert!(!refused.error.msg.contains("secret"));
    }
}

/// What was attached has to go, whatever became of the configuration.
#[test]
fn del_needs_only_the_network() {
    let mut conf = json!({"name": "n", "type": 1, "vlan": "x", "deviceID": 5, "spoofchk": []});
    for (key, value) in [
        ("ipam", json!("x")),
        ("dns", json!(1)),
        ("prevResult", json!("x")),
        ("capabilities", json!(1)),
        ("runtimeConfig", json!({"mac": 1})),
        ("args", json!(1)),
        ("logLevel", json!(1)),
    ] {
        conf[key] = value;
    }
    let Request::Del(del) = call("DEL", "x", &conf.to_string()).unwrap() else {
        panic!("not DEL");
    };
    assert_eq!((&*del.network.name, del.network.ipam.as_ref()), ("n", None));
    assert_eq!(del.attachment.if_name.as_str(), "net1");
}

#[test]
fn gc_lists_what_stays() {
    let gc = |list: Value, name: &str| {
        let mut conf = json!({"cniVersion": "1.1.0", "name": "n", "type": "sriov"});
        conf[name] = list;
        match call("GC", "", &conf.to_string()) {
            Ok(Request::Gc(gc)) => Ok(gc.valid),
            Err(refused) => Err((refused.error.code.0, refused.error.msg)),
            other => panic!("{other:?}"),
        }
    };
    let name = "cni.dev/valid-attachments";
    let list =
        json!([{"containerID": "c1", "ifname": "net1"}, {"containerID": "c2", "ifname": "eth0"}]);
    for name in [name, "cni.dev/attachments"] {
        let valid = gc(list.clone(), name).unwrap();
        let valid: Vec<_> = valid
            .iter()
            .map(|one| (one.container.as_str(), &*one.if_name))
            .collect();
        assert_eq!(valid, [("c1", "net1"), ("c2", "eth0")]);
    }
    assert_eq!(gc(json!(null), name).unwrap(), []);
    assert_eq!(gc(json!([]), name).unwrap(), []);
    for (list, code, said) in [
        (json!({}), 6, "is an object, must be a list"),
        (json!([1]), 6, "is 1, must be a list of objects"),
        (json!([{"containerID": "c"}]), 7, "an item has no ifname"),
        (
            json!([{"containerID": "../c", "ifname": "a"}]),
            7,
            "container id \"../c\": must begin with a letter or digit, and have only these, '_', '.' and '-'",
        ),
    ] {
        assert_eq!(gc(list, name), Err((code, format!("{name}: {said}"))));
    }
    assert_eq!(
        gc(json!([]), "x"),
        Err((7, format!("{name}: is not set, GC needs it")))
    );
}

#[test]
fn version_needs_nothing() {
    let all = r#"["0.1.0","0.2.0","0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]"#;
    for (stdin, version) in [
        (r#"{"cniVersion": "1.0.0"}"#, "1.0.0"),
        (r#"{"cniVersion": "0.2.0"}"#, "0.2.0"),
        (r#"{"cniVersion": "7.0.0"}"#, "1.1.0"),
        ("{}", "1.1.0"),
        ("", "1.1.0"),
        ("nonsense", "1.1.0"),
    ] {
        let Request::Version(answer) = call("VERSION", "", stdin).unwrap() else {
            panic!("not VERSION");
        };
        let said = format!(r#"{{"cniVersion":"{version}","supportedVersions":{all}}}"#);
        assert_eq!(answer.to_json(), said, "{stdin}");
    }
}

/// As DANM delegates: the pod in `CNI_ARGS`, the device of its pool in the network.
#[test]
fn a_call_of_danm_is_read() {
    let args = "IgnoreUnknown=1;K8S_POD_NAMESPACE=ns;K8S_POD_NAME=p;K8S_POD_INFRA_CONTAINER_ID=c1;K8S_POD_UID=u";
    let stdin = json!({
        "cniVersion": "0.3.1", "name": "external", "type": "sriov", "dns": {}, "vlan": 500,
        "ipam": {"type": "fakeipam", "ips": [{"ipcidr": "10.100.20.50/24", "version": 4}]},
        "deviceID": "0000:3b:02.1",
    });
    let read = call("ADD", args, &stdin.to_string()).unwrap();
    let Request::Add(add) = &read else {
        panic!("{read:?}")
    };
    assert_eq!(add.attachment.args.pod.uid.as_deref(), Some("u"));
    assert_eq!(sriov(read).settings.vlan, Some(500));
}

/// As Multus 4.3 delegates for a DRA extended resource, with every capability.
#[test]
fn a_call_of_multus_without_a_device_is_read() {
    let stdin = json!({
        "cniVersion": "1.0.0", "name": "sriov-net", "type": "sriov", "deviceID": "", "pciBusID": "",
        "capabilities": {"mac": true, "ips": true, "deviceID": true, "CNIDeviceInfoFile": true},
        "runtimeConfig": {
            "mac": "02-00-00-00-00-0A", "ips": ["10.0.0.5/24"], "deviceID": "",
            "CNIDeviceInfoFile": "/var/run/k8s.cni.cncf.io/devinfo/cni/x", "portMappings": [],
        },
        "ipam": {"type": "static"},
    });
    let read = call("ADD", "", &stdin.to_string()).unwrap();
    let Request::Add(add) = &read else {
        panic!("{read:?}")
    };
    assert_eq!(add.conf.device(), None);
    assert_eq!(add.network.runtime.ips, ["10.0.0.5/24"]);
    let file = add.network.runtime.device_info_file.as_deref();
    assert_eq!(
        file,
        Some(Path::new("/var/run/k8s.cni.cncf.io/devinfo/cni/x"))
    );
    assert_eq!(
        sriov(read).settings.mac.unwrap().to_string(),
        "02:00:00:00:00:0a"
    );
}
