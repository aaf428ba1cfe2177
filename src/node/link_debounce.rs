//! Debounce of links that are down: what is published of a port changes once its carrier has been
//! stable for a while.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use crate::device::Bdf;

/// So long a link must have been down, or up again, before that is published.
const HOLD: Duration = Duration::from_secs(3);

/// What is published of ports, and what was seen since.
#[derive(Debug, Default)]
pub(super) struct LinkDebounce(BTreeMap<Bdf, Port>);

#[derive(Debug)]
struct Port {
    /// Whether it is published as down.
    published: bool,
    /// Whether it was down at the last look.
    seen: bool,
    since: Instant,
}

/// The ports whose link counts as down, and after what time that may change though nothing happens.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Settled {
    pub(super) down: BTreeSet<Bdf>,
    pub(super) again: Option<Duration>,
}

impl LinkDebounce {
    /// Takes what is seen now: all ports, and whether the link of each is down. A port that is seen
    /// for the first time is published as it is: an agent that starts changes nothing that was
    /// published before.
    pub(super) fn settle(&mut self, ports: &BTreeMap<Bdf, bool>, now: Instant) -> Settled {
        self.0.retain(|pf, _| ports.contains_key(pf));
        for (pf, down) in ports {
            self.0
                .entry(*pf)
                .or_insert(Port {
                    published: *down,
                    seen: *down,
                    since: now,
                })
                .see(*down, now);
        }
        let down = self
            .0
            .iter()
            .filter(|(_, port)| port.published)
            .map(|(pf, _)| *pf)
            .collect();
        Settled {
            down,
            again: self.0.values().filter_map(|port| port.left(now)).min(),
        }
    }
}

impl Port {
    fn see(&mut self, down: bool, now: Instant) {
        if self.seen != down {
            (self.seen, self.since) = (down, now);
        }
        if now.duration_since(self.since) >= HOLD {
            self.published = self.seen;
        }
    }

    fn left(&self, now: Instant) -> Option<Duration> {
        (self.published != self.seen).then(|| HOLD.saturating_sub(now.duration_since(self.since)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_published_down_or_up_when_it_has_been_so_for_a_while() {
        let pf: Bdf = "0000:01:00.0".parse().unwrap();
        let other: Bdf = "0000:01:00.1".parse().unwrap();
        let begun = Instant::now();
        let mut debounce = LinkDebounce::default();
        let mut look = |millis: u64, down: bool| {
            let ports = BTreeMap::from([(pf, down), (other, true)]);
            let settled = debounce.settle(&ports, begun + Duration::from_millis(millis));
            assert!(settled.down.contains(&other), "down when it is first seen");
            (
                settled.down.contains(&pf),
                settled.again.map(|again| again.as_millis()),
            )
        };
        assert_eq!(look(0, false), (false, None));
        assert_eq!(look(100, true), (false, Some(3000)));
        assert_eq!(look(2000, false), (false, None), "a flap changes nothing");
        assert_eq!(
            look(2500, true),
            (false, Some(3000)),
            "and the time starts again"
        );
        assert_eq!(look(4000, true), (false, Some(1500)));
        assert_eq!(look(5500, true), (true, None));
        assert_eq!(look(6000, false), (true, Some(3000)));
        assert_eq!(look(9000, false), (false, None));
    }

    #[test]
    fn a_port_that_went_is_forgotten() {
        let pf: Bdf = "0000:01:00.0".parse().unwrap();
        let mut debounce = LinkDebounce::default();
        let now = Instant::now();
        debounce.settle(&BTreeMap::from([(pf, false)]), now);
        assert_eq!(
            debounce.settle(&BTreeMap::new(), now),
            Settled {
                down: BTreeSet::new(),
                again: None
            }
        );
        assert!(
            debounce
                .settle(&BTreeMap::from([(pf, true)]), now)
                .down
                .contains(&pf)
        );
    }
}
