use serde_json::{Value, json};

use super::*;
use crate::{
    device::{LinkState, VlanProto, VlanTag},
    files,
};

const BDF: &str = "0000:3b:02.1";

/// As the Go plugin writes it: on one line, unset pointers null.
fn whole() -> Value {
    json!({
        "cniVersion": "0.3.1", "name": "sriov-net", "type": "sriov", "ipam": {"type": "host-local"},
        "OrigVfState": {
            "HostIFName": "ens1f0v1", "SpoofChk": true, "Trust": false,
            "AdminMAC": "00:00:00:00:00:00", "EffectiveMAC": "02:00:00:00:00:0a",
            "Vlan": 0, "VlanQoS": 0, "VlanProto": 33024, "MinTxRate": 0, "MaxTxRate": 500,
            "LinkState": 2, "MTU": 1500,
        },
        "Master": "ens1f0", "MAC": "02:00:00:00:00:01", "MTU": 1500, "vlan": 100, "vlanQoS": 3,
        "vlanProto": "802.1ad", "deviceID": BDF, "VFID": 1, "min_tx_rate": null, "max_tx_rate": 200,
        "spoofchk": "off", "trust": "on", "link_state": "enable", "runtimeConfig": {}, "logLevel": "info",
    })
}

/// What vfio leaves: no netdev and, since it is not stored, no mode.
fn vfio() -> Value {
    let mut conf = whole();
    for (key, value) in [
        ("HostIFName", json!("")),
        ("EffectiveMAC", json!("")),
        ("MTU", json!(0)),
    ] {
        conf["OrigVfState"][key] = value;
    }
    conf
}

struct Node {
    dir: tempfile::TempDir,
    cache: GoCache,
}

impl Node {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let cache = GoCache::new(&Paths::below(dir.path()));
        Self { dir, cache }
    }

    fn write(&self, name: &str, content: &[u8]) {
        let path = self.dir.path().join("var/lib/cni/sriov").join(name);
        files::write_atomic(&path, content, 0o600).unwrap();
    }

    fn attachment(&self) -> Result<Option<GoAttachment>, Unreadable> {
        self.cache
            .attachment(&"c-1".parse().unwrap(), &"net-1".parse().unwrap())
    }

    fn parsed(conf: &Value) -> GoAttachment {
        let node = Self::new();
        node.write("c-1-net-1", conf.to_string().as_bytes());
        node.attachment().unwrap().unwrap()
    }
}

#[test]
fn an_attachment_is_read() {
    let attachment = Node::parsed(&whole());
    assert_eq!(
        (
            attachment.device.to_string(),
            &*attachment.pf,
            attachment.vf_index
        ),
        (BDF.into(), "ens1f0", 1)
    );
    assert_eq!(attachment.network.as_deref(), Some("sriov-net"));
    assert_eq!(attachment.ipam.as_deref(), Some("host-local"));
    let netdev = attachment.netdev.unwrap();
    assert_eq!((netdev.name.as_str(), netdev.mtu), ("ens1f0v1", Some(1500)));
    assert_eq!(netdev.mac.unwrap().to_string(), "02:00:00:00:00:0a");
}

#[test]
fn what_was_asked_for_is_restored_and_the_mac_always() {
    let vlan = |proto| {
        VfSetting::Vlan(VlanTag {
            id: 0,
            qos: 0,
            proto,
        })
    };
    let rate = VfSetting::Rate { min: 0, max: 500 };
    assert_eq!(
        Node::parsed(&whole()).restore(),
        [
            vlan(VlanProto::Ieee8021Q),
            VfSetting::SpoofChk(true),
            VfSetting::Mac(Mac::ZERO),
            VfSetting::Trust(false),
            rate,
            VfSetting::LinkState(LinkState::Disable),
        ]
    );
    let mut bare = whole();
    for key in ["vlan", "max_tx_rate"] {
        bare[key] = Value::Null;
    }
    for key in ["spoofchk", "trust", "link_state"] {
        bare.as_object_mut().unwrap().remove(key);
    }
    assert_eq!(Node::parsed(&bare).restore(), [VfSetting::Mac(Mac::ZERO)]);
    bare["min_tx_rate"] = json!(0);
    assert_eq!(
        Node::parsed(&bare).restore(),
        [VfSetting::Mac(Mac::ZERO), rate]
    );
}

