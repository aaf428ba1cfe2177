//! From the text of a file to its documents. One that cannot be read costs itself only.

use std::io;

use serde_json::{Deserializer, Value};

use super::{config_text, yaml};

/// An input file.
#[derive(Debug, Clone)]
pub struct Input {
    /// Its name, for the report.
    pub file: String,
    /// Its content, or why it cannot be read.
    pub text: Result<String, String>,
    /// Found in a directory: it may have nothing to do with SR-IOV.
    pub found: bool,
}

/// What a file has.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Document {
    /// The text of a config.json.
    Config(String),
    /// An object of the API, or any other value.
    Object(Value),
    /// Why there is none, and what to do.
    Broken(String, &'static str),
}

const TOGETHER: &str = "has a resourceList beside other documents";
const ALONE: &str = "a config.json must be JSON, and in a file of its own or in a ConfigMap";
const RENDER: &str =
    "it looks like a template of Helm: render it first, with helm template, and convert the result";
const AGAIN: &str = "fix it and convert again";

/// Decodes the content of a file: UTF-8, or UTF-16 as PowerShell redirects it.
///
/// # Errors
/// It is neither.
pub fn text(content: Vec<u8>) -> io::Result<String> {
    let text = match content.get(..2) {
        Some([0xff, 0xfe]) => utf_16(&content[2..], u16::from_le_bytes),
        Some([0xfe, 0xff]) => utf_16(&content[2..], u16::from_be_bytes),
        _ => String::from_utf8(content).ok(),
    };
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, "is not text in UTF-8 or UTF-16");
    let text = text.ok_or_else(wrong)?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

fn utf_16(content: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (pairs, rest) = content.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
    String::from_utf16(&units).ok().filter(|_| rest.is_empty())
}

/// The objects of a text: JSON, also several values one after the other, or YAML.
///
/// # Errors
/// It is neither: the first error, in one line.
pub fn objects(text: &str) -> Result<Vec<Value>, String> {
    let values = match text.trim_start().starts_with(['{', '[']) {
        false => yaml::parse(text)?,
        true => {
            let values = Deserializer::from_str(text).into_iter();
            let values = values.collect::<Result<Vec<Value>, _>>();
            values.or_else(|error| yaml::parse(text).map_err(|_| error.to_string()))?
        }
    };
    let of_list = |value| match value {
        Value::Array(items) => items,
        value => vec![value],
    };
    Ok(values.into_iter().flat_map(of_list).collect())
}

/// The documents of a file, in order.
pub(super) fn documents(input: &Input) -> Vec<Document> {
    let text = match &input.text {
        Ok(text) => text.trim_start_matches('\u{feff}'),
        Err(why) => return vec![Document::Broken(why.clone(), AGAIN)],
    };
    if config_text::is_config(text) {
        return vec![Document::Config(text.to_owned())];
    }
    let documents = json(text).unwrap_or_else(|| from_yaml(text));
    match documents.as_slice() {
        [] if input.found => Vec::new(),
        [] => vec![Document::Broken("file has no document".to_owned(), AGAIN)],
        // Its parser reports what is not JSON, with line and column.
        [Document::Object(only)] if config_text::is_config_document(only) => {
            vec![Document::Config(text.to_owned())]
        }
        _ => documents.into_iter().flat_map(flat).collect(),
    }
}

/// JSON, also several values one after the other. Faster than as YAML.
fn json(text: &str) -> Option<Vec<Document>> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let values = Deserializer::from_str(text).into_iter::<Value>();
    let values = values.collect::<Result<Vec<_>, _>>().ok()?;
    Some(values.into_iter().map(Document::Object).collect())
}

/// If the text as a whole is not YAML, each of its documents is read alone.
fn from_yaml(text: &str) -> Vec<Document> {
    let all = |values: Vec<Value>| values.into_iter().map(Document::Object).collect();
    match yaml::parse(text) {
        Ok(values) => all(values),
        Err(_) => parts(text).iter().flat_map(|part| one(part)).collect(),
    }
}

fn one(part: &str) -> Vec<Document> {
    match yaml::parse(part) {
        Ok(values) => values.into_iter().map(Document::Object).collect(),
        Err(why) => {
            let remedy = if part.contains("{{") { RENDER } else { AGAIN };
            vec![Document::Broken(
                format!("neither YAML nor JSON: {why}"),
                remedy,
            )]
        }
    }
}

