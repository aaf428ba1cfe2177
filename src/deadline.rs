//! A point in time at which waiting ends.

use std::time::{Duration, Instant};

/// When the work has to end. Waiting ends at it; a system call in progress does not.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// The deadline that is `time` from now.
    #[must_use]
    pub fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    /// The remaining time; zero when it has passed.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Whether it has passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.left().is_zero()
    }

    /// Calls `check` until it returns something or the deadline has passed, with exponential
    /// backoff up to 100 ms.
    ///
    /// # Errors
    /// The first error of `check`.
    pub fn poll<T, E>(
        &self,
        mut check: impl FnMut() -> Result<Option<T>, E>,
    ) -> Result<Option<T>, E> {
        let mut pause = Duration::from_millis(2);
        loop {
            if let Some(found) = check()? {
                return Ok(Some(found));
            }
            if self.passed() {
                return Ok(None);
            }
            std::thread::sleep(pause.min(self.left()));
            pause = (pause * 2).min(Duration::from_millis(100));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polling_checks_at_least_once_and_ends() {
        let over = Deadline::after(Duration::ZERO);
        assert_eq!(over.poll(|| Ok::<_, ()>(Some(1))), Ok(Some(1)));
        assert_eq!(over.poll(|| Ok::<Option<u8>, ()>(None)), Ok(None));
        let mut checks = 0;
        let found = Deadline::after(Duration::from_secs(60)).poll(|| {
            checks += 1;
            Ok::<_, ()>((checks == 3).then_some(checks))
        });
        assert_eq!(found, Ok(Some(3)));
    }
}
