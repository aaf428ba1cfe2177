//! What became of each field.

use serde::Serialize;
use serde_json::Value;

use super::input::Object;

/// What became of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Verdict {
    /// It means the same.
    #[serde(rename = "maps")]
    Ok,
    /// It works, but somebody may notice.
    #[serde(rename = "differs")]
    Warning,
    /// It is lost unless somebody does something.
    #[serde(rename = "cannot")]
    Unsupported,
}

impl Verdict {
    /// As shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Unsupported => "unsupported",
        }
    }
}

/// One field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The input.
    pub file: String,
    /// Kind, namespace and name; a ConfigMap's key too.
    pub object: String,
    /// A path in the object; empty: all of it.
    pub field: String,
    /// As given.
    pub value: String,
    /// What became of it.
    pub verdict: Verdict,
    /// In words.
    pub what: String,
    /// What to do about it; empty: nothing.
    pub remedy: String,
}

/// All fields, in the order of the inputs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// The fields.
    pub rows: Vec<Row>,
}

impl Report {
    /// How many rows have the verdict.
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

/// A value on one line.
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
