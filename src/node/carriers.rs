//! Ports without carrier, against flapping: what is told of a port changes when it has been otherwise for a while.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use crate::device::Bdf;

/// So long a port must have been dark, or lit again, before anybody is told.
const HOLD: Duration = Duration::from_secs(3);

/// What is told of ports.
#[derive(Debug, Default)]
pub(super) struct Carriers(BTreeMap<Bdf, Port>);

#[derive(Debug)]
struct Port {
    told: bool,
    seen: bool,
    since: Instant,
}

/// The ports that count as dark, and after what time that may change though nothing happens.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Settled {
    pub(super) dark: BTreeSet<Bdf>,
    pub(super) again: Option<Duration>,
}

impl Carriers {
    /// Takes what is seen now: all ports, and whether each is dark. A port that is seen for the first time is told as it is:
    /// an agent that starts changes nothing that was published before.
    pub(super) fn settle(&mut self, ports: &BTreeMap<Bdf, bool>, now: Instant) -> Settled {
        self.0.retain(|pf, _| ports.contains_key(pf));
        for (pf, dark) in ports {
            self.0
                .entry(*pf)
                .or_insert(Port {
                    told: *dark,
                    seen: *dark,
                    since: now,
                })
                .see(*dark, now);
        }
        let dark = self
            .0
            .iter()
            .filter(|(_, port)| port.told)
            .map(|(pf, _)| *pf)
            .collect();
        Settled {
            dark,
            again: self.0.values().filter_map(|port| port.left(now)).min(),
        }
    }
}

impl Port {
    fn see(&mut self, dark: bool, now: Instant) {
        if self.seen != dark {
            (self.seen, self.since) = (dark, now);
        }
        if now.duration_since(self.since) >= HOLD {
            self.told = self.seen;
        }
    }

    fn left(&self, now: Instant) -> Option<Duration> {
        (self.told != self.seen).then(|| HOLD.saturating_sub(now.duration_since(self.since)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_told_dark_or_lit_when_it_has_been_so_for_a_while() {
        let pf: Bdf = "0000:01:00.0".parse().unwrap();
        let other: Bdf = "0000:01:00.1".parse().unwrap();
        let begun = Instant::now();
        let mut carriers = Carriers::default();
        let mut look = |millis: u64, dark: bool| {
            let ports = BTreeMap::from([(pf, dark), (other, true)]);
            let settled = carriers.settle(&ports, begun + Duration::from_millis(millis));
            assert!(settled.dark.contains(&other), "dark from its first sight");
            (
                settled.dark.contains(&pf),
                settled.again.map(|again| again.as_millis()),
            )
        };
        assert_eq!(look(0, false), (false, None));
        assert_eq!(look(100, true), (false, Some(3000)));
        assert_eq!(look(2000, false), (false, None), "a flap is nothing");
        assert_eq!(
            look(2500, true),
            (false, Some(3000)),
            "and the time begins anew"
        );
        assert_eq!(look(4000, true), (false, Some(1500)));
        assert_eq!(look(5500, true), (true, None));
        assert_eq!(look(6000, false), (true, Some(3000)));
        assert_eq!(look(9000, false), (false, None));
    }

    #[test]
    fn a_port_that_went_is_forgotten() {
        let pf: Bdf = "0000:01:00.0".parse().unwrap();
        let mut carriers = Carriers::default();
        let now = Instant::now();
        carriers.settle(&BTreeMap::from([(pf, false)]), now);
        assert_eq!(
            carriers.settle(&BTreeMap::new(), now),
            Settled {
                dark: BTreeSet::new(),
                again: None
            }
        );
        assert!(
            carriers
                .settle(&BTreeMap::from([(pf, true)]), now)
                .dark
                .contains(&pf)
        );
    }
}
