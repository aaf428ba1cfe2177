//! Output of the walkthrough: numbered headings, lines of text, indented blocks.

use std::io::{self, Write};

use crate::cli::columns::columns;

/// Writes the walkthrough.
pub(super) struct Output<'a> {
    out: &'a mut dyn Write,
    sections: u32,
}

impl<'a> Output<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self { out, sections: 0 }
    }

    /// Starts a numbered section.
    pub(super) fn section(&mut self, title: &str) -> io::Result<()> {
        self.sections += 1;
        writeln!(self.out, "\n{}. {title}\n", self.sections)
    }

    /// A line of text.
    pub(super) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    /// An indented block, for data.
    pub(super) fn block(&mut self, text: &str) -> io::Result<()> {
        for line in text.trim_end().lines() {
            writeln!(self.out, "   {line}")?;
        }
        writeln!(self.out)
    }

    /// An indented, numbered list.
    pub(super) fn steps(&mut self, steps: &[String]) -> io::Result<()> {
        let numbered = steps
            .iter()
            .enumerate()
            .map(|(index, step)| vec![(index + 1).to_string(), step.clone()]);
        self.block(&columns(&[], numbered))
    }
}
