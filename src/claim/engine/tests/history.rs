//! Lives of claims at random, on every make of devices: prepared, in pods that end in every way,
//! released, killed and refused at any write; in the end the host is as before.

use std::collections::BTreeSet;

use super::{
    personalities::{Personality, all_of, for_each_personality, is_for_pods, live, print, shown},
    *,
};
use crate::{
    host::{Kernel, fake::Fault},
    ledger::{Entry, Phase, Step},
};

/// Lives per make, and steps per life.
const LIVES: u64 = 40;
const STEPS: u32 = 24;
/// What an act of a life may take.
const BRIEF: Duration = Duration::from_secs(1);

/// Numbers that are the same for the same seed (xorshift64*).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u32) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let word = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        u32::try_from(word).unwrap() % end
    }
}

/// One host and its claims, each with a pod of its own, some with devices of another one.
struct Life {
    world: World,
    claims: Vec<AllocatedClaim>,
    dice: Dice,
    /// What was done, for the message.
    events: Vec<String>,
}

fn netns(claim: usize) -> String {
    format!("{POD}{claim}")
}

impl Life {
    fn new(make: &Personality, seed: u64) -> Self {
        let claims = (make.claims)();
        // The same devices, for nothing but themselves.
        let rivals = claims.iter().enumerate().map(|(number, claim)| {
            let names: Vec<&str> = claim
                .devices
                .iter()
                .map(|one| &*one.device.device)
                .collect();
            self::claim(&format!("rival{number}"), &names, json!({}))
        });
        let rivals: Vec<AllocatedClaim> = rivals.collect();
        Self {
            world: make.world(),
            claims: claims.into_iter().chain(rivals).collect(),
            dice: Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            events: vec![],
        }
    }

    fn step(&mut self) {
        let number = self.dice.below(u32::try_from(self.claims.len()).unwrap()) as usize;
        let claim = self.claims[number].clone();
        match self.dice.below(8) {
            0..=2 => self.try_to("prepare", &claim, |world| drop(world.prepare(&claim))),
            3 => self.run(number, &claim),
            4 => self.end(number),
            5 => self.try_to("unprepare", &claim, |world| {
                let _ = world.engine.unprepare(&claim.claim.uid, world.deadline());
            }),
            6 => self.try_to("finish", &claim, |world| {
                let _ = world.engine.finish(&claim.claim.uid, world.deadline());
            }),
            _ => self.restart(),
        }
        self.check();
    }

    /// Every third act is killed or refused at one of its writes.
    fn try_to(&mut self, verb: &str, claim: &AllocatedClaim, act: impl FnOnce(&World)) {
        const FAULTS: [fn(u32) -> Fault; 5] = [
            Fault::Before,
            Fault::During,
            Fault::After,
            Fault::Fail,
            Fault::FailFrom,
        ];
        let at = self.dice.below(14) + 1;
        let fault = FAULTS[self.dice.below(5) as usize](at);
        let armed = self.dice.below(3) == 0;
        self.events.push(format!(
            "{verb} {}{}",
            claim.claim.name,
            match armed {
                true => format!(" {fault:?}"),
                false => String::new(),
            }
        ));
        if armed {
            self.world.fake.arm(fault);
        }
        // What another claim's release keeps back for ever is not waited for.
        let time = std::mem::replace(&mut self.world.time, BRIEF);
        act(&self.world);
        self.world.time = time;
        if self.world.fake.is_crashed() {
            self.restart();
        }
        self.world.fake.restart();
    }

    /// A pod starts with what is prepared for it.
    fn run(&mut self, number: usize, claim: &AllocatedClaim) {
        let Some(record) = self.world.record(claim) else {
            return;
        };
        let had = record
            .devices
            .iter()
            .any(|device| device.attachment.is_some());
        let exists = self
            .world
            .fake
            .open_netns(Path::new(&netns(number)))
            .is_ok();
        if record.phase == Phase::Prepared && !had && !exists && is_for_pods(&self.world, claim) {
            self.events.push(format!("run {}", claim.claim.name));
            live(&self.world, claim, &netns(number));
        }
    }

    /// A pod ends: its namespace goes, or somebody holds it, or lets it go.
    fn end(&mut self, number: usize) {
        let path = netns(number);
        let way = self.dice.below(3);
        self.events.push(format!("end {way} of {path}"));
        match way {
            0 => self.world.fake.leak_netns(Path::new(&path)),
            1 => self.world.fake.release_leaked_netns(),
            _ => self.world.fake.destroy_netns(Path::new(&path)),
        }
    }

    fn restart(&mut self) {
        self.events.push("restart".to_owned());
        let failed = self.world.restart();
        assert!(failed.is_empty(), "{failed:?}; {:#?}", self.events);
    }

    /// No device has two claims, and what is prepared is as its record says.
    fn check(&self) {
        let mut held = BTreeSet::new();
        let records = self.world.engine.records().unwrap().into_iter();
        for record in records.filter_map(Entry::record) {
            for device in record.held() {
                assert!(held.insert(device), "{device} twice; {:#?}", self.events);
            }
            if record.phase == Phase::Prepared {
                record
                    .devices
                    .iter()
                    .for_each(|device| self.check_prepared(device));
            }
        }
    }

    fn check_prepared(&self, device: &crate::ledger::DeviceRecord) {
        let bound = self.world.fake.bound(&device.id).unwrap().binding;
        let stored = self.world.fake.stored(&device.id);
        for step in &device.steps {
            let is_so = match step {
                Step::Driver { to, .. } => bound == **to,
                // Of a trusted tenant its PF may take another one.
                Step::Vf {
                    to: crate::device::VfSetting::Mac(_),
                    ..
                } => true,
                Step::Vf { to, .. } => {
                    let held = stored
                        .as_ref()
                        .and_then(|held| crate::claim::plan::current(held, to));
                    held == Some(*to)
                }
                _ => true,
            };
            assert!(
                is_so,
                "{}: {step:?}, {bound:?} {stored:?}; {:#?}",
                device.id, self.events
            );
        }
    }

    fn end_all(mut self, before: &str) {
        for claim in 0..self.claims.len() {
            self.world.fake.destroy_netns(Path::new(&netns(claim)));
        }
        self.world.fake.release_leaked_netns();
        self.restart();
        for claim in &self.claims {
            let failed = |error| panic!("{}: {error}; {:#?}", claim.claim, self.events);
            self.world.unprepare(claim).unwrap_or_else(failed);
        }
        let exposed = self.world.fake.exposed();
        assert_eq!(shown(&self.world), before, "{:#?}", self.events);
        assert_eq!(self.world.files(), [""; 0], "{:#?}", self.events);
        assert_eq!(exposed, [""; 0], "{:#?}", self.events);
    }
}

fn lives(make: Personality) {
    let before = shown(&make.world());
    let seeds: Vec<u64> = (1..=LIVES).collect();
    all_of(&seeds, |seed| {
        let mut life = Life::new(&make, *seed);
        (0..STEPS).for_each(|_| life.step());
        life.end_all(&before);
    });
    print(&format!("{}: {LIVES} lives of {STEPS} steps", make.name));
}

mod whatever_happens_in_the_end_the_host_is_as_before {
    super::for_each_personality!(super::lives);
}
