//! The report for people: a line per object, its fields below it, and fields that several objects
//! have in common at the end.

use crate::{
    cli::columns::columns,
    convert::{Outcome, Report, Row, Subject, Verdict},
};

/// Objects that are named where several have a field in common.
const NAMED: usize = 4;

/// The table.
pub(super) fn table(report: &Report) -> String {
    let mut text = String::new();
    let name = |subject: &Subject| format!("{}: {}", subject.file, subject.object);
    let lines = report.objects.iter().map(|object| {
        let outcome = object.outcome.as_str().to_owned();
        vec![outcome, name(&object.subject), object.what.clone()]
    });
    let lines = match report.objects.is_empty() {
        true => String::new(),
        false => columns(&[], lines),
    };
    for (line, object) in lines.lines().zip(&report.objects) {
        text += &format!("{line}\n");
        let own = |row: &&Row| row.subject == object.subject && row.others.is_empty();
        text += &rows(report.rows.iter().filter(own));
    }
    for row in report.rows.iter().filter(|row| !row.others.is_empty()) {
        text += &format!("{}\n{}", several(row), rows(std::iter::once(row)));
    }
    text += &unrelated(report);
    text + &sums(report)
}

fn rows<'a>(rows: impl Iterator<Item = &'a Row>) -> String {
    let shown = rows.filter(|row| row.verdict != Verdict::Ok);
    let shown: Vec<Vec<String>> = shown.map(cells).collect();
    if shown.is_empty() {
        return String::new();
    }
    let lines = columns(&[], shown);
    lines.lines().map(|line| format!("  {line}\n")).collect()
}

fn cells(row: &Row) -> Vec<String> {
    let field = match (&*row.field, &*row.value) {
        ("", value) => value.to_owned(),
        (field, "") => field.to_owned(),
        (field, value) => format!("{field}: {value}"),
    };
    let what = match row.remedy.is_empty() {
        true => row.what.clone(),
        false => format!("{} -> {}", row.what, row.remedy),
    };
    vec![row.verdict.as_str().to_owned(), field, what]
}

/// `7 objects: Pod a, Pod b, Pod c, Pod d and 3 more`.
fn several(row: &Row) -> String {
    let all = std::iter::once(&row.subject).chain(&row.others);
    let names: Vec<&str> = all.map(|subject| &*subject.object).collect();
    let named = names[..names.len().min(NAMED)].join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => format!("{} objects: {named}", names.len()),
        more => format!("{} objects: {named} and {more} more", names.len()),
    }
}

fn unrelated(report: &Report) -> String {
    let count: usize = report.unrelated.values().sum();
    if count == 0 {
        return String::new();
    }
    let kinds = report.unrelated.iter();
    let kinds: Vec<String> = kinds
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    format!("without SR-IOV: {}\n", kinds.join(", "))
}

fn sums(report: &Report) -> String {
    let outcomes = [Outcome::Unchanged, Outcome::Changed, Outcome::Unsupported];
    let count = |outcome: Outcome| {
        let objects = report.objects.iter();
        let count = objects.filter(|object| object.outcome == outcome).count();
        format!("{count} {}", outcome.as_str())
    };
    format!("objects: {}\n", outcomes.map(count).join(", "))
}
