//! Calls into the kernel that hang, in the log and the metrics: each is logged when it is found to
//! hang, and when it has returned.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::time::sleep;

use crate::{
    host::in_flight::{Hung, InFlight, LONG},
    telemetry::Metrics,
};

const PERIOD: Duration = Duration::from_secs(10);

/// Runs until the task is dropped.
pub(super) async fn run(calls: InFlight, metrics: Arc<Metrics>) {
    let mut known = BTreeMap::new();
    loop {
        sleep(PERIOD).await;
        let hung = calls.longer_than(LONG);
        metrics.hung(hung.len());
        log(&mut known, &hung);
    }
}

fn log(known: &mut BTreeMap<u64, String>, hung: &[Hung]) {
    for call in hung {
        if known.insert(call.number, call.call.clone()).is_none() {
            tracing::error!(
                call = call.call,
                seconds = call.age.as_secs(),
                "a call into the kernel hangs"
            );
        }
    }
    known.retain(|number, call| {
        let hangs = hung.iter().any(|call| call.number == *number);
        if !hangs {
            tracing::info!(call, "a call into the kernel has returned");
        }
        hangs
    });
}
