//! The report: the result of each field.

use serde::Serialize;
use serde_json::Value;

use super::input::Object;

/// Result of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Verdict {
    /// Converted, or left unchanged with the same meaning.
    #[serde(rename = "maps")]
    Ok,
    /// Converted, but the behaviour differs.
    #[serde(rename = "differs")]
    Warning,
    /// Not converted.
    #[serde(rename = "cannot")]
    Unsupported,
}

impl Verdict {
    /// As printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Unsupported => "unsupported",
        }
    }
}

/// A field and its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Name of the input.
    pub file: String,
    /// Kind, namespace and name, and the key of a ConfigMap.
    pub object: String,
    /// Path of the field; empty: the whole object.
    pub field: String,
    /// As in the input, shortened.
    pub value: String,
    /// Result.
    pub verdict: Verdict,
    /// Details of the result.
    pub what: String,
    /// What to do; empty: nothing.
    pub remedy: String,
}

/// All fields, in the order of the inputs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// The fields.
    pub rows: Vec<Row>,
}

impl Report {
    /// Number of rows with the verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.rows
            .iter()
            .filter(|row| row.verdict == verdict)
            .count()
    }

    pub(super) fn section(&mut self, object: &Object) -> Section<'_> {
        Section {
            file: object.file.clone(),
            object: object.name.clone(),
            report: self,
        }
    }
}

/// The rows of one object.
pub(super) struct Section<'a> {
    file: String,
    object: String,
    report: &'a mut Report,
}

impl Section<'_> {
    pub(super) fn ok(&mut self, field: &str, value: impl Shown, what: &str) {
        self.row(Verdict::Ok, field, &value, what, "");
    }

    pub(super) fn warning(&mut self, field: &str, value: impl Shown, what: &str, remedy: &str) {
        self.row(Verdict::Warning, field, &value, what, remedy);
    }

    pub(super) fn unsupported(&mut self, field: &str, value: impl Shown, what: &str, remedy: &str) {
        self.row(Verdict::Unsupported, field, &value, what, remedy);
    }

    fn row(&mut self, verdict: Verdict, field: &str, value: &impl Shown, what: &str, remedy: &str) {
        self.report.rows.push(Row {
            file: self.file.clone(),
            object: self.object.clone(),
            field: field.to_owned(),
            value: value.shown(),
            verdict,
            what: what.to_owned(),
            remedy: remedy.to_owned(),
        });
    }
}

/// A value that can be printed on one line.
pub(super) trait Shown {
    fn shown(&self) -> String;
}

impl Shown for &str {
    fn shown(&self) -> String {
        short(self)
    }
}

impl Shown for String {
    fn shown(&self) -> String {
        short(self)
    }
}

impl Shown for &Value {
    fn shown(&self) -> String {
        match self {
            Value::String(text) => short(text),
            other => short(&other.to_string()),
        }
    }
}

fn short(text: &str) -> String {
    const MOST: usize = 60;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
