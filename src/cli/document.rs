//! Machine-readable output: every document says which version of which form it is.

use serde::Serialize;

/// Version of the forms that `docs/schema` describes. Fields are added to it, never removed.
pub(super) const API_VERSION: &str = "cli.sriov-dra.io/v1";

/// A document with its version and kind first, as an object of the API has them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document<T> {
    api_version: &'static str,
    kind: &'static str,
    #[serde(flatten)]
    content: T,
}

impl<T: Serialize> Document<T> {
    pub(super) fn new(kind: &'static str, content: T) -> Self {
        Self {
            api_version: API_VERSION,
            kind,
            content,
        }
    }

    /// As JSON, with a line break at the end.
    pub(super) fn json(&self) -> serde_json::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

#[cfg(test)]
pub(super) mod schema {
    use serde_json::Value;

    /// Fails unless a schema of `docs/schema` describes the document, with its version and kind.
    pub(in crate::cli) fn check(schema: &str, document: &str) {
        let file = format!("{}/docs/schema/{schema}.json", env!("CARGO_MANIFEST_DIR"));
        let schema: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let document: Value = serde_json::from_str(document).unwrap();
        assert_eq!(document["apiVersion"], super::API_VERSION);
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&document)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}\n{document:#}", errors.join("\n"));
    }

    #[test]
    #[should_panic]
    fn a_document_without_a_version_is_not_described() {
        check(
            "device-list",
            r#"{"kind": "DeviceList", "devices": [], "emptyPools": []}"#,
        );
    }

    #[test]
    #[should_panic = "internal"]
    fn a_field_that_the_schema_does_not_have_is_not_described() {
        let version = super::API_VERSION;
        let list = format!(
            r#"{{"apiVersion": "{version}", "kind": "DeviceList", "devices": [], "emptyPools": [], "internal": 1}}"#
        );
        check("device-list", &list);
    }
}
