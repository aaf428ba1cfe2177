//! What is printed while scenarios run: each line with the time since the start of the run.

use std::time::Instant;

/// Who tells: a scenario, perhaps on one node.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    begun: Instant,
    who: String,
}

impl Story {
    pub(crate) fn begin() -> Self {
        Self {
            begun: Instant::now(),
            who: String::new(),
        }
    }

    /// The same story, told by another.
    pub(crate) fn of(&self, who: &str) -> Self {
        Self {
            begun: self.begun,
            who: who.to_owned(),
        }
    }

    /// Prints a line.
    #[expect(clippy::print_stdout, reason = "the place where scenarios are told")]
    pub(crate) fn step(&self, text: impl AsRef<str>) {
        println!(
            "{:7.1} s  {:8}  {}",
            self.begun.elapsed().as_secs_f32(),
            self.who,
            text.as_ref()
        );
    }
}
