//! What is taken as the device plugin takes it, with a warning.

use super::*;

/// The warnings on one pool's selectors, without the pool's place.
fn odd(device_type: &str, selectors: &str) -> String {
    let all = warnings(&one_pool(device_type, selectors));
    all.iter()
        .map(|line| line.trim_start_matches("resourceList[0]."))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn values_that_never_match() {
    let text = r#"{"vendors": ["0x8086", "8086 ", "15B3", "intel", null], "devices": ["00154c", "d58"],
        "drivers": ["vfio-pci ", ""], "pciAddresses": ["3b:02.1", "0000:3B:02.1", "ens1f0"],
        "acpiIndexes": ["0101", "", "eno1"], "linkTypes": ["ethernet"], "ddpProfiles": [" GTP"], "vdpaType": "vhost-net"}"#;
    insta::assert_snapshot!(odd("netDevice", text), @r#"
    selectors.vendors[0]: "0x8086" never matches, must be "8086"
    selectors.vendors[1]: "8086 " never matches, must be "8086"
    selectors.vendors[2]: "15B3" never matches, must be "15b3"
    selectors.vendors[3]: "intel" never matches, must be 4 lower-case hex digits like "8086"
    selectors.vendors[4]: "" never matches, must be 4 lower-case hex digits like "8086"
    selectors.devices[0]: "00154c" never matches, must be 4 lower-case hex digits like "8086"
    selectors.devices[1]: "d58" never matches, must be "0d58"
    selectors.drivers[0]: "vfio-pci " never matches, must be "vfio-pci"
    selectors.drivers[1]: "" never matches, must be a driver's name like "vfio-pci"
    selectors.pciAddresses[0]: "3b:02.1" never matches, must be "0000:3b:02.1"
    selectors.pciAddresses[1]: "0000:3B:02.1" never matches, must be "0000:3b:02.1"
    selectors.pciAddresses[2]: "ens1f0" never matches, must be a PCI address like "0000:3b:02.1"
    selectors.acpiIndexes[0]: "0101" never matches, must be a decimal number like "101"
    selectors.acpiIndexes[2]: "eno1" never matches, must be a decimal number like "101"
    selectors.linkTypes[0]: "ethernet" never matches, must be "ether"
    selectors.ddpProfiles[0]: " GTP" never matches, must be a package's name without white space around it
    selectors.vdpaType: "vhost-net" never matches, must be "vhost" or "virtio"
    "#);
}

#[test]
fn items_of_pf_names_that_do_not_do_what_they_say() {
    let text = r#"{"pfNames": ["eth0#0-1", "ETH0#4", "eth1#0#1", "eth2#0,x,3", "eth3#", "eth4#5-3", "eth5#-1", "eth6#1, 2",
        "0000:3b:00.0", "", "a-name-too-long-for-linux#1"]}"#;
    insta::assert_snapshot!(odd("netDevice", text), @r#"
    selectors.pfNames[1]: "ETH0#4" is never looked at, "eth0#0-1" has that PF already, must be one item
    selectors.pfNames[2]: "eth1#0#1" never matches, must be like "ens1f0#0-3,7", with one '#'
    selectors.pfNames[3]: "eth2#0,x,3": "x" is no number and no range like 0-3, nothing from there on is selected
    selectors.pfNames[4]: "eth3#": "" is no number and no range like 0-3, nothing from there on is selected
    selectors.pfNames[5]: "eth4#5-3": 5-3 is empty, must be 3-5
    selectors.pfNames[6]: "eth5#-1": "-1" is no number and no range like 0-3, nothing from there on is selected
    selectors.pfNames[7]: "eth6#1, 2": " 2" is no number and no range like 0-3, nothing from there on is selected
    selectors.pfNames[8]: "0000:3b:00.0" never matches, must be a netdev's name like "ens1f0#0-3" (addresses go into rootDevices)
    selectors.pfNames[9]: "" never matches, must be a netdev's name like "ens1f0#0-3" (addresses go into rootDevices)
    selectors.pfNames[10]: "a-name-too-long-for-linux#1" never matches, must be a netdev's name like "ens1f0#0-3" (addresses go into rootDevices)
    "#);
}

