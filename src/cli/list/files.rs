//! What `-f` names: manifests of a cluster, or a recorded host.

use std::{
    io,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow, bail, ensure};
use serde_json::Value;

use crate::{cli::explain::files, host::Recording};

const EXPECTED: &str = "expected the output of kubectl get resourceslices,resourceclaims -A -o yaml, or of sriov-dra record";

/// The content of the files.
pub(super) enum Content {
    /// Objects with slices or claims among them.
    Cluster(Vec<Value>),
    /// A host.
    Host(Box<Recording>),
}

/// Reads all files.
///
/// # Errors
/// A file that is neither; a recording beside other files: two hosts make no table.
pub(super) fn read(paths: &[PathBuf]) -> anyhow::Result<Content> {
    let mut all = Vec::new();
    for path in paths {
        let objects = objects(path)?;
        if let [recording] = &objects[..]
            && is_recording(recording)
        {
            ensure!(
                paths.len() == 1,
                "file {}: a recording must be the only file",
                path.display()
            );
            return host(path, recording);
        }
        ensure!(
            objects.iter().any(|object| object["kind"].is_string()),
            "file {}: no Kubernetes objects; {EXPECTED}",
            path.display()
        );
        all.extend(objects);
    }
    if !all.iter().any(is_of_devices) {
        let names: Vec<String> = paths
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        bail!(
            "file {}: no ResourceSlices or ResourceClaims; {EXPECTED}",
            names.join(", ")
        );
    }
    Ok(Content::Cluster(all))
}

fn objects(path: &Path) -> anyhow::Result<Vec<Value>> {
    files::objects(&[path.to_owned()]).map_err(|error| {
        if error.downcast_ref::<io::Error>().is_some() {
            error
        } else {
            anyhow!("{error:#}; {EXPECTED}")
        }
    })
}

/// `sriov-dra record` always writes `hostUsed`.
fn is_recording(document: &Value) -> bool {
    document.get("hostUsed").is_some() && document.get("kind").is_none()
}

fn host(path: &Path, recording: &Value) -> anyhow::Result<Content> {
    let recording = serde_json::from_value(recording.clone())
        .with_context(|| format!("file {}: recording", path.display()))?;
    Ok(Content::Host(Box::new(recording)))
}

/// Whether it is a slice or claim, or a list of them; an empty list may be of either.
fn is_of_devices(object: &Value) -> bool {
    match object["kind"].as_str() {
        Some("ResourceSlice" | "ResourceClaim" | "ResourceSliceList" | "ResourceClaimList") => true,
        Some("List") => object["items"]
            .as_array()
            .is_none_or(|items| items.is_empty() || items.iter().any(is_of_devices)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The error for files of these contents, without their directory.
    fn refusal(contents: &[&[u8]]) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = |(index, content): (usize, &&[u8])| {
            let path = dir.path().join(format!("{index}.yaml"));
            crate::files::write_atomic(&path, content, 0o600).unwrap();
            path
        };
        let paths: Vec<PathBuf> = contents.iter().enumerate().map(path).collect();
        let error = format!("{:#}", read(&paths).err().expect("an error"));
        error.replace(&format!("{}/", dir.path().display()), "")
    }

    #[test]
    fn a_file_that_is_no_manifest_is_an_error_that_names_it() {
        let no_objects = |name: &str| format!("file {name}: no Kubernetes objects; {EXPECTED}");
        for text in ["", "some text\n", "{\"resourceList\": []}"] {
            assert_eq!(refusal(&[text.as_bytes()]), no_objects("0.yaml"), "{text}");
        }
        let slice = b"kind: ResourceSlice\n";
        assert_eq!(refusal(&[slice, b"# nothing\n"]), no_objects("1.yaml"));
        assert_eq!(
            refusal(&[b"kind: Pod\n", b"kind: Node\n"]),
            format!("file 0.yaml, 1.yaml: no ResourceSlices or ResourceClaims; {EXPECTED}")
        );
        let error = refusal(&[b"a log: line 1: [\n"]);
        assert!(
            error.starts_with("file 0.yaml: ") && error.ends_with(EXPECTED),
            "{error}"
        );
        let error = refusal(&[b"\xff"]);
        assert!(error.starts_with("file 0.yaml: "), "{error}");
    }

    #[test]
    fn a_recording_is_read_alone_and_whole() {
        let error = refusal(&[b"{\"hostUsed\": [], \"told\": 1}"]);
        assert!(error.starts_with("file 0.yaml: recording: "), "{error}");
        assert_eq!(
            refusal(&[b"{\"hostUsed\": []}", b"kind: ResourceSlice\n"]),
            "file 0.yaml: a recording must be the only file"
        );
    }

    #[test]
    fn lists_are_of_devices_also_when_they_are_empty() {
        for text in [
            "{kind: List, items: []}",
            "{kind: ResourceClaimList}",
            "{kind: List, items: [{kind: Pod}, {kind: ResourceClaim}]}",
        ] {
            assert!(
                is_of_devices(&serde_saphyr::from_str(text).unwrap()),
                "{text}"
            );
        }
        let pods = serde_json::json!({"kind": "List", "items": [{"kind": "Pod"}]});
        assert!(!is_of_devices(&pods));
    }
}
