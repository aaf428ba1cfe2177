//! The variables of pools, over all requests of a container.

use super::bench::Bench;
use crate::{attach::ContainerView, claim::view, ledger::Record, pool::PoolName};

const POOL: &str = "intel.com/sriov";

/// Devices of a pool, each with a request of its own.
fn pooled(bench: &Bench, name: &str, vfs: &[u32], pools: &[&str]) -> Record {
    let mut record = bench.record_of(name, vfs);
    for (number, (device, pool)) in record.devices.iter_mut().zip(pools).enumerate() {
        device.request = format!("nic{number}");
        device.extras.pool = Some(PoolName::of_resource(pool, "").unwrap().into());
    }
    record
}

fn container(bench: &Bench, requests: &[(&str, &str)]) -> ContainerView {
    let mount = |(claim, request): &(&str, &str)| {
        let uid = format!("uid-{claim}").parse().unwrap();
        (
            view::host_path(&bench.paths, &uid, request),
            "/in/container".into(),
        )
    };
    ContainerView {
        name: "main".into(),
        mounts: requests.iter().map(mount).collect(),
    }
}

fn environment(bench: &Bench, requests: &[(&str, &str)]) -> Vec<(String, String)> {
    let env = bench.attacher().environment(&container(bench, requests));
    // The runtime takes a name once only.
    let names: std::collections::BTreeSet<&String> = env.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), env.len());
    env
}

#[test]
fn a_pools_variables_are_joined_over_requests_and_claims() {
    let bench = Bench::new();
    bench.save(&pooled(
        &bench,
        "a",
        &[0, 1, 2],
        &[POOL, POOL, "intel.com/other"],
    ));
    bench.save(&pooled(&bench, "b", &[3], &[POOL]));
    let two = environment(&bench, &[("a", "nic1"), ("a", "nic0"), ("a", "nic2")]);
    let info = |vf: &str| format!(r#""{vf}":{{"generic":{{"deviceID":"{vf}"}}}}"#);
    let (one, other, third) = ("0000:02:10.0", "0000:02:10.2", "0000:02:10.6");
    assert_eq!(
        two,
        [
            (
                "PCIDEVICE_INTEL_COM_SRIOV".to_owned(),
                format!("{one},{other}")
            ),
            (
                "PCIDEVICE_INTEL_COM_SRIOV_INFO".to_owned(),
                format!("{{{},{}}}", info(one), info(other))
            ),
        ],
        "and nothing of the pool of one request, whose CDI device says it all"
    );
    let both = environment(&bench, &[("b", "nic0"), ("a", "nic0")]);
    assert_eq!(both[0].1, format!("{one},{third}"));
}

#[test]
fn one_request_of_a_pool_needs_nothing_more() {
    let bench = Bench::new();
    let mut record = pooled(&bench, "a", &[0, 1], &[POOL, POOL]);
    for device in &mut record.devices {
        device.request = "nic".to_owned();
    }
    bench.save(&record);
    assert_eq!(environment(&bench, &[("a", "nic")]), []);
    assert_eq!(environment(&bench, &[("gone", "nic")]), []);
    assert_eq!(environment(&bench, &[]), []);
}
