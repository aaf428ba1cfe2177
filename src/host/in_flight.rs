//! Calls into the kernel that have not returned. One that hangs (an unbind waits for whoever has the
//! device open, a netlink request for whoever has the RTNL) cannot be cancelled, only be seen.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::wrapped::{Around, Call};

/// A call that takes longer hangs.
pub const LONG: Duration = Duration::from_secs(30);

/// The calls in flight. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct InFlight(Arc<Mutex<Calls>>);

#[derive(Debug, Default)]
struct Calls {
    last: u64,
    all: BTreeMap<u64, (String, Instant)>,
}

/// A call that hangs. Displays as `set driver 0000:3b:02.1, for 52 s`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hung {
    /// Another number than any other call's.
    pub number: u64,
    /// What it is and about what.
    pub call: String,
    /// How long it takes by now.
    pub age: Duration,
}

impl fmt::Display for Hung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, for {} s", self.call, self.age.as_secs())
    }
}

impl InFlight {
    /// Calls that have taken at least this long, the oldest first.
    #[must_use]
    pub fn longer_than(&self, long: Duration) -> Vec<Hung> {
        let calls = self.calls();
        let hung = calls.all.iter().map(|(number, (call, since))| Hung {
            number: *number,
            call: call.clone(),
            age: since.elapsed(),
        });
        hung.filter(|hung| hung.age >= long).collect()
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes the call, also when it panics.
struct Ended<'a>(&'a InFlight, u64);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.calls().all.remove(&self.1);
    }
}

impl Around for InFlight {
    fn around<T>(&self, call: Call<'_>, act: impl FnOnce() -> T) -> T {
        let text = format!("{} {}", call.verb, call.subject);
        let number = {
            let mut calls = self.calls();
            calls.last += 1;
            let number = calls.last;
            calls.all.insert(number, (text, Instant::now()));
            number
        };
        let _ended = Ended(self, number);
        act()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_in_flight_until_it_returns() {
        let calls = InFlight::default();
        let call = Call {
            verb: "set driver",
            subject: &"0000:3b:02.1",
            writes: true,
        };
        let seen = calls.around(call, || calls.longer_than(Duration::ZERO));
        assert_eq!(seen.len(), 1);
        assert_eq!(seen[0].to_string(), "set driver 0000:3b:02.1, for 0 s");
        assert_eq!(calls.longer_than(Duration::ZERO), []);
        assert_eq!(calls.around(call, || calls.longer_than(LONG)), []);
    }
}
