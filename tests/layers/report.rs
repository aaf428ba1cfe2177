//! What is wrong, one line for each file and reason.

use std::collections::{BTreeMap, BTreeSet};

/// File, what is wrong in it, and the line.
pub(crate) type Wrong<'a> = (&'a str, String, usize);

/// `file:line: what`, with the other lines of the same after it.
pub(crate) fn lines<'a>(wrong: impl Iterator<Item = Wrong<'a>>) -> Vec<String> {
    let mut places: BTreeMap<(&str, String), BTreeSet<usize>> = BTreeMap::new();
    for (file, text, line) in wrong {
        places.entry((file, text)).or_default().insert(line);
    }
    let line = |((file, text), lines): ((&str, String), BTreeSet<usize>)| {
        let mut lines = lines.iter().map(usize::to_string);
        let first = lines.next().unwrap_or_default();
        let others: Vec<String> = lines.collect();
        match others.is_empty() {
            true => format!("{file}:{first}: {text}"),
            false => format!("{file}:{first}: {text} (also lines {})", others.join(", ")),
        }
    };
    places.into_iter().map(line).collect()
}
