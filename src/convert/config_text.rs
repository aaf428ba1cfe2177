//! Whether a text is meant as a config.json, also if it is not valid JSON: its own parser then
//! reports the error.

use std::{iter::Peekable, str::Chars};

use serde_json::{Map, Value};

use super::yaml;

const LIST: &str = "resourceList";

/// Whether it is JSON with a `resourceList`, or invalid JSON with that key. Its own parser gets the
/// text, not the parsed value, since it depends on duplicate keys and their order.
pub(super) fn is_config(text: &str) -> bool {
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => has_list(&object),
        Ok(_) => false,
        Err(_) => outer_keys(text).iter().any(|key| is_list(key)),
    }
}

/// Whether it has a `resourceList`, but in YAML: the device plugin and the agents read only JSON.
pub(super) fn is_config_as_yaml(text: &str) -> bool {
    let documents = yaml::parse(text).unwrap_or_default();
    matches!(&documents[..], [document] if is_config_document(document))
}

/// Whether a document that was read as YAML is a config.json.
pub(super) fn is_config_document(document: &Value) -> bool {
    let object = document.as_object();
    object.is_some_and(|object| has_list(object) && !object.contains_key("kind"))
}

fn has_list(object: &Map<String, Value>) -> bool {
    object.keys().any(|key| is_list(key))
}

fn is_list(key: &str) -> bool {
    key.eq_ignore_ascii_case(LIST)
}

/// The quoted keys of the outermost object of a text that starts like JSON, wherever the error is.
fn outer_keys(text: &str) -> Vec<String> {
    let text = without_comments(text);
    let mut keys = Vec::new();
    if !text.starts_with('{') {
        return keys;
    }
    let (mut depth, mut chars) = (0_usize, text.chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            '{' | '[' => depth += 1,
            '}' | ']' if depth <= 1 => break,
            '}' | ']' => depth -= 1,
            '"' => {
                let string = rest_of_string(&mut chars);
                if depth == 1 && is_followed_by_colon(&mut chars) {
                    keys.push(string);
                }
            }
            _ => {}
        }
    }
    keys
}

/// Skips a byte order mark and lines of comments before the first brace.
fn without_comments(text: &str) -> &str {
    let mut text = text.trim_start_matches('\u{feff}').trim_start();
    while text.starts_with("//") || text.starts_with('#') {
        text = text
            .split_once('\n')
            .map_or("", |(_, rest)| rest.trim_start());
    }
    text
}

fn rest_of_string(chars: &mut Peekable<Chars<'_>>) -> String {
    let mut string = String::new();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => string.extend(chars.next()),
            c => string.push(c),
        }
    }
    string
}

fn is_followed_by_colon(chars: &mut Peekable<Chars<'_>>) -> bool {
    while chars.next_if(|c| c.is_whitespace()).is_some() {}
    chars.peek() == Some(&':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_json_is_recognised_by_its_outer_keys() {
        for text in [
            r#"{"resourceList": [{"resourceName": "kind_a"},]}"#,
            r#"{"a\"b": 1, "ResourceList" : [}"#,
            "// \"kind\": of\n# pools\n{\"kind\": 1, \"resourceList\": [",
            "\u{feff}{\"resourceList\": []}",
        ] {
            assert!(is_config(text), "{text}");
        }
        for text in [
            r#"{"kind": "ConfigMap", "data": {"config.json": "{\"resourceList\": []}"},}"#,
            r#"{"a": {"resourceList": []},}"#,
            r#"{"a": "resourceList",}"#,
            r#"[{"resourceList": []},]"#,
            "",
        ] {
            assert!(!is_config(text), "{text}");
        }
    }

    #[test]
    fn a_list_in_yaml_is_recognised_unless_it_is_of_an_object() {
        assert!(is_config_as_yaml("resourceList:\n- resourceName: a\n"));
        for text in ["kind: A\nresourceList: []", "a: 1", "nothing", "a: [", ""] {
            assert!(!is_config_as_yaml(text), "{text}");
        }
    }
}
