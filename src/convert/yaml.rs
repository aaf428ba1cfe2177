//! Parses and writes YAML.

use serde_json::Value;

/// Longer strings are folded over several lines.
const LINE: usize = 400;

/// All documents of a text but empty ones.
pub(super) fn parse(text: &str) -> Result<Vec<Value>, String> {
    let read = |text: &str| {
        serde_saphyr::from_multiple_with_options::<Value>(text, options())
            .map_err(|error| one_line(&error.to_string()))
    };
    let documents = read(text).or_else(|why| read(&indented(text)).map_err(|_| why))?;
    Ok(documents
        .into_iter()
        .filter(|document| !document.is_null())
        .collect())
}

/// The parser's limits are for untrusted input. All pods of a large cluster are more.
fn options() -> serde_saphyr::Options {
    const MANY: usize = 100_000_000;
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: MANY,
            max_nodes: MANY,
            max_documents: MANY,
            max_total_scalar_bytes: usize::MAX,
        }
    }
}

/// The first line, without advice for programmers.
fn one_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let line = line.trim_start_matches("error: ");
    let advice = line.find(", set DuplicateKeyPolicy");
    line[..advice.unwrap_or(line.len())].to_owned()
}

/// Indents the continuation lines of quoted strings, which YAML requires but kubectl does not: in
/// the documentation of the CNI plugin every `config: '{` ends with `}'` at the start of a line.
/// The value is the same, since YAML folds this white space.
fn indented(text: &str) -> String {
    let mut open: Option<char> = None;
    let mut indented = String::new();
    for line in text.lines() {
        match open {
            Some(quote) => {
                indented += &format!("{:80}{}\n", "", line.trim_start());
                open = (!closes(line, quote)).then_some(quote);
            }
            None => {
                indented += &format!("{line}\n");
                open = opens(line);
            }
        }
    }
    indented
}

/// The quote of a string that starts in this line and does not end in it.
fn opens(line: &str) -> Option<char> {
    let value = line
        .split_once(": ")
        .map_or(line, |(_, value)| value)
        .trim_start()
        .trim_start_matches("- ");
    let quote = value
        .chars()
        .next()
        .filter(|quote| matches!(quote, '\'' | '"'))?;
    (!closes(&value[1..], quote)).then_some(quote)
}

fn closes(text: &str, quote: char) -> bool {
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let escaped = (c == '\\' && quote == '"')
            || (c == quote && quote == '\'' && rest.peek() == Some(&quote));
        if escaped {
            rest.next();
        } else if c == quote {
            return true;
        }
    }
    false
}

/// Documents for `kubectl apply`. Strings that YAML 1.1 parses as another type (`on`, `0700`) are
/// quoted.
///
/// # Panics
/// Never: JSON can always be written as YAML.
#[must_use]
pub fn documents(documents: &[Value]) -> String {
    let options = serde_saphyr::ser_options! { folded_wrap_chars: LINE };
    let document = |value: &Value| {
        let text = serde_saphyr::to_string_with_options(value, options.clone())
            .expect("JSON can be written as YAML");
        format!("---\n{}\n", text.trim_end())
    };
    documents.iter().map(document).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn written_documents_parse_to_the_same_value() {
        let value = json!({
            "on": "on", "off": "off", "y": "y", "number": "0700", "mac": "02:00:00:00:00:01", "version": "1.10",
            "null": "null", "empty": "", "script": "set -e\necho \"$A\"\n", "cel": "a == \"b\" && c in d['e']", "one": 1,
            "list": [], "map": {}, "long": "x ".repeat(300),
        });
        assert_eq!(
            parse(&documents(&[value.clone(), json!({"second": true})])).unwrap(),
            [value, json!({"second": true})]
        );
    }

    #[test]
    fn booleans_of_yaml_1_1_are_quoted() {
        insta::assert_snapshot!(documents(&[json!({"trust": "on", "spoofChk": "off"})]), @r#"
        ---
        spoofChk: "off"
        trust: "on"
        "#);
    }

    #[test]
    fn quoted_strings_need_no_indentation() {
        let text = "spec:\n  config: '{\n\"type\": \"it''s\",\n  \"vlan\": 7\n}'\n  b: \"a\n\\\"b\"\n  c: 1\n";
        let read = &parse(text).unwrap()[0]["spec"];
        assert_eq!(read["config"], r#"{ "type": "it's", "vlan": 7 }"#);
        assert_eq!((&read["b"], &read["c"]), (&json!("a \"b"), &json!(1)));
    }

    #[test]
    fn an_error_is_one_line() {
        insta::assert_snapshot!(parse("a: [1\nb: 2").unwrap_err(), @r#"line 2 column 2: illegal placement of ':' indicator"#);
    }

    /// `kubectl get pods -A -o yaml` of a large cluster.
    #[test]
    fn a_large_text_is_read() {
        let item = "- {kind: Pod, metadata: {name: p}, spec: {a: [1, 2, 3, 4, 5, 6, 7, 8]}}\n";
        let read = parse(&item.repeat(16_000)).unwrap();
        assert_eq!(read[0].as_array().unwrap().len(), 16_000);
    }
}
