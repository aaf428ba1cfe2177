//! The text of an error with its causes.

use std::{
    error::Error,
    io::{self, Write},
};

/// Writes a line to standard error, if it can be written to: a closed pipe is no reason to panic.
pub fn print_error(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// The error's text and those of its sources, each once: libraries report `client error (Connect)`
/// and keep `Connection refused` in a source, while others repeat their source in their own text.
#[must_use]
pub fn with_sources(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let sources = std::iter::successors(error.source(), |source| (*source).source());
    for cause in sources.map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Layer {
        #[error("client error (Connect)")]
        Silent(#[source] io::Error),
        #[error("ServiceError: {0}")]
        Repeating(#[source] Box<Layer>),
    }

    #[test]
    fn every_cause_is_in_the_text_once() {
        let refused = || io::Error::other("connection refused");
        assert_eq!(with_sources(&refused()), "connection refused");
        let silent = Layer::Silent(refused());
        assert_eq!(
            with_sources(&silent),
            "client error (Connect): connection refused"
        );
        assert_eq!(
            with_sources(&Layer::Repeating(Box::new(silent))),
            "ServiceError: client error (Connect): connection refused"
        );
    }
}
