//! How the story is told: numbered headings, short sentences, tables.

use std::io::{self, Write};

use crate::cli::columns::columns;

/// Where the story goes.
pub(super) struct Teller<'a> {
    out: &'a mut dyn Write,
    chapter: u32,
}

impl<'a> Teller<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self { out, chapter: 0 }
    }

    /// Begins a chapter.
    pub(super) fn chapter(&mut self, title: &str) -> io::Result<()> {
        self.chapter += 1;
        writeln!(self.out, "\n{}. {title}\n", self.chapter)
    }

    /// One sentence or two.
    pub(super) fn say(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    /// Something that was read or written, set apart.
    pub(super) fn show(&mut self, text: &str) -> io::Result<()> {
        for line in text.trim_end().lines() {
            writeln!(self.out, "   {line}")?;
        }
        writeln!(self.out)
    }

    /// Numbered things, in order.
    pub(super) fn steps(&mut self, steps: &[String]) -> io::Result<()> {
        let numbered = steps
            .iter()
            .enumerate()
            .map(|(index, step)| vec![(index + 1).to_string(), step.clone()]);
        self.show(&columns(&[], numbered))
    }
}
