//! How busy the machine is, so that it is known whether scenarios wait for it or for something
//! else.

use std::fs;

use anyhow::{Context, Result};

/// The counters of all processors together, in the first line of `/proc/stat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cpu {
    idle: u64,
    all: u64,
}

impl Cpu {
    pub(crate) fn now() -> Result<Self> {
        Self::parse(&fs::read_to_string("/proc/stat")?)
    }

    fn parse(stat: &str) -> Result<Self> {
        let line = stat.lines().next().context("/proc/stat is empty")?;
        let counters = line
            .split_whitespace()
            .skip(1)
            .map(str::parse)
            .collect::<Result<Vec<u64>, _>>()?;
        // user, nice, system, idle, iowait, irq, softirq, steal; guest time is in user already.
        Ok(Self {
            idle: counters.iter().skip(3).take(2).sum(),
            all: counters.iter().take(8).sum(),
        })
    }

    /// Percentage of the time since then in which the processors had nothing to do.
    pub(crate) fn idle_since(self, before: Self) -> f64 {
        let all = (self.all - before.all).max(1);
        (self.idle - before.idle) as f64 * 100.0 / all as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_is_idle_and_iowait_of_all_but_guest_time() {
        let at = |text| Cpu::parse(text).expect("a line");
        let before = at("cpu  100 0 100 100 0 0 0 0 50 0\ncpu0 1 2 3 4");
        let after = at("cpu  150 0 100 120 30 0 0 0 70 0\n");
        assert!((after.idle_since(before) - 50.0).abs() < 0.001);
        assert!(Cpu::parse("cpu  a").is_err());
    }
}
