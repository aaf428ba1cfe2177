//! YAML in and out.

use serde_json::Value;

/// Longer text is folded over several lines.
const LINE: usize = 400;

/// All documents of a text, without empty ones.
pub(super) fn parse(text: &str) -> Result<Vec<Value>, String> {
    let read = |text: &str| {
        serde_saphyr::from_multiple::<Value>(text).map_err(|error| one_line(&error.to_string()))
    };
    let documents = read(text).or_else(|why| read(&indented(text)).map_err(|_| why))?;
    Ok(documents
        .into_iter()
        .filter(|document| !document.is_null())
        .collect())
}

fn one_line(text: &str) -> String {
    text.lines()
        .next()
        .unwrap_or_default()
        .trim_start_matches("error: ")
        .to_owned()
}

/// With the lines of quoted texts indented, as YAML demands and kubectl does not: in the documentation of the CNI plugin
/// every `config: '{` ends with a `}'` at the start of a line. It means the same, since such white space is folded.
fn indented(text: &str) -> String {
    let mut open: Option<char> = None;
    let mut told = String::new();
    for line in text.lines() {
        match open {
            Some(quote) => {
                told += &format!("{:80}{}\n", "", line.trim_start());
                open = (!closes(line, quote)).then_some(quote);
            }
            None => {
                told += &format!("{line}\n");
                open = opens(line);
            }
        }
    }
    told
}

/// The quote of a text that begins in this line and does not end in it.
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

/// Documents as `kubectl apply` reads them. Texts that YAML 1.1 takes for something else (`on`, `0700`) are quoted.
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
    fn what_is_written_is_read_as_the_same() {
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
    fn quoted_texts_need_no_indentation() {
        let text = "spec:\n  config: '{\n\"type\": \"it''s\",\n  \"vlan\": 7\n}'\n  b: \"a\n\\\"b\"\n  c: 1\n";
        let read = &parse(text).unwrap()[0]["spec"];
        assert_eq!(read["config"], r#"{ "type": "it's", "vlan": 7 }"#);
        assert_eq!((&read["b"], &read["c"]), (&json!("a \"b"), &json!(1)));
    }

    #[test]
    fn an_error_is_one_line() {
        insta::assert_snapshot!(parse("a: [1\nb: 2").unwrap_err(), @r#"line 2 column 2: illegal placement of ':' indicator"#);
    }
}
