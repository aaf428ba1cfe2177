//! A point in time by which the caller wants an answer.

use std::time::{Duration, Instant};

/// Until when the work may take. Waiting ends at it; a kernel call under way does not.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// From now.
    #[must_use]
    pub fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    /// What is left; zero when it has passed.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Whether it has passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.left().is_zero()
    }

    /// Asks `look` again and again, with growing pauses up to 100 ms, until it finds something or time is over.
    ///
    /// # Errors
    /// The first error of `look`.
    pub fn poll<T, E>(
        &self,
        mut look: impl FnMut() -> Result<Option<T>, E>,
    ) -> Result<Option<T>, E> {
        let mut pause = Duration::from_millis(2);
        loop {
            if let Some(found) = look()? {
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
    fn polling_looks_at_least_once_and_ends() {
        let over = Deadline::after(Duration::ZERO);
        assert_eq!(over.poll(|| Ok::<_, ()>(Some(1))), Ok(Some(1)));
        assert_eq!(over.poll(|| Ok::<Option<u8>, ()>(None)), Ok(None));
        let mut looks = 0;
        let found = Deadline::after(Duration::from_secs(60)).poll(|| {
            looks += 1;
            Ok::<_, ()>((looks == 3).then_some(looks))
        });
        assert_eq!(found, Ok(Some(3)));
    }
}
