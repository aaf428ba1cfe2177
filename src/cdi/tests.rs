use proptest::prelude::*;

use super::*;

const UID: &str = "5f0c7f0e-8e6f-4a44-9d3b-7f2f6a5f4f3e";

/// Whether the CDI project's own parser accepts the spec.
fn parse(text: &str) -> Result<(), String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spec.json");
    crate::files::write_atomic(&path, text.as_bytes(), 0o644).unwrap();
    container_device_interface::spec::read_spec(&path, 0)
        .map(|_| ())
        .map_err(|error| error.to_string())
}

fn text(spec: &Spec) -> String {
    serde_json::to_string_pretty(spec).unwrap() + "\n"
}

#[test]
fn specs_are_written_and_removed_and_only_this_drivers_orphans_are() {
    let dir = tempfile::tempdir().unwrap();
    let spec = Spec::new(
        "sriov-dra.io",
        UID,
        vec![Device::new("0000:3b:02.1", Edits::default())],
    );
    write(dir.path(), "sriov-dra.io", UID, &spec).unwrap();
    write(dir.path(), "sriov-dra.io", "other", &spec).unwrap();
    let foreign = dir.path().join("nvidia.com-gpu.json");
    crate::files::write_atomic(&foreign, b"{}", 0o644).unwrap();
    remove_orphans(dir.path(), "sriov-dra.io", |uid| uid == UID).unwrap();
    assert!(exists(dir.path(), "sriov-dra.io", UID) && foreign.exists());
    assert!(!exists(dir.path(), "sriov-dra.io", "other"));
    remove(dir.path(), "sriov-dra.io", UID).unwrap();
    remove(dir.path(), "sriov-dra.io", UID).unwrap();
    assert!(!exists(dir.path(), "sriov-dra.io", UID));
}

/// What a claim sets as environment variables is in it, and only the runtime reads it.
#[test]
fn only_root_reads_a_spec() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let device = Device::new("0000:3b:02.1", Edits::default());
    write(
        dir.path(),
        "sriov-dra.io",
        UID,
        &Spec::new("sriov-dra.io", UID, vec![device]),
    )
    .unwrap();
    let file = dir.path().join(format!("sriov-dra.io-claim_{UID}.json"));
    let mode = std::fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn the_parser_rejects_an_invalid_spec() {
    let spec = Spec::new(
        "1wrong",
        UID,
        vec![Device::new("0000:3b:02.1", Edits::default())],
    );
    assert!(parse(&text(&spec)).is_err());
}

proptest! {
    #[test]
    fn every_spec_that_this_driver_writes_is_valid(
        names in proptest::collection::btree_set("[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\\.[0-7]", 1..4),
        env in proptest::collection::vec("[A-Z_]{1,8}=[a-z0-9:.,]{0,20}", 0..3),
        groups in proptest::collection::vec(0_u32..999, 0..3),
        mounts in proptest::collection::vec("/[a-z]{1,9}/[a-z.]{1,9}", 0..3),
    ) {
        // CDI rejects a device without edits.
        let edits = Edits {
            env: env.into_iter().chain(["SRIOV_DRA_NET=x".to_owned()]).collect(),
            device_nodes: groups.iter().map(|group| DeviceNode::new(format!("/dev/vfio/{group}"))).collect(),
            mounts: mounts.iter().map(|path| Mount::read_only(path, path)).collect(),
        };
        let devices = names.iter().map(|name| Device::new(name, edits.clone())).collect();
        let spec = Spec::new("sriov-dra.io", UID, devices);
        prop_assert_eq!(parse(&text(&spec)), Ok(()));
    }
}
