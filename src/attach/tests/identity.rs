//! Only devices of this node, and of the very claim that the pod uses, go into a pod.

use super::bench::{Bench, create, run};

#[test]
fn what_was_allocated_on_another_node_is_never_attached() {
    let bench = Bench::new();
    let mut record = bench.record("a", 1);
    record.devices[0].slice_pool = "node-a".into();
    bench.save(&record);
    let (attacher, (sandbox, _)) = (bench.attacher(), bench.sandbox("a", 1));
    let before = bench.fake.dump();
    let _ = bench.fake.take_log();
    let expected = "pod ns/a: claim ns/a: device 0000:02:10.0: is allocated on node node-a, this is node node; delete the pod";
    assert_eq!(run(&attacher, &sandbox).unwrap_err(), expected);
    assert_eq!(
        create(&attacher, &sandbox, &bench.container("a")).unwrap_err(),
        expected
    );
    assert_eq!(bench.fake.take_log(), [""; 0]);
    assert_eq!(bench.fake.dump(), before);
    assert_eq!(bench.attachment("a"), None);
    assert!(!bench.start_gate("a").exists());
}

/// The pod names its claims; the claim of that name which was here before is another one.
#[test]
fn an_earlier_claim_of_the_same_name_is_not_the_pods() {
    let bench = Bench::new();
    let mut earlier = bench.record_of("earlier", &[1]);
    earlier.owner.claim.name = "a".into();
    bench.save(&earlier);
    bench.save(&bench.record("a", 1));
    let named = ("pod-a".into(), "a".into());
    bench.pods.0.lock().unwrap().push(named);
    let (attacher, (sandbox, netns)) = (bench.attacher(), bench.sandbox("a", 1));
    run(&attacher, &sandbox).unwrap();
    assert!(bench.link(0, &netns).is_some());
    assert!(bench.link(1, &netns).is_none());
    assert_eq!(bench.attachment("earlier"), None);
}

/// A claim that pods share was prepared for the first of them; an earlier claim of its name is in
/// another pod.
#[test]
fn of_two_claims_of_one_name_that_were_prepared_for_other_pods_none_is_guessed() {
    let bench = Bench::new();
    let mut earlier = bench.record_of("earlier", &[1]);
    earlier.owner.claim.name = "a".into();
    bench.save(&earlier);
    bench.save(&bench.record("a", 1));
    let named = ("pod-second".into(), "a".into());
    bench.pods.0.lock().unwrap().push(named);
    let (attacher, (sandbox, netns)) = (bench.attacher(), bench.sandbox("second", 1));
    run(&attacher, &sandbox).unwrap();
    assert!(bench.link(0, &netns).is_none() && bench.link(1, &netns).is_none());
    let refused = create(&attacher, &sandbox, &bench.container("a")).unwrap_err();
    assert!(refused.contains("is not attached to pod"), "{refused}");
    // The earlier one is released, and with it the doubt.
    let uid = &earlier.owner.claim.uid;
    bench.store.remove(uid).unwrap();
    run(&attacher, &sandbox).unwrap();
    assert!(bench.link(0, &netns).is_some());
}
