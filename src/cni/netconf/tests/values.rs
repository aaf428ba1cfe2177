use super::{read, refused, text};
use crate::{
    cni::{netconf::Conf, protocol::CniError},
    device::{LinkState, VlanProto, VlanTag},
};

#[test]
fn what_is_not_given_is_not_set() {
    let conf =
        text(r#""vlan": null, "spoofchk": "", "mac": "", "link_state": "", "min_tx_rate": null"#)
            .unwrap();
    assert_eq!(conf.settings, crate::api::Settings::default());
    assert_eq!((conf.device, conf.warnings.len()), (None, 0));
}

#[test]
fn vlans_are_checked_as_a_whole() {
    let tag = |members: &str| text(members).unwrap().settings.vlan_tag();
    let vlan = |id, qos, proto| Some(VlanTag { id, qos, proto });
    for (members, expected) in [
        (r#""vlan": 0"#, vlan(0, 0, VlanProto::Ieee8021Q)),
        (
            r#""vlan": 0, "vlanQoS": 0, "vlanProto": "802.1Q""#,
            vlan(0, 0, VlanProto::Ieee8021Q),
        ),
        (
            r#""vlan": 4094, "vlanQoS": 7"#,
            vlan(4094, 7, VlanProto::Ieee8021Q),
        ),
        (
            r#""vlan": 1, "vlanProto": "802.1AD""#,
            vlan(1, 0, VlanProto::Ieee8021Ad),
        ),
    ] {
        assert_eq!(tag(members), expected, "{members}");
    }
    for (members, said) in [
        (
            r#""vlan": -1"#,
            "vlan: -1 is out of range, must be 0 to 4094",
        ),
        (
            r#""vlan": 4095"#,
            "vlan: 4095 is out of range, must be 0 to 4094",
        ),
        (
            r#""vlan": 1, "vlanQoS": 8"#,
            "vlanQoS: 8 is out of range, must be 0 to 7",
        ),
        (r#""vlanQoS": 0"#, "vlanQoS: needs vlan"),
        (r#""vlan": null, "vlanQoS": 3"#, "vlanQoS: needs vlan"),
        (r#""vlanProto": "802.1q""#, "vlanProto: needs vlan"),
        (
            r#""vlan": 0, "vlanQoS": 1"#,
            "vlanQoS: other than 0 needs a vlan other than 0",
        ),
        (
            r#""vlan": 0, "vlanProto": "802.1ad""#,
            "vlanProto: 802.1ad needs a vlan other than 0",
        ),
        (
            r#""vlan": 1, "vlanProto": "x""#,
            "vlanProto: is \"x\", must be 802.1q or 802.1ad",
        ),
        (
            r#""vlan": 1, "vlanProto": """#,
            "vlanProto: is \"\", must be 802.1q or 802.1ad",
        ),
    ] {
        refused(members, 7, said);
    }
}

#[test]
fn switches_are_on_only_for_on() {
    for (given, on, warned) in [
        ("on", true, false),
        ("off", false, false),
        ("ON", false, true),
        ("true", false, true),
        ("yes", false, true),
    ] {
        for key in ["spoofchk", "trust"] {
            let conf = text(&format!(r#""{key}": "{given}""#)).unwrap();
            let set = if key == "trust" {
                conf.settings.trust
            } else {
                conf.settings.spoof_chk
            };
            assert_eq!(
                (set, conf.warnings.len()),
                (Some(on), usize::from(warned)),
                "{given}"
            );
        }
    }
    assert_eq!(
        text(r#""trust": "yes""#).unwrap().warnings,
        ["trust: \"yes\" is taken for off, must be on or off"]
    );
}

#[test]
fn link_states_are_exact() {
    let state = |given: &str| {
        text(&format!(r#""link_state": "{given}""#))
            .unwrap()
            .settings
            .link_state
    };
    assert_eq!(state("auto"), Some(LinkState::Auto));
    assert_eq!(state("enable"), Some(LinkState::Enable));
    assert_eq!(state("disable"), Some(LinkState::Disable));
    refused(
        r#""link_state": "Auto""#,
        7,
        "link_state: is \"Auto\", must be auto, enable or disable",
    );
}

/// The Go plugin sends 0 for the rate that is not given, and checks none.
#[test]
fn one_rate_leaves_the_other() {
    let rates = |members: &str| {
        let settings = text(members).unwrap().settings;
        (settings.min_tx_rate, settings.max_tx_rate)
    };
    assert_eq!(rates(r#""min_tx_rate": 5"#), (Some(5), None));
    assert_eq!(rates(r#""max_tx_rate": 0"#), (None, Some(0)));
    assert_eq!(
        rates(r#""min_tx_rate": 5, "max_tx_rate": 0"#),
        (Some(5), Some(0))
    );
    refused(
        r#""min_tx_rate": -1"#,
        7,
        "min_tx_rate: -1 is out of range, must be 0 to 4294967295",
    );
    refused(
        r#""min_tx_rate": 5, "max_tx_rate": 4"#,
        7,
        "min_tx_rate: 5 Mb/s is more than max_tx_rate 4 Mb/s",
    );
}

/// The Go plugin compares texts, and so tries 20 times and fails for other forms.
#[test]
fn macs_of_every_form_are_one_mac() {
    for form in [
        "02:00:00:00:00:af",
        "02:00:00:00:00:AF",
        "02-00-00-00-00-af",
        "0200.0000.00Af",
    ] {
        let mac = text(&format!(r#""mac": "{form}""#)).unwrap().settings.mac;
        assert_eq!(mac.unwrap().to_string(), "02:00:00:00:00:af");
    }
    let right = "must be six bytes like 02:00:00:00:00:01";
    for (given, said) in [
        ("x", format!("\"x\" is no MAC address, {right}")),
        ("02:00-00:00:00:01", format!("\"02:00-00:00:00:01\" is no MAC address, {right}")),
        ("02:00:00:00:00:+1", format!("\"02:00:00:00:00:+1\" is no MAC address, {right}")),
        ("020000000001", format!("\"020000000001\" is no MAC address, {right}")),
        ("02:00:00:00:00:00:00:01", format!("\"02:00:00:00:00:00:00:01\" has 8 bytes, {right}")),
        ("0200.0000.0000.0001", format!("\"0200.0000.0000.0001\" has 8 bytes, {right}")),
        ("00:00:00:00:00:00", "\"00:00:00:00:00:00\" must not be all zero".to_owned()),
        (
            "01:00:5e:00:00:01",
            "\"01:00:5e:00:00:01\" is multicast, a device needs a unicast address (first byte even)".to_owned(),
        ),
    ] {
        refused(&format!(r#""mac": "{given}""#), 7, &format!("mac: {said}"));
    }
}

#[test]
fn the_runtimes_mac_wins_then_the_arguments() {
    let mac = |members: &str, args: &str| -> Result<String, CniError> {
        let stdin = format!(r#"{{"name": "n", {members}}}"#);
        match read(&stdin, args)? {
            (_, Conf::Sriov(conf)) => Ok(conf.settings.mac.unwrap().to_string()),
            other => panic!("{other:?}"),
        }
    };
    let own = r#""mac": "02:00:00:00:00:03""#;
    let all = format!(r#"{own}, "runtimeConfig": {{"mac": "02:00:00:00:00:01"}}"#);
    assert_eq!(
        mac(&all, "MAC=02:00:00:00:00:02"),
        Ok("02:00:00:00:00:01".to_owned())
    );
    assert_eq!(
        mac(own, "MAC=02:00:00:00:00:02"),
        Ok("02:00:00:00:00:02".to_owned())
    );
    assert_eq!(mac(own, "MAC="), Ok("02:00:00:00:00:03".to_owned()));
    // Only the one that wins is looked at.
    let broken = r#""mac": "x", "runtimeConfig": {"mac": "02:00:00:00:00:01"}"#;
    assert_eq!(mac(broken, "MAC=x"), Ok("02:00:00:00:00:01".to_owned()));
    let error = mac(own, "MAC=x").unwrap_err();
    assert_eq!(error.code.0, 4);
    assert!(
        error
            .msg
            .starts_with("CNI_ARGS: MAC: \"x\" is no MAC address"),
        "{}",
        error.msg
    );
    let error = mac(r#""runtimeConfig": {"mac": "x"}"#, "").unwrap_err();
    assert!(
        error.msg.starts_with("runtimeConfig.mac: \"x\""),
        "{}",
        error.msg
    );
}

#[test]
fn device_ids_are_normalised() {
    let device = |members: &str| {
        text(members)
            .unwrap()
            .device
            .map(|device| device.to_string())
    };
    let bdf = Some("0000:3b:02.a".replace('a', "1"));
    for members in [
        r#""deviceID": "0000:3b:02.1""#,
        r#""deviceID": "0000:3B:02.1""#,
        r#""deviceID": "3b:02.1""#,
        r#""deviceID": "", "pciBusID": "0000:3b:02.1""#,
        r#""runtimeConfig": {"deviceID": "0000:3b:02.1"}"#,
    ] {
        assert_eq!(device(members), bdf, "{members}");
    }
    assert_eq!(
        device(r#""deviceID": "mlx5_core.sf.4""#).as_deref(),
        Some("mlx5_core.sf.4")
    );
    assert_eq!(device(r#""deviceID": """#), None);
    let right = "is no device, must be a PCI address like 0000:3b:02.1 or an auxiliary device";
    for bad in ["x", "../0000:3b:02.1", "0000:3b:20.1", "a.b.04", "a/b.sf.4"] {
        refused(
            &format!(r#""deviceID": "{bad}""#),
            7,
            &format!("deviceID: \"{bad}\" {right}"),
        );
    }
    let both = text(r#""deviceID": "0000:3b:02.1", "pciBusID": "0000:3b:02.2""#).unwrap();
    assert_eq!(
        both.warnings,
        ["pciBusID: \"0000:3b:02.2\" is not deviceID, and not used"]
    );
}
