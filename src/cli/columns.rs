//! Tables without lines, as people and `awk` like them.

use comfy_table::{Table, presets::NOTHING};

/// Rows in columns; the header's names are what `kubectl` users expect, in capitals.
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