/// The documents of a stream, each after as many empty lines as are before it: so errors have the
/// line of the file.
fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for (number, line) in text.lines().enumerate() {
        if line == "---" || line.starts_with("--- ") {
            parts.push("\n".repeat(number + 1));
        } else if let Some(part) = parts.last_mut() {
            part.push_str(line);
            part.push('\n');
        }
    }
    parts
}

/// Flattens lists, as `kubectl get -o yaml` prints them, and templates of OpenShift.
fn flat(document: Document) -> Vec<Document> {
    let Document::Object(value) = document else {
        return vec![document];
    };
    let kind = value["kind"].as_str().unwrap_or_default();
    let items = match (&value, kind) {
        (Value::Array(items), _) => Some(items),
        (_, "Template") => value["objects"].as_array(),
        (_, kind) if kind.ends_with("List") => value["items"].as_array(),
        _ => None,
    };
    match items {
        Some(items) => {
            let items = items.iter().cloned().map(Document::Object);
            items.flat_map(flat).collect()
        }
        None if config_text::is_config_document(&value) => {
            vec![Document::Broken(TOGETHER.to_owned(), ALONE)]
        }
        None => vec![Document::Object(value)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        let input = Input {
            file: "a.yaml".to_owned(),
            text: Ok(text.to_owned()),
            found: false,
        };
        let line = |document| match document {
            Document::Config(_) => "config".to_owned(),
            Document::Object(value) => value.to_string(),
            Document::Broken(why, remedy) => format!("{why} -> {remedy}"),
        };
        documents(&input).into_iter().map(line).collect()
    }

    #[test]
    fn a_document_that_is_not_yaml_costs_itself_only() {
        let text = "a: 1\n---\nb: 1\nb: 2\n---\nc: {{ .Values.c }}\n---\n# nothing\n---\nd: 4\n";
        insta::assert_snapshot!(of(text).join("\n"), @r#"
        {"a":1}
        neither YAML nor JSON: line 4 column 1: duplicate mapping key: b -> fix it and convert again
        neither YAML nor JSON: line 6 column 5: expected string scalar -> it looks like a template of Helm: render it first, with helm template, and convert the result
        {"d":4}
        "#);
    }

    #[test]
    fn text_may_be_utf_16() {
        let encoded = |to_bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            let units = "\u{feff}kind: Pöd".encode_utf16();
            units.flat_map(to_bytes).collect()
        };
        for content in [
            encoded(u16::to_le_bytes),
            encoded(u16::to_be_bytes),
            "\u{feff}kind: Pöd".into(),
        ] {
            assert_eq!(text(content).unwrap(), "kind: Pöd");
        }
        assert!(text(vec![0xff]).is_err() && text(vec![0xff, 0xfe, 0]).is_err());
    }

    #[test]
    fn objects_are_in_json_or_yaml() {
        let of = |text: &str| objects(text).unwrap().len();
        assert_eq!(of("[{\"kind\": \"Pod\"}, {}]\n{}"), 3);
        assert_eq!(of("{kind: Pod}\n---\n# nothing\n---\na: 1\r\n"), 2);
        let error = |text: &str| objects(text).unwrap_err();
        assert_eq!(
            error("{\"kind\": \"Po"),
            "EOF while parsing a string at line 1 column 12"
        );
        assert_eq!(
            error("a: 1\na: 2\n"),
            "line 2 column 1: duplicate mapping key: a"
        );
    }

    #[test]
    fn json_may_have_several_values() {
        assert_eq!(of("{\"a\": 1}\n{\"b\": 2}"), ["{\"a\":1}", "{\"b\":2}"]);
        assert_eq!(of("\u{feff}[{\"a\": 1}]"), ["{\"a\":1}"]);
        assert_eq!(of("{a: 1}"), ["{\"a\":1}"]);
    }

    #[test]
    fn lists_in_lists_and_templates_are_flat() {
        let list = "kind: List\nitems:\n- kind: PodList\n  items: [{a: 1}]\n- kind: Template\n  objects: [{b: 2}]\n";
        assert_eq!(of(list), ["{\"a\":1}", "{\"b\":2}"]);
    }

    #[test]
    fn a_file_without_a_document_is_odd_unless_it_was_found_in_a_directory() {
        let mut input = Input {
            file: "a.yaml".to_owned(),
            text: Ok("# only\n---\n# comments\n".to_owned()),
            found: false,
        };
        assert!(matches!(&documents(&input)[..], [Document::Broken(..)]));
        input.found = true;
        assert_eq!(documents(&input), []);
    }
}
