use serde_json::{Value, json};

use super::read;
use crate::{
    cni::{
        netconf::{Conf, IbNetConf},
        protocol::CniError,
    },
    device::LinkState,
};

fn ib(members: Value, args: &str) -> Result<IbNetConf, CniError> {
    let mut conf = json!({"name": "n", "type": "ib-sriov"});
    conf.as_object_mut()
        .unwrap()
        .extend(members.as_object().unwrap().clone());
    match read(&conf.to_string(), args)?.1 {
        Conf::Ib(conf) => Ok(conf),
        Conf::Sriov(conf) => panic!("{conf:?}"),
    }
}

#[test]
fn infiniband_has_its_own_keys() {
    let conf = ib(
        json!({
            "deviceID": "0000:3b:02.1", "pkey": "0x8001", "link_state": "enable",
            "rdmaIsolation": true, "ibKubernetesEnabled": true, "vfioPciMode": false,
            "args": {"cni": {"guid": "00:02:c9:03:00:00:10:01", "mellanox.infiniband.app": "configured"}},
            "vlan": "not ours",
        }),
        "",
    )
    .unwrap();
    assert_eq!(conf.guid.unwrap().to_string(), "00:02:c9:03:00:00:10:01");
    assert_eq!(conf.pkey.unwrap().to_string(), "0x8001");
    assert_eq!(conf.link_state, Some(LinkState::Enable));
    assert!(conf.rdma_isolation && conf.ib_kubernetes && !conf.vfio);
    assert_eq!(conf.device.unwrap().to_string(), "0000:3b:02.1");
    let odd = ib(json!({"pkey": "10"}), "").unwrap();
    assert_eq!(
        (odd.pkey, &*odd.warnings[0]),
        (
            None,
            "pkey: \"10\" is no partition key, must be like 0x8001"
        )
    );
}

#[test]
fn guids_are_the_runtimes_then_the_networks() {
    let guid = |members: Value, args: &str| {
        let conf = ib(members, args);
        conf.map(|conf| conf.guid.map(|guid| guid.to_string()))
    };
    let (one, two, three) = (
        "00:02:c9:03:00:00:10:01",
        "0002.c903.0000.1002",
        "00-02-c9-03-00-00-10-03",
    );
    let both = json!({"runtimeConfig": {"infinibandGUID": one}, "args": {"cni": {"guid": two}}});
    assert_eq!(guid(both, ""), Ok(Some(one.to_owned())));
    let args = format!("guid={three}");
    let network = json!({"args": {"cni": {"guid": two}}});
    assert_eq!(
        guid(network, &args),
        Ok(Some("00:02:c9:03:00:00:10:02".to_owned()))
    );
    assert_eq!(
        guid(json!({}), &args),
        Ok(Some("00:02:c9:03:00:00:10:03".to_owned()))
    );
    assert_eq!(guid(json!({}), ""), Ok(None));
    let own = json!({"guid": one});
    assert_eq!(guid(own.clone(), ""), Ok(Some(one.to_owned())));
    let third = Ok(Some("00:02:c9:03:00:00:10:03".to_owned()));
    assert_eq!(guid(own, &args), third);
    let odd = ib(json!({"guid": "x"}), "").unwrap();
    assert!(odd.guid.is_none() && odd.warnings[0].starts_with("guid: \"x\" is no GUID"));
    let waits = ib(json!({"guid": one, "ibKubernetesEnabled": true}), "");
    assert_eq!(waits.unwrap_err().code.0, 11);
    for bad in [
        "x",
        "02:00:00:00:00:01",
        "00:00:00:00:00:00:00:00",
        "ff:ff:ff:ff:ff:ff:ff:ff",
    ] {
        let error = guid(json!({"runtimeConfig": {"infinibandGUID": bad}}), "").unwrap_err();
        let said = format!("runtimeConfig.infinibandGUID: \"{bad}\" is no GUID of a device");
        assert!(
            error.code.0 == 7 && error.msg.starts_with(&said),
            "{}",
            error.msg
        );
    }
}

#[test]
fn ib_kubernetes_is_waited_for_and_dhcp_refused() {
    let enabled = |cni: Value| {
        ib(
            json!({"ibKubernetesEnabled": true, "args": {"cni": cni}}),
            "",
        )
    };
    let later = "ib-kubernetes has not configured the network yet";
    for (cni, lacks) in [
        (json!({}), "mellanox.infiniband.app is not \"configured\""),
        (
            json!({"mellanox.infiniband.app": "configured"}),
            "guid is not set",
        ),
    ] {
        let error = enabled(cni).unwrap_err();
        assert_eq!(
            (error.code.0, error.msg),
            (11, format!("args.cni: {lacks}: {later}"))
        );
    }
    let error = ib(json!({"ipam": {"type": "dhcp"}}), "").unwrap_err();
    assert_eq!(
        (error.code.0, &*error.msg),
        (2, "ipam.type: dhcp is not supported on InfiniBand")
    );
}
