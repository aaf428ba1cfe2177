//! The report: what becomes of each object, and every field that is not simply kept.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::input::{Object, Subject};

/// Result of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Verdict {
    /// Converted, or left unchanged with the same meaning.
    #[serde(rename = "maps")]
    Ok,
    /// Works, but the behaviour differs, or is not what the value says.
    #[serde(rename = "differs")]
    Warning,
    /// Does not work.
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

/// What becomes of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It works as it is.
    Unchanged,
    /// It is among the documents, rewritten.
    Changed,
    /// At least one of its fields is unsupported.
    Unsupported,
}

impl Outcome {
    /// As printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Changed => "changed",
            Self::Unsupported => "unsupported",
        }
    }
}

/// An object and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Which object.
    #[serde(flatten)]
    pub subject: Subject,
    /// What becomes of it.
    pub outcome: Outcome,
    /// In a few words, for example the names of classes.
    pub what: String,
}

/// A field and its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Which object.
    #[serde(flatten)]
    pub subject: Subject,
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
    /// Further objects with the same field, value and result.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Subject>,
}

/// All objects and fields: of configurations, then of networks, then of workloads.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// The objects that have to do with SR-IOV.
    pub objects: Vec<Summary>,
    /// Their fields.
    pub rows: Vec<Row>,
    /// All other objects: how many of each kind.
    pub unrelated: BTreeMap<String, usize>,
}

impl Report {
    /// Number of rows with the verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        let with = self.rows.iter().filter(|row| row.verdict == verdict);
        with.count()
    }

    /// The first unsupported field in the rows from there on: `config.ipam.type: whereabouts: …`.
    pub(super) fn fault_since(&self, mark: usize) -> Option<String> {
        let mut rows = self.rows[mark..].iter();
        let fault = rows.find(|row| row.verdict == Verdict::Unsupported)?;
        Some(match &*fault.value {
            "" => format!("{}: {}", fault.field, fault.what),
            value => format!("{}: {value}: {}", fault.field, fault.what),
        })
    }

    pub(super) fn section(&mut self, object: &Object) -> Section<'_> {
        Section {
            subject: object.subject(),
            report: self,
        }
    }

    /// What becomes of the object, unless a field of it is unsupported.
    pub(super) fn summary(&mut self, object: &Object, outcome: Outcome, what: &str) {
        self.objects.push(Summary {
            subject: object.subject(),
            outcome,
            what: what.to_owned(),
        });
    }

    /// Settles the outcomes, and puts rows that say the same of several objects together.
    pub(super) fn finish(&mut self) {
        for row in &self.rows {
            let of_row = self
                .objects
                .iter_mut()
                .filter(|it| it.subject == row.subject);
            let unsupported = row.verdict == Verdict::Unsupported;
            of_row
                .filter(|_| unsupported)
                .for_each(|summary| summary.outcome = Outcome::Unsupported);
        }
        let mut places = BTreeMap::new();
        let mut together: Vec<Row> = Vec::new();
        for row in self.rows.drain(..) {
            let place = *places.entry(key(&row)).or_insert(together.len());
            match together.get_mut(place) {
                None => together.push(row),
                Some(first) if first.subject == row.subject => {}
                Some(first) if first.others.contains(&row.subject) => {}
                Some(first) => first.others.push(row.subject),
            }
        }
        self.rows = together;
    }
}

/// What rows have in common that are put together. Positions in lists do not count.
fn key(row: &Row) -> (String, String, Verdict, String, String, Option<Subject>) {
    let mut inside = false;
    let mut plain = |c: char| {
        let before = inside;
        inside = (before || c == '[') && c != ']';
        !(before && c.is_ascii_digit())
    };
    let field = row.field.chars().filter(|c| plain(*c)).collect();
    let alone = (row.verdict == Verdict::Ok).then(|| row.subject.clone());
    let texts = (row.what.clone(), row.remedy.clone());
    (
        field,
        row.value.clone(),
        row.verdict,
        texts.0,
        texts.1,
        alone,
    )
}

/// The rows of one object.
pub(super) struct Section<'a> {
    subject: Subject,
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
            subject: self.subject.clone(),
            field: field.to_owned(),
            value: value.shown(),
            verdict,
            what: what.to_owned(),
            remedy: remedy.to_owned(),
            others: Vec::new(),
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
