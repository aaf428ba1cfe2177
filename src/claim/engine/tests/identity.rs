//! Whatever a claim asks, from whatever state, whatever becomes of its pod: released, the host is
//! as before.

use proptest::prelude::*;

use super::*;
use crate::{
    device::{Binding, IfName, LinkSetting, Mac, VfSetting, VlanTag},
    host::Kernel,
};

const VF: &str = "0000-02-10-0";

/// How the VF is before anybody claims it.
#[derive(Debug, Clone)]
struct Rest {
    mac: Option<u8>,
    vlan: u16,
    trust: bool,
    mtu: u32,
    up: bool,
    name: Option<String>,
    vfio: bool,
}

fn rest() -> impl Strategy<Value = Rest> {
    let vlan = prop_oneof![Just(0_u16), 1..4095_u16];
    (
        any::<Option<u8>>(),
        vlan,
        any::<bool>(),
        68..9000_u32,
        any::<bool>(),
        any::<Option<u8>>(),
        any::<bool>(),
    )
        .prop_map(|(mac, vlan, trust, mtu, up, name, vfio)| {
            let name = name.map(|number| format!("port{number}"));
            Rest {
                mac,
                vlan,
                trust,
                mtu,
                up,
                name,
                vfio,
            }
        })
}

fn asked() -> impl Strategy<Value = Value> {
    let driver = prop_oneof![Just(""), Just("default"), Just("vfio-pci"), Just("iavf")];
    let mac = any::<Option<u8>>();
    (
        driver,
        mac,
        any::<Option<bool>>(),
        any::<Option<u8>>(),
        any::<Option<bool>>(),
        0..4_u32,
    )
        .prop_map(|(driver, mac, trust, vlan, spoof, rate)| {
            let options = [
                (
                    "mac",
                    mac.map(|mac| json!(format!("02:00:00:00:01:{mac:02x}"))),
                ),
                ("trust", trust.map(Value::from)),
                ("vlan", vlan.map(Value::from)),
                ("spoofChk", spoof.map(Value::from)),
                ("maxTxRate", (rate > 0).then(|| json!(rate * 100))),
                ("linkState", (rate > 2).then(|| json!("enable"))),
            ];
            let mut fields = json!({"driver": driver});
            for (name, value) in options {
                if let Some(value) = value {
                    fields[name] = value;
                }
            }
            fields
        })
}

fn resting(rest: &Rest) -> Fake {
    let (fake, id) = (Fake::igb(), DeviceId::from_name(VF).unwrap());
    let vf = fake.observe(&id).unwrap().function.vf_address().unwrap();
    let host = crate::netdev::host_netns(&fake, &Paths::default()).unwrap();
    fake.set_vf(
        &vf,
        &VfSetting::Vlan(VlanTag {
            id: rest.vlan,
            ..VlanTag::default()
        }),
    )
    .unwrap();
    fake.set_vf(&vf, &VfSetting::Trust(rest.trust)).unwrap();
    if let Some(mac) = rest.mac {
        fake.set_vf(&vf, &VfSetting::Mac(Mac([2, 0, 0, 0, 2, mac])))
            .unwrap();
    }
    fake.reprobe(&id).unwrap();
    let name = rest
        .name
        .clone()
        .map(|name| LinkSetting::Name(name.parse::<IfName>().unwrap()));
    for setting in name
        .into_iter()
        .chain([LinkSetting::Mtu(rest.mtu), LinkSetting::Up(rest.up)])
    {
        fake.set_link(&id, &host, &setting).unwrap();
    }
    if rest.vfio {
        let vfio = Binding {
            driver: Some("vfio-pci".into()),
            driver_override: Some("vfio-pci".into()),
        };
        fake.set_driver(&id, &vfio, soon()).unwrap();
    }
    fake
}

proptest! {
    #[test]
    fn prepared_and_released_is_as_before(rest in rest(), asked in asked(), fate in 0..4_u8) {
        let world = World::with(resting(&rest));
        let before = world.fake.dump();
        let claim = claim("c", &[VF], asked);
        let prepared = world.prepare(&claim);
        let to_pod = world.engine.attaches_by(&claim.claim.uid, crate::api::AttachMode::Pod);
        if prepared.is_ok() && to_pod && fate > 0 {
            world.attach(&claim, "net1");
            match fate {
                1 => world.fake.destroy_netns(Path::new(POD)),
                2 => world.fake.leak_netns(Path::new(POD)),
                _ => {}
            }
        }
        world.unprepare(&claim).unwrap();
        prop_assert_eq!(world.fake.dump(), before, "{:?}", prepared);
        prop_assert!(world.files().is_empty());
    }
}
