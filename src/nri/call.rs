//! Timeouts of hooks: shorter than the runtime's, so that the runtime always gets a response.

use std::time::Duration;

use tokio::{task::spawn_blocking, time::timeout};

use crate::deadline::Deadline;

/// The runtime's request timeout if Configure has none (NRI's `DefaultPluginRequestTimeout`).
pub(super) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(2);
/// Subtracted so that the response arrives before the runtime's own timeout expires.
const MARGIN: Duration = Duration::from_millis(300);

/// How long a hook may take: the shorter of the runtime's timeouts in Configure and in the call,
/// less a margin.
pub(super) fn allowed(configured: Duration, call_timeout_nano: i64) -> Duration {
    let call = u64::try_from(call_timeout_nano)
        .ok()
        .filter(|&nanos| nanos > 0)
        .map(Duration::from_nanos);
    let timeout = call.map_or(configured, |call| call.min(configured));
    timeout.saturating_sub(MARGIN).max(timeout / 2)
}

/// `request_timeout` of Configure.
pub(super) fn configured(milliseconds: i64) -> Duration {
    u64::try_from(milliseconds)
        .ok()
        .filter(|&ms| ms > 0)
        .map_or(DEFAULT_TIMEOUT, Duration::from_millis)
}

/// Runs a hook on a blocking thread. None: `time` has expired and the hook continues in the
/// background; if it fails then, that is logged as `what`.
///
/// The hook's deadline is a tenth earlier, so that waiting for a lock ends with an error that names
/// the lock.
pub(super) async fn with_timeout<T, F>(
    time: Duration,
    what: String,
    hook: F,
) -> Option<Result<T, String>>
where
    T: Send + 'static,
    F: FnOnce(Deadline) -> Result<T, String> + Send + 'static,
{
    let deadline = Deadline::after(time * 9 / 10);
    let mut work = spawn_blocking(move || hook(deadline));
    if let Ok(answer) = timeout(time, &mut work).await {
        return Some(answer.unwrap_or_else(|panicked| Err(panicked.to_string())));
    }
    tokio::spawn(async move {
        if let Ok(Err(error)) = work.await {
            tracing::warn!(hook = what, error, "hook failed after its timeout");
        }
    });
    None
}

/// Runs a hook whose outcome the runtime ignores; after half of `time` it continues in the
/// background. All pods of the node wait for the response, and a late one only gets the connection
/// closed.
pub(super) async fn best_effort(time: Duration, hook: impl FnOnce() + Send + 'static) {
    // Timed out or panicked (the panic hook has logged that): the response is the same.
    let _ = timeout(time / 2, spawn_blocking(hook)).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hooks_timeout_is_shorter_than_the_runtimes() {
        let ms = Duration::from_millis;
        assert_eq!(allowed(configured(0), 0), ms(1700));
        assert_eq!(allowed(configured(-1), -1), ms(1700));
        assert_eq!(allowed(configured(10_000), 0), ms(9700));
        assert_eq!(allowed(configured(10_000), 1_000_000_000), ms(700));
        assert_eq!(allowed(configured(200), 0), ms(100));
    }

    #[tokio::test]
    async fn a_hook_continues_in_the_background_after_its_timeout() {
        let (sender, done) = std::sync::mpsc::channel();
        let (go, waits) = std::sync::mpsc::channel();
        let answer = with_timeout(Duration::from_millis(20), "run ns/a".into(), move |_| {
            let _ = waits.recv();
            let _ = sender.send("done");
            Ok(())
        });
        assert_eq!(answer.await, None::<Result<(), String>>);
        go.send(()).unwrap();
        assert_eq!(done.recv(), Ok("done"));
    }

    #[tokio::test]
    async fn a_panic_is_an_error() {
        assert!(
            with_timeout::<(), _>(Duration::from_secs(60), "run ns/a".into(), |_| panic!(
                "on purpose"
            ))
            .await
            .unwrap()
            .is_err()
        );
    }
}
