//! What is printed while scenarios run: each line whole, with the time since the start of the run
//! and whose it is, since several run at once.

use std::time::Instant;

/// Lines of one scenario, perhaps on one node.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    begun: Instant,
    who: String,
}

impl Log {
    pub(crate) fn begin() -> Self {
        Self {
            begun: Instant::now(),
            who: String::new(),
        }
    }

    /// The same log, of another scenario or node.
    pub(crate) fn of(&self, who: &str) -> Self {
        Self {
            begun: self.begun,
            who: who.to_owned(),
        }
    }

    /// Prints a line.
    #[expect(
        clippy::print_stdout,
        reason = "the one place where progress is printed"
    )]
    pub(crate) fn step(&self, text: impl AsRef<str>) {
        println!(
            "{:7.1} s  {:8}  {}",
            self.begun.elapsed().as_secs_f32(),
            self.who,
            text.as_ref()
        );
    }
}
