//! Items of `pfNames` and `rootDevices`: a PF, and which of its functions. `ens1f0`,
//! `ens1f0#0-3,7`, `0000:3b:00.0#4`.

use std::fmt;

/// One item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PfFunctions {
    text: String,
    which: Which,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Which {
    All,
    Listed(Vec<Entry>),
    /// More than one `#`.
    Garbled,
}

/// Numbers as Go's `strconv.Atoi` reads them: a plus and leading zeros are fine, white space is
/// not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    /// Inclusive; empty when the first is above the last.
    Range(i64, i64),
    Junk(String),
}

impl From<String> for PfFunctions {
    fn from(text: String) -> Self {
        let which = match text.split('#').collect::<Vec<_>>()[..] {
            [_] => Which::All,
            [_, entries] => Which::Listed(entries.split(',').map(entry).collect()),
            _ => Which::Garbled,
        };
        Self { text, which }
    }
}

fn entry(text: &str) -> Entry {
    let range = match text.split('-').collect::<Vec<_>>()[..] {
        [one] => one.parse().ok().map(|one| Entry::Range(one, one)),
        [first, last] => first
            .parse()
            .ok()
            .zip(last.parse().ok())
            .map(|(first, last)| Entry::Range(first, last)),
        _ => None,
    };
    range.unwrap_or_else(|| Entry::Junk(text.to_owned()))
}

impl PfFunctions {
    /// The PF's name or address, as written.
    #[must_use]
    pub fn pf(&self) -> &str {
        self.text.split('#').next().unwrap_or_default()
    }

    /// Whether the item is about that PF. Upper and lower case are the same.
    #[must_use]
    pub fn names(&self, pf: &str) -> bool {
        let same = |(a, b): (char, char)| a == b || a.to_lowercase().eq(b.to_lowercase());
        self.pf().chars().count() == pf.chars().count()
            && self.pf().chars().zip(pf.chars()).all(same)
    }

    /// Entries from left to right; what cannot be read ends the search.
    pub(crate) fn covers(&self, index: Option<u32>) -> bool {
        let Which::Listed(entries) = &self.which else {
            return self.which == Which::All;
        };
        let Some(index) = index.map(i64::from) else {
            return false;
        };
        let decides = |entry: &Entry| match entry {
            Entry::Range(first, last) => (first..=last).contains(&&index).then_some(true),
            Entry::Junk(_) => Some(false),
        };
        entries.iter().find_map(decides).unwrap_or(false)
    }

    /// Whether every entry says something: numbers, and ranges that are not empty.
    pub(crate) fn is_sound(&self) -> bool {
        let sound = |entry: &Entry| matches!(entry, Entry::Range(first, last) if (0..=*last).contains(first));
        !self.is_garbled() && self.entries().iter().all(sound)
    }

    pub(super) fn entries(&self) -> &[Entry] {
        match &self.which {
            Which::Listed(entries) => entries,
            Which::All | Which::Garbled => &[],
        }
    }

    pub(super) fn is_garbled(&self) -> bool {
        self.which == Which::Garbled
    }
}

/// Whether a function of a PF is among those that the items select. Only the first item of a PF is
/// ever looked at.
pub(super) fn select(items: &[PfFunctions], pf: &str, index: Option<u32>) -> bool {
    items
        .iter()
        .find(|item| item.names(pf))
        .is_some_and(|item| item.covers(index))
}

impl fmt::Display for PfFunctions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(items: &[&str], pf: &str) -> Vec<u32> {
        let items: Vec<PfFunctions> = items
            .iter()
            .map(|item| PfFunctions::from((*item).to_owned()))
            .collect();
        (0..10)
            .filter(|index| select(&items, pf, Some(*index)))
            .collect()
    }

    #[test]
    fn a_name_alone_is_all_functions_even_of_unknown_index() {
        assert_eq!(selected(&["ens1f0"], "ens1f0").len(), 10);
        assert!(select(&["ens1f0".to_owned().into()], "ens1f0", None));
        assert!(!select(&["ens1f0#0-9".to_owned().into()], "ens1f0", None));
        assert_eq!(selected(&["ens1f0"], "ens1f1"), [0; 0]);
    }

    #[test]
    fn numbers_and_ranges_are_inclusive() {
        assert_eq!(
            selected(&["netpf0#0,2-7,9"], "netpf0"),
            [0, 2, 3, 4, 5, 6, 7, 9]
        );
        assert_eq!(
            selected(&["0000:86:00.0#0-1,3,4"], "0000:86:00.0"),
            [0, 1, 3, 4]
        );
    }

    #[test]
    fn the_case_of_names_does_not_matter() {
        assert_eq!(selected(&["ENS1f0#1"], "ens1F0"), [1]);
        assert_eq!(selected(&["0000:AF:00.0#1"], "0000:af:00.0"), [1]);
        assert_eq!(selected(&["ÜBER#1"], "über"), [1]);
        assert_eq!(selected(&["ens1#1"], "ens1f0"), [0; 0]);
    }

    #[test]
    fn only_the_first_item_of_a_pf_counts() {
        assert_eq!(selected(&["eth0#0-1", "eth1#5", "eth0#4"], "eth0"), [0, 1]);
        assert_eq!(selected(&["eth0#0-1", "ETH0"], "eth0"), [0, 1]);
        assert_eq!(selected(&["eth0#1#2", "eth0"], "eth0"), [0; 0]);
        assert_eq!(selected(&["eth0#0-1", "eth1#5"], "eth1"), [5]);
    }

    #[test]
    fn more_than_one_separator_matches_nothing() {
        assert_eq!(selected(&["eth0#1#2"], "eth0"), [0; 0]);
    }

    #[test]
    fn what_cannot_be_read_ends_the_search() {
        assert_eq!(selected(&["eth0#0,x,3"], "eth0"), [0]);
        assert_eq!(selected(&["eth0#0, 3"], "eth0"), [0]);
        assert_eq!(selected(&["eth0#0,3 ,4"], "eth0"), [0]);
        assert_eq!(selected(&["eth0#0,1-2-3,4"], "eth0"), [0]);
        assert_eq!(selected(&["eth0#"], "eth0"), [0; 0]);
    }

    #[test]
    fn numbers_are_gos() {
        assert_eq!(selected(&["eth0#+3,04"], "eth0"), [3, 4]);
        assert_eq!(selected(&["eth0#-1,2"], "eth0"), [0; 0]);
        assert_eq!(selected(&["eth0#99999999999999999999,2"], "eth0"), [0; 0]);
        assert_eq!(selected(&["eth0#5-3,7"], "eth0"), [7]);
        assert_eq!(selected(&["eth0#0x1"], "eth0"), [0; 0]);
    }
}