#[test]
fn protocols_and_trust_are_read_in_each_form() {
    for (number, proto) in [
        (0, VlanProto::Ieee8021Q),
        (0x8100, VlanProto::Ieee8021Q),
        (0x88a8, VlanProto::Ieee8021Ad),
    ] {
        let mut conf = whole();
        conf["OrigVfState"]["VlanProto"] = json!(number);
        assert_eq!(Node::parsed(&conf).original.vlan.unwrap().proto, proto);
    }
    for (given, trust) in [
        (json!(true), Some(true)),
        (json!(1), Some(true)),
        (json!(0), Some(false)),
        (Value::Null, None),
    ] {
        let mut conf = whole();
        conf["OrigVfState"]["Trust"] = given;
        assert_eq!(Node::parsed(&conf).original.trust, trust);
    }
}

#[test]
fn a_vf_without_a_netdev_is_told_by_its_empty_name() {
    let attachment = Node::parsed(&vfio());
    assert_eq!(attachment.netdev, None);
    assert_eq!(attachment.restore().len(), 6);
}

#[test]
fn a_file_of_an_older_version_restores_what_it_has() {
    let attachment =
        Node::parsed(&json!({"deviceID": BDF, "Master": "ens1f0", "vlan": 5, "trust": "on"}));
    assert_eq!((attachment.restore(), attachment.netdev), (vec![], None));
}

#[test]
fn without_a_file_there_is_no_attachment() {
    let node = Node::new();
    assert!(node.attachment().unwrap().is_none());
    assert_eq!(node.cache.namespace(BDF.parse().unwrap()).unwrap(), None);
    assert!(node.cache.attachments().unwrap().is_empty());
    assert!(node.cache.devices().unwrap().is_empty());
}

/// A crash may leave any part of it.
#[test]
fn a_file_that_was_cut_short_is_unreadable() {
    let text = whole().to_string();
    for end in 0..text.len() {
        let reason = format::parse(&text.as_bytes()[..end]).unwrap_err();
        assert!(!reason.contains("sriov-net"), "{reason}");
    }
    let node = Node::new();
    node.write("c-1-net-1", b"");
    let error = node.attachment().unwrap_err();
    assert!(error.path.ends_with("c-1-net-1"));
    assert_eq!(error.reason, "is empty");
}

#[test]
fn files_are_listed() {
    let node = Node::new();
    node.write("c-1-net-1", whole().to_string().as_bytes());
    node.write("c2-net1", b"");
    node.write("pci/0000:3b:02.1", b"/var/run/netns/cni-1");
    node.write("pci/0000:3b:02.2", b"");
    node.write("pci/x", b"/var/run/netns/cni-1");
    node.write("pci/vf_lock/0000:3b:02.1.lock", b"");
    let all = node.cache.attachments().unwrap();
    let readable: Vec<_> = all
        .iter()
        .map(|(path, read)| (path.file_name().unwrap().to_str().unwrap(), read.is_ok()))
        .collect();
    assert_eq!(readable, [("c-1-net-1", true), ("c2-net1", false)]);
    let devices = node.cache.devices().unwrap();
    let devices: Vec<_> = devices
        .iter()
        .map(|(device, netns)| (device.to_string(), netns.as_deref()))
        .collect();
    assert_eq!(
        devices,
        [
            (
                "0000:3b:02.1".to_owned(),
                Some(Path::new("/var/run/netns/cni-1"))
            ),
            ("0000:3b:02.2".to_owned(), None),
        ]
    );
}
