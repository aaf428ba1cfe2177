//! Reads manifests, for example the output of `kubectl get -o yaml` or `-o json`.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::Context;
use serde_json::{Deserializer, Value};

/// All objects of all files; `-` is standard input.
pub(in crate::cli) fn objects(files: &[PathBuf]) -> anyhow::Result<Vec<Value>> {
    let mut all = Vec::new();
    for file in files {
        let text = text(file).with_context(|| format!("file {}", file.display()))?;
        all.extend(documents(&text).with_context(|| format!("file {}", file.display()))?);
    }
    Ok(all)
}

fn text(file: &Path) -> std::io::Result<String> {
    if file != Path::new("-") {
        return std::fs::read_to_string(file);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    Ok(text)
}

/// JSON is also YAML, but the YAML parser limits the size of its input: the slices of a large
/// cluster exceed it.
fn documents(text: &str) -> anyhow::Result<Vec<Value>> {
    if text.trim_start().starts_with('{') {
        return Ok(Deserializer::from_str(text)
            .into_iter()
            .collect::<Result<_, _>>()?);
    }
    Ok(serde_saphyr::from_multiple(text)?)
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
        let error = objects(&["/nonexistent/claim.yaml".into()]).unwrap_err();
        assert!(
            format!("{error:#}").starts_with("file /nonexistent/claim.yaml: "),
            "{error:#}"
        );
    }
}