#[test]
fn values_that_are_meant_as_patterns_ranges_or_lists() {
    let text = r#"{"vendors": ["*", "8086,15b3"], "devices": ["1889-188b", "15??"], "drivers": ["mlx5_*"],
        "pciAddresses": ["0000:3b:02.*", "0000:3b:02.0-7"], "acpiIndexes": ["101-103"], "ddpProfiles": ["GTP*"],
        "pfNames": ["mlx-*", "ens1f[0-1]#0-3", "ens1f0,ens1f1", "ens2f0#0-3,7"], "rootDevices": ["0000:3b:*"]}"#;
    insta::assert_snapshot!(odd("netDevice", text), @r#"
    selectors.vendors[0]: "*" never matches (values are compared literally, not as patterns), must be 4 lower-case hex digits like "8086"
    selectors.vendors[1]: "8086,15b3" never matches (values are compared literally, not as lists), must be 4 lower-case hex digits like "8086"
    selectors.devices[0]: "1889-188b" never matches (values are compared literally, not as ranges), must be 4 lower-case hex digits like "8086"
    selectors.devices[1]: "15??" never matches (values are compared literally, not as patterns), must be 4 lower-case hex digits like "8086"
    selectors.drivers[0]: "mlx5_*" never matches (values are compared literally, not as patterns), must be a driver's name like "vfio-pci"
    selectors.pciAddresses[0]: "0000:3b:02.*" never matches (values are compared literally, not as patterns), must be a PCI address like "0000:3b:02.1"
    selectors.pciAddresses[1]: "0000:3b:02.0-7" never matches (values are compared literally, not as ranges), must be a PCI address like "0000:3b:02.1"
    selectors.acpiIndexes[0]: "101-103" never matches (values are compared literally, not as ranges), must be a decimal number like "101"
    selectors.ddpProfiles[0]: "GTP*" never matches (values are compared literally, not as patterns), must be a package's name without white space around it
    selectors.pfNames[0]: "mlx-*" never matches (values are compared literally, not as patterns), must be a netdev's name like "ens1f0#0-3" (addresses go into rootDevices)
    selectors.pfNames[1]: "ens1f[0-1]#0-3" never matches (values are compared literally, not as patterns), must be a netdev's name like "ens1f0#0-3" (addresses go into rootDevices)
    selectors.pfNames[2]: "ens1f0,ens1f1" never matches (values are compared literally, not as lists), must be a netdev's name like "ens1f0#0-3" (addresses go into rootDevices)
    selectors.rootDevices[0]: "0000:3b:*" never matches (values are compared literally, not as patterns), must be a PCI address like "0000:3b:00.0#0-3"
    "#);
}

