//! Lines that are logged when they begin to hold, not each time that they are found to.

use std::collections::BTreeSet;

/// The lines that hold now.
#[derive(Debug, Default)]
pub(super) struct Changes(BTreeSet<String>);

impl Changes {
    /// Takes what holds now. Returns what did not before.
    pub(super) fn new_ones(&mut self, now: impl IntoIterator<Item = String>) -> Vec<String> {
        let now: BTreeSet<String> = now.into_iter().collect();
        let new = now.difference(&self.0).cloned().collect();
        self.0 = now;
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_new_again_after_it_has_ceased_to_hold() {
        let mut changes = Changes::default();
        let mut new = |now: &[&str]| changes.new_ones(now.iter().map(|line| (*line).to_owned()));
        assert_eq!(new(&["a"]), ["a"]);
        assert_eq!(new(&["a", "b"]), ["b"]);
        assert_eq!(new(&[]), [""; 0]);
        assert_eq!(new(&["a"]), ["a"]);
    }
}
