//! What is taken as the device plugin takes it, and told.

use super::*;

/// The warnings on one pool's selectors, without the pool's place.
fn odd(device_type: &str, selectors: &str) -> String {
    let all = warnings(&one_pool(device_type, selectors));
    all.iter().map(|line| line.trim_start_matches("resourceList[0].")).collect::<Vec<_>>().join("\n")
}

#[test]
fn values_that_never_match() {
    let text = r#"{"vendors": ["0x8086", "8086 ", "15B3", "intel", null], "devices": ["00154c", "d58"],
        "drivers": ["vfio-pci ", ""], "pciAddresses": ["3b:02.1", "0000:3B:02.1", "ens1f0"],
        "acpiIndexes": ["0101", "", "eno1"], "linkTypes": ["ethernet"], "ddpProfiles": [" GTP"], "vdpaType": "vhost-net"}"#;
    insta::assert_snapshot!(odd("netDevice", text), @"");
}

#[test]
fn items_of_pf_names_that_do_not_do_what_they_say() {
    let text = r#"{"pfNames": ["eth0#0-1", "ETH0#4", "eth1#0#1", "eth2#0,x,3", "eth3#", "eth4#5-3", "eth5#-1", "eth6#1, 2",
        "0000:3b:00.0", "", "a-name-too-long-for-linux#1"]}"#;
    insta::assert_snapshot!(odd("netDevice", text), @"");
}

#[test]
fn items_of_root_devices_that_do_not_do_what_they_say() {
    let text = r#"{"rootDevices": ["0000:3B:00.0#0-3", "0000:3b:00.0", "ens1f0#1", "3b:00.1#1", "0000:af:00.0#1#2"]}"#;
    insta::assert_snapshot!(odd("netDevice", text), @"");
}

#[test]
fn links_and_keys() {
    insta::assert_snapshot!(odd("netDevice", r#"{"linkTypes": ["ether", "infiniband"]}"#), @"");
    let text = r#"{"linkTypes": ["ether"], "pKeys": ["0x1", "0xABCD", "0x7fff", "32767", "0X1", "0x10000", "0x+1"]}"#;
    insta::assert_snapshot!(odd("netDevice", text), @"");
}

#[test]
fn fields_that_are_not_read() {
    let net = r#"{"auxTypes": ["sf"], "vendor": ["8086"], "pf_names": [], "colour": 1, "is rdma\n": true}"#;
    insta::assert_snapshot!(odd("netDevice", net), @"");
    let accelerator = r#"{"acpiIndexes": ["101"], "pfNames": ["ens1f0"], "isRdma": true}"#;
    insta::assert_snapshot!(odd("accelerator", accelerator), @"");
    let aux = r#"{"auxTypes": ["sf"], "pciAddresses": ["0000:3b:02.1"], "vdpaType": "vhost", "ddpProfiles": [], "pKeys": []}"#;
    insta::assert_snapshot!(odd("auxNetDevice", aux), @"");
}

#[test]
fn fields_of_pools_and_of_the_document_that_are_not_read() {
    let text = r#"{"version": 1, "resourceList": [{"resourceName": "p", "selector": {}, "vendors": ["8086"], "selectors": {},
        "additionalInfo": {"3b:02.1": {}, "**": {}, "*": {}}}]}"#;
    insta::assert_snapshot!(warnings(text).join("\n"), @"");
}

#[test]
fn names_that_others_do_not_take() {
    let pool = |prefix: &str, name: &str| {
        warnings(&format!(
            r#"{{"resourceList": [{{"resourceName": "{name}", "resourcePrefix": "{prefix}", "selectors": {{}}}}]}}"#
        ))
    };
    let all = [pool("Intel.com", "a-b"), pool("acme", "_a"), pool("a..b", "a"), pool("acme.com/x", &"n".repeat(64))];
    insta::assert_snapshot!(all.concat().join("\n"), @"");
    assert_eq!(pool("intel.com", "sriov_net_A"), [""; 0]);
}
