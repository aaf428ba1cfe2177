//! Waiting for what must come true: always by looking again, never by sleeping for luck.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};

/// For what takes a pod's start or end. The lab's guests are emulated: ten times what it takes.
pub(crate) const SLOW: Duration = Duration::from_secs(400);
/// For what takes a restart of an agent, a kubelet or a container runtime.
pub(crate) const SLOWER: Duration = Duration::from_secs(600);
/// For what an agent does by itself within a second or two.
pub(crate) const SOON: Duration = Duration::from_secs(100);

/// Looks until `look` succeeds. Its last error says why it did not.
pub(crate) fn eventually<T>(
    what: &str,
    limit: Duration,
    mut look: impl FnMut() -> Result<T>,
) -> Result<T> {
    let begun = Instant::now();
    loop {
        match look() {
            Ok(found) => return Ok(found),
            Err(why) if begun.elapsed() >= limit => {
                return Err(anyhow!("{what}: not within {} s: {why:#}", limit.as_secs()));
            }
            Err(_) => sleep(Duration::from_millis(500)),
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::ensure;

    use super::*;

    #[test]
    fn looks_again_and_reports_the_last_reason() {
        let mut looks = 0;
        let second = eventually("two looks", SOON, || {
            looks += 1;
            ensure!(looks == 2, "look {looks}");
            Ok(looks)
        });
        assert_eq!(second.ok(), Some(2));
        let never = eventually("a wonder", Duration::ZERO, || {
            Err::<(), _>(anyhow!("none seen"))
        });
        assert_eq!(
            never.err().map(|e| e.to_string()),
            Some("a wonder: not within 0 s: none seen".to_owned())
        );
    }
}
