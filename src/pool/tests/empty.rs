//! Pools that take nothing, and why.

use super::*;

fn empty(config: &str, devices: &[Candidate], withheld: &[Candidate]) -> Vec<String> {
    let config = config_of(config);
    let empty = config.empty_pools(devices, withheld, &config.assign(devices));
    empty.iter().map(ToString::to_string).collect()
}

fn config_of(pools: &str) -> Config {
    config(&format!("{{\"resourceList\": [{pools}]}}"))
}

fn pool(name: &str, selectors: &str) -> String {
    format!("{{\"resourceName\": \"{name}\", \"selectors\": {selectors}}}")
}

#[test]
fn the_nearest_device_and_what_keeps_it_out_is_named() {
    let mut mellanox = pf(0);
    mellanox.ids = crate::device::PciIds {
        vendor: 0x15b3,
        device: 0x101d,
    };
    let wanted = pool("upf", r#"{"vendors": ["15b3"], "devices": ["101e"]}"#);
    assert_eq!(
        empty(&wanted, &[vf(), mellanox.clone()], &[]),
        ["pool intel.com/upf takes no device; nearest 0000:3b:00.0: devices is 101d, wanted 101e"]
    );
    let with_vfs = Candidate {
        kind: CandidateKind::Pf { num_vfs: 4 },
        ..mellanox
    };
    assert_eq!(
        empty(&wanted, &[vf(), with_vfs], &[]),
        ["pool intel.com/upf takes no device; nearest 0000:3b:02.5: vendors is 8086, wanted 15b3"],
        "a PF with VFs is never looked at"
    );
    assert_eq!(
        empty(&wanted, &[], &[]),
        ["pool intel.com/upf takes no device; the node has no device that it may take"]
    );
    assert_eq!(empty(&pool("all", "{}"), &[vf()], &[]), [""; 0]);
}

#[test]
fn the_closest_selector_object_counts() {
    let objects = r#"[{"vendors": ["15b3"], "drivers": ["mlx5_core"]}, {"vendors": ["8086"], "drivers": ["vfio-pci"]}]"#;
    let nearest = "pool intel.com/upf takes no device; nearest 0000:3b:02.5: drivers is iavf, wanted vfio-pci";
    assert_eq!(empty(&pool("upf", objects), &[vf()], &[]), [nearest]);
}

#[test]
fn a_device_that_matches_is_in_another_pool_or_withheld() {
    let pools = [
        pool("first", "{}"),
        pool("late", r#"{"vendors": ["8086"]}"#),
    ]
    .join(",");
    assert_eq!(
        empty(&pools, &[vf()], &[]),
        [
            "pool intel.com/late takes no device; nearest 0000:3b:02.5: matches, but is in pool intel.com/first"
        ]
    );
    let of_host = pool("upf", r#"{"pfNames": ["ens1f0"]}"#);
    assert_eq!(
        empty(&of_host, &[pf(0)], &[vf()]),
        [
            "pool intel.com/upf takes no device; nearest 0000:3b:02.5: matches, but is used by the host or excluded"
        ]
    );
}
