//! Start gates whose files cannot be changed.

use std::sync::Arc;

use super::bench::{Bench, DRIVER, run};
use crate::{
    claim::view,
    files::{Disk, Moment},
    ledger::Store,
};

/// A file system that has become read-only.
#[test]
fn a_gate_that_cannot_be_closed_keeps_no_netdev_in_a_pod_that_ends() {
    let mut bench = Bench::new();
    bench.save(&bench.record("a", 1));
    let (sandbox, netns) = bench.sandbox("a", 1);
    run(&bench.attacher(), &sandbox).unwrap();
    let read_only = |moment, what: &str| match moment {
        Moment::Before if what == "remove metadata" => Err(std::io::Error::from_raw_os_error(30)),
        _ => Ok(()),
    };
    bench.store = Store::new(&bench.paths, Disk::with_hook(Arc::new(read_only)));
    bench.attacher().stop(&sandbox);
    assert!(bench.link(0, &netns).is_none());
    assert!(bench.link(0, &bench.host()).is_some());
    assert_eq!(bench.attachment("a"), None);
    // Whoever looks at the claim next closes it.
    view::open(&bench.paths, &bench.load("a"), DRIVER).unwrap();
    assert!(!bench.start_gate("a").exists());
}
