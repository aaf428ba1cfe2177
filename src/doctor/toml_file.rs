//! TOML files of container runtimes, with the drop-ins that are merged into them.

use std::path::Path;

use toml::{Table, Value};

use super::HostPaths;

/// Reads a file; an error names it.
pub(super) fn read(paths: &HostPaths, file: &Path) -> Option<Result<Table, String>> {
    let text = paths.text(file)?;
    let table = text.parse::<Table>();
    Some(table.map_err(|error| format!("{}: {}", file.display(), error.message())))
}

/// The value at a path of keys.
pub(super) fn at<'t>(table: &'t Table, keys: &[&str]) -> Option<&'t Value> {
    let (last, tables) = keys.split_last()?;
    let inner = tables
        .iter()
        .try_fold(table, |table, key| table.get(*key)?.as_table());
    inner?.get(*last)
}

/// A text that is not empty.
pub(super) fn text(table: &Table, keys: &[&str]) -> Option<String> {
    let text = at(table, keys)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// A list of texts that is not empty.
pub(super) fn texts(table: &Table, keys: &[&str]) -> Option<Vec<String>> {
    let items = at(table, keys)?.as_array()?.iter();
    let texts: Vec<String> = items.filter_map(Value::as_str).map(str::to_owned).collect();
    (!texts.is_empty()).then_some(texts)
}
