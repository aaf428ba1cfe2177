//! Attaching on the fake kernel: what pods see, and that nothing is left behind, whenever the
//! process dies.

pub(crate) mod bench;
mod crash;
mod earlier_version;
mod environment;
mod gates;
mod identity;
mod pods;

#[test]
fn the_resting_state_is_what_was_found_with_the_claims_steps_on_it() {
    use crate::{
        device::{LinkSetting, Mac, VfSetting},
        ledger::Step,
        netdev::{differences, resting},
    };

    let bench = bench::Bench::new();
    let mut device = bench.record("a", 1).devices[0].clone();
    let found = resting(&device).unwrap();
    let mac = Mac([2, 0, 0, 0, 0, 9]);
    device.steps.push(Step::Vf {
        vf: bench.vf_address().into(),
        from: None,
        to: VfSetting::Mac(mac),
        unknown: Default::default(),
    });
    device.steps.push(Step::Link {
        from: None,
        to: LinkSetting::Mtu(9000),
        unknown: Default::default(),
    });
    let rest = resting(&device).unwrap();
    assert_eq!(
        (rest.mac, rest.mtu, &rest.name),
        (Some(mac), 9000, &found.name)
    );
    assert_eq!(
        differences(&found, &rest),
        [LinkSetting::Mac(mac), LinkSetting::Mtu(9000)]
    );
    device.steps.remove(0);
    assert_eq!(resting(&device), None);
}