#[test]
fn drivers_that_are_none_of_pci_functions() {
    let text = r#"{"drivers": ["netdevice", "netDevice", "mlx5_ib", "irdma", "vfio_pci", "Mlx5_Core", "vfio-pci", "iavf"]}"#;
    insta::assert_snapshot!(odd("netDevice", text), @r#"
    selectors.drivers[0]: "netdevice" never matches, must be a driver's name like "iavf" or "vfio-pci": netdevice is a deviceType
    selectors.drivers[1]: "netDevice" never matches, must be a driver's name like "iavf" or "vfio-pci": netDevice is a deviceType
    selectors.drivers[2]: "mlx5_ib" never matches, must be "mlx5_core": mlx5_ib works on top of that driver and is bound to no PCI function
    selectors.drivers[3]: "irdma" never matches, must be "ice", "i40e" or, for VFs, "iavf": irdma works on top of that driver and is bound to no PCI function
    selectors.drivers[4]: "vfio_pci" never matches, must be "vfio-pci"
    selectors.drivers[5]: "Mlx5_Core" never matches, must be "mlx5_core"
    "#);
}

#[test]
fn items_of_root_devices_that_do_not_do_what_they_say() {
    let text = r#"{"rootDevices": ["0000:3B:00.0#0-3", "0000:3b:00.0", "ens1f0#1", "3b:00.1#1", "0000:af:00.0#1#2"]}"#;
    insta::assert_snapshot!(odd("netDevice", text), @r#"
    selectors.rootDevices[1]: "0000:3b:00.0" is never looked at, "0000:3B:00.0#0-3" has that PF already, must be one item
    selectors.rootDevices[2]: "ens1f0#1" never matches, must be a PCI address like "0000:3b:00.0#0-3"
    selectors.rootDevices[3]: "3b:00.1#1" never matches, must be a PCI address like "0000:3b:00.0#0-3"
    selectors.rootDevices[4]: "0000:af:00.0#1#2" never matches, must be like "ens1f0#0-3,7", with one '#'
    "#);
}

#[test]
fn links_and_keys() {
    insta::assert_snapshot!(odd("netDevice", r#"{"linkTypes": ["ether", "infiniband"]}"#), @"selectors.linkTypes: has several values: any of them is taken, the device plugin would have a single one");
    let text = r#"{"linkTypes": ["ether"], "pKeys": ["0x1", "0xABCD", "0x7fff", "32767", "0X1", "0x10000", "0x+1"]}"#;
    insta::assert_snapshot!(odd("netDevice", text), @r#"
    selectors.pKeys: never matches, only devices of linkTypes ["infiniband"] have a key
    selectors.pKeys[0]: "0x1" is taken as 0x0001, the device plugin never matches it
    selectors.pKeys[1]: "0xABCD" is taken as 0xabcd, the device plugin never matches it
    selectors.pKeys[3]: "32767" never matches, must be 0x and 4 hex digits like "0x7fff"
    selectors.pKeys[4]: "0X1" never matches, must be 0x and 4 hex digits like "0x7fff"
    selectors.pKeys[5]: "0x10000" never matches, must be 0x and 4 hex digits like "0x7fff"
    selectors.pKeys[6]: "0x+1" never matches, must be 0x and 4 hex digits like "0x7fff"
    "#);
}

#[test]
fn fields_that_are_not_read() {
    let net = r#"{"auxTypes": ["sf"], "vendor": ["8086"], "pf_names": [], "colour": 1, "is rdma\n": true}"#;
    insta::assert_snapshot!(odd("netDevice", net), @r#"
    selectors.auxTypes: is ignored, is no selector of deviceType netDevice
    selectors.vendor: is an unknown field and ignored, did you mean "vendors"?
    selectors.pf_names: is an unknown field and ignored, did you mean "pfNames"?
    selectors.colour: is an unknown field and ignored, known are vendors, devices, drivers, pciAddresses, acpiIndexes, pfNames, rootDevices, linkTypes, ddpProfiles, pKeys, isRdma, vdpaType, needVhostNet
    selectors["is rdma\n"]: is an unknown field and ignored, known are vendors, devices, drivers, pciAddresses, acpiIndexes, pfNames, rootDevices, linkTypes, ddpProfiles, pKeys, isRdma, vdpaType, needVhostNet
    "#);
    let accelerator = r#"{"acpiIndexes": ["101"], "pfNames": ["ens1f0"], "isRdma": true}"#;
    insta::assert_snapshot!(odd("accelerator", accelerator), @r#"
    selectors.acpiIndexes: is ignored, is no selector of deviceType accelerator
    selectors.pfNames: is ignored, is no selector of deviceType accelerator
    selectors.isRdma: is ignored, is no selector of deviceType accelerator
    "#);
    let aux = r#"{"auxTypes": ["sf"], "pciAddresses": ["0000:3b:02.1"], "vdpaType": "vhost", "ddpProfiles": [], "pKeys": []}"#;
    insta::assert_snapshot!(odd("auxNetDevice", aux), @r#"
    selectors.pciAddresses: is ignored, is no selector of deviceType auxNetDevice
    selectors.vdpaType: is ignored, is no selector of deviceType auxNetDevice
    selectors.ddpProfiles: is ignored, is no selector of deviceType auxNetDevice
    selectors.pKeys: is ignored, is no selector of deviceType auxNetDevice
    "#);
}

#[test]
fn fields_of_pools_and_of_the_document_that_are_not_read() {
    let text = r#"{"version": 1, "resourceList": [{"resourceName": "p", "selector": {}, "vendors": ["8086"], "selectors": {},
        "additionalInfo": {"3b:02.1": {}, "**": {}, "*": {}}}]}"#;
    insta::assert_snapshot!(warnings(text).join("\n"), @r#"
    version: is an unknown field and ignored, known are resourceList
    resourceList[0].selector: is an unknown field and ignored, did you mean "selectors"?
    resourceList[0].vendors: is ignored, must be inside selectors
    resourceList[0].additionalInfo: "**" is never looked up, must be "*" or a PCI address like "0000:3b:02.1"
    resourceList[0].additionalInfo: "3b:02.1" is never looked up, must be "*" or a PCI address like "0000:3b:02.1"
    "#);
}

#[test]
fn names_that_others_do_not_take() {
    let pool = |prefix: &str, name: &str| {
        warnings(&format!(
            r#"{{"resourceList": [{{"resourceName": "{name}", "resourcePrefix": "{prefix}", "selectors": {{}}}}]}}"#
        ))
    };
    let all = [
        pool("Intel.com", "a-b"),
        pool("acme", "_a"),
        pool("x.kubernetes.io", "a"),
        pool("a..b", "a"),
        pool("acme.com/x", &"n".repeat(64)),
    ];
    insta::assert_snapshot!(all.concat().join("\n"), @r#"
    resourceList[0].resourcePrefix: "Intel.com" is no DNS subdomain like "intel.com" outside kubernetes.io, so no pod can request this pool
    resourceList[0].resourceName: "a-b" has a '-', which the container's variable PCIDEVICE_… has too: shells cannot read it, use '_'
    resourceList[0].resourceName: "_a" must have at most 63 characters, letters or digits first and last, or no pod can request it
    resourceList[0].resourcePrefix: "x.kubernetes.io" is no DNS subdomain like "intel.com" outside kubernetes.io, so no pod can request this pool
    resourceList[0].resourcePrefix: "a..b" is no DNS subdomain like "intel.com" outside kubernetes.io, so no pod can request this pool
    resourceList[0].resourcePrefix: "acme.com/x" is no DNS subdomain like "intel.com" outside kubernetes.io, so no pod can request this pool
    resourceList[0].resourceName: "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn" must have at most 63 characters, letters or digits first and last, or no pod can request it
    resourceList[0].resourceName: "acme.com/x/nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"… has more than 64 bytes, too many for the attribute pool
    "#);
    assert_eq!(pool("intel.com", "sriov_net_A"), [""; 0]);
}
