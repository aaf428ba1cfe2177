use std::io::{self, Write};

/// A pipe that is closed after so many bytes.
struct ClosedAfter(usize);

impl Write for ClosedAfter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self
            .0
            .checked_sub(bytes.len())
            .ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_closed_pipe_ends_the_walkthrough_without_an_error() {
    for bytes in [0, 1000] {
        let result = super::run_on(&mut ClosedAfter(bytes));
        assert!(result.is_err(), "the pipe was not closed in its course");
        crate::cli::unless_closed(result).unwrap();
    }
}

/// The walkthrough itself fails if the host does not behave as its text says.
#[test]
fn the_walkthrough_succeeds() {
    let mut out = Vec::new();
    super::run_on(&mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(
        text.matches("have their original values.").count(),
        3,
        "{text}"
    );
    for part in [
        "net1: up, mtu 1400, 02:00:00:00:00:07, 10.0.0.7/24",
        "phase Preparing",
        "set vlan",
    ] {
        assert!(text.contains(part), "{part} is missing:\n{text}");
    }
}
