//! Reads manifests, for example the output of `kubectl get -o yaml` or `-o json`.

use std::path::PathBuf;

use anyhow::Context;
use serde_json::Value;

use crate::{cli::convert::files::text, convert};

/// All objects of all files; `-` is standard input.
pub(in crate::cli) fn objects(files: &[PathBuf]) -> anyhow::Result<Vec<Value>> {
    let mut all = Vec::new();
    for file in files {
        let text = text(file).with_context(|| format!("file {}", file.display()))?;
        let objects = documents(&text).with_context(|| format!("file {}", file.display()))?;
        all.extend(objects);
    }
    Ok(all)
}

fn documents(text: &str) -> anyhow::Result<Vec<Value>> {
    convert::objects(text).map_err(anyhow::Error::msg)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_and_json_are_read_document_by_document() {
        let yaml = "kind: DeviceClass\nmetadata: {name: vf}\n---\n# nothing\n---\nkind: ResourceClaim\nspec: {count: 1}\n";
        let all = documents(yaml).unwrap();
        assert_eq!(
            (
                all.len(),
                &all[0]["metadata"]["name"],
                &all[1]["spec"]["count"]
            ),
            (2, &"vf".into(), &1.into())
        );
        assert_eq!(
            documents("{\"kind\": \"List\"}\n{\"kind\": \"Pod\"}")
                .unwrap()
                .len(),
            2
        );
        assert!(documents("kind: [").is_err());
        // More than the YAML parser takes of untrusted input: the slices of a large cluster.
        let device = "- {name: a, attributes: {x: {int: 1}, y: {int: 2}, z: {string: s}}}\n";
        let large = documents(&device.repeat(20_000)).unwrap();
        assert_eq!(large.len(), 20_000);
        let error = objects(&["/nonexistent/claim.yaml".into()]).unwrap_err();
        assert!(
            format!("{error:#}").starts_with("file /nonexistent/claim.yaml: "),
            "{error:#}"
        );
    }
}
