//! The recorded hosts of `e2e/fixtures`, for tests.

use std::{fs, path::Path};

use super::Recording;

/// File name without ending, and recording, sorted.
pub(crate) fn all() -> Vec<(String, Recording)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/fixtures");
    let files = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut hosts: Vec<_> = files
        .filter(|file| file.extension().is_some_and(|ending| ending == "json"))
        .filter_map(|file| {
            Some((
                file.file_stem()?.to_str()?.to_owned(),
                read(&fs::read_to_string(&file).unwrap())?,
            ))
        })
        .collect();
    hosts.sort_by(|one, two| one.0.cmp(&two.0));
    hosts
}

/// None: it is a fixture of another kind.
fn read(text: &str) -> Option<Recording> {
    let json: serde_json::Value = serde_json::from_str(text).unwrap();
    let is_host = ["functions", "sysfs"]
        .iter()
        .any(|key| json.get(key).is_some());
    is_host.then(|| serde_json::from_value(json).unwrap())
}
