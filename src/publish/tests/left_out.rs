//! Where the server keeps no taints, a free device that nobody should get is in no slice.

use super::*;
use crate::slice::Effect;

const REASONS: [Reason; 5] = [
    Reason::LinkDown,
    Reason::Gone,
    Reason::UndoFailed,
    Reason::DriverMissing,
    Reason::InUse,
];

const WITHOUT: [Features; 2] = [
    PLAIN,
    Features {
        counters: true,
        taints: false,
    },
];

fn vf(case: &Case) -> DeviceId {
    let vf = case.host.functions.iter().find(|f| f.is_part());
    vf.unwrap().id
}

fn tainted(features: Features, taint: Taint) -> (Case, DeviceId) {
    let mut case = Case::of(host(&[(1, 7, 3), (2, 7, 2)]), features);
    let vf = vf(&case);
    case.taints = BTreeMap::from([(vf, vec![taint])]);
    (case, vf)
}

#[test]
fn a_free_device_is_left_out_for_whatever_taint_keeps_claims_away_and_comes_back() {
    for features in WITHOUT {
        for reason in REASONS {
            for effect in [Effect::NoSchedule, Effect::NoExecute] {
                let mut taint = Taint::no_schedule("sriov-dra.io", reason);
                taint.effect = effect;
                let (mut case, vf) = tainted(features, taint);
                let (without, warnings) = (case.devices(), case.desired().warnings);
                assert!(!without.contains_key(&vf.name()), "{reason:?} {effect:?}");
                assert!(warnings[0].contains(&vf.name()), "{warnings:?}");
                case.taints.clear();
                let mut healthy = case.devices();
                assert!(healthy.remove(&vf.name()).is_some(), "{reason:?}");
                assert_eq!(without, healthy, "the others stay as they are");
                assert_eq!(case.desired().warnings, [""; 0]);
            }
        }
    }
}

#[test]
fn a_device_of_a_claim_stays_unless_the_claim_has_given_it_back() {
    for features in WITHOUT {
        for reason in REASONS {
            let taint = Taint::no_schedule("sriov-dra.io", reason);
            let (mut case, vf) = tainted(features, taint);
            case.claimed = BTreeMap::from([(vf, None)]);
            let stays = case.devices().contains_key(&vf.name());
            assert_eq!(stays, reason != Reason::UndoFailed, "{reason:?}");
        }
    }
}

#[test]
fn a_taint_without_effect_leaves_nothing_out_and_no_taint_is_sent() {
    let mut taint = Taint::no_schedule("sriov-dra.io", Reason::LinkDown);
    taint.effect = Effect::None;
    let (case, vf) = tainted(PLAIN, taint);
    assert_eq!(case.devices()[&vf.name()].taints, []);
}

#[test]
fn where_taints_are_kept_nothing_is_left_out() {
    for reason in REASONS {
        let taint = Taint::no_schedule("sriov-dra.io", reason);
        let (case, vf) = tainted(ALL, taint.clone());
        assert_eq!(case.devices()[&vf.name()].taints, [taint]);
    }
}

#[test]
fn a_device_that_is_gone_is_listed_for_its_claim_without_a_taint() {
    let mut case = Case::of(host(&[(1, 7, 3)]), PLAIN);
    let vf = vf(&case);
    case.publish();
    case.claimed = BTreeMap::from([(vf, None)]);
    case.host.functions.retain(|function| function.id != vf);
    assert_eq!(case.devices()[&vf.name()].taints, []);
}
