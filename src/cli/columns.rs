//! Tables without borders, like kubectl's, which `awk` can parse.

use comfy_table::{Table, presets::NOTHING};

/// Aligns rows in columns. Column names are in capitals, like kubectl's.
pub(super) fn columns<C: Into<String>>(
    header: &[&str],
    rows: impl IntoIterator<Item = Vec<C>>,
) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    if !header.is_empty() {
        table.set_header(header.iter().copied());
    }
    for row in rows {
        table.add_row(row.into_iter().map(Into::into).collect::<Vec<String>>());
    }
    table
        .lines()
        .map(|line| {
            line.trim_end()
                .strip_prefix(' ')
                .unwrap_or_default()
                .to_owned()
                + "\n"
        })
        .collect()
}
