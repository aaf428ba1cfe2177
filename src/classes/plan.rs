//! Wanted classes against those that there are.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{Class, Stored};
use crate::pool::PoolName;

/// What has to change. Done in any order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// Classes that are missing.
    pub create: Vec<Class>,
    /// Own classes that say something else than they should.
    pub update: Vec<(Stored, Class)>,
    /// Own classes that nobody wants any more.
    pub delete: Vec<Stored>,
    /// Where somebody else's class stands in the way.
    pub conflicts: Vec<Conflict>,
}

impl Plan {
    /// Whether nothing has to change. Conflicts change nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.create.is_empty() && self.update.is_empty() && self.delete.is_empty()
    }
}

/// Somebody else's class that stands in the way of a pool's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Conflict {
    /// It has the name, and gives something else: the pool has no class.
    Name {
        /// The class.
        class: String,
        /// The pool.
        pool: String,
    },
    /// It has the extended resource: it stays the one that pods with that resource get.
    Resource {
        /// The class.
        class: String,
        /// The pool, and the resource.
        pool: String,
    },
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { class, pool } => {
                write!(
                    f,
                    "DeviceClass {class} is not this controller's and gives something else: pool {pool} has no class"
                )
            }
            Self::Resource { class, pool } => {
                write!(
                    f,
                    "DeviceClass {class} is not this controller's and has extendedResourceName {pool}: it keeps it"
                )
            }
        }
    }
}

/// What has to change so that every pool has its class, and no other class is the controller's.
#[must_use]
pub fn plan(pools: &BTreeSet<PoolName>, stored: &[Stored], driver: &str) -> Plan {
    let by_name: BTreeMap<&str, &Stored> = stored
        .iter()
        .map(|stored| (&*stored.class.name, stored))
        .collect();
    let mut plan = Plan::default();
    let mut wanted_names = BTreeSet::new();
    for pool in pools {
        let mut wanted = Class::of_pool(pool, driver);
        wanted_names.insert(wanted.name.clone());
        let there = by_name.get(&*wanted.name).copied();
        if there.is_some_and(|there| !there.class.is_owned(driver)) {
            plan.conflicts.extend(name_conflict(&wanted, there, pool));
            continue;
        }
        if let Some(class) = holder(&wanted, stored, driver) {
            plan.conflicts.push(Conflict::Resource {
                class,
                pool: pool.to_string(),
            });
            wanted.extended_resource_name = None;
        }
        plan.want(wanted.owned(pool, driver), there);
    }
    let unwanted = |stored: &&Stored| {
        stored.class.is_owned(driver) && !wanted_names.contains(&stored.class.name)
    };
    plan.delete = stored.iter().filter(unwanted).cloned().collect();
    plan
}

impl Plan {
    fn want(&mut self, wanted: Class, there: Option<&Stored>) {
        match there {
            None => self.create.push(wanted),
            Some(there) if says(&there.class, &wanted) => {}
            Some(there) => self
                .update
                .push((there.clone(), with_others_marks(wanted, &there.class))),
        }
    }
}

fn name_conflict(wanted: &Class, there: Option<&Stored>, pool: &PoolName) -> Option<Conflict> {
    let other = there.is_none_or(|there| !there.class.gives_the_same(wanted));
    other.then(|| Conflict::Name {
        class: wanted.name.clone(),
        pool: pool.to_string(),
    })
}

/// Somebody else's class that has the extended resource: the newest class would get it, and ours is
/// the newest.
fn holder(wanted: &Class, stored: &[Stored], driver: &str) -> Option<String> {
    let resource = wanted.extended_resource_name.as_ref()?;
    let theirs = stored
        .iter()
        .filter(|stored| !stored.class.is_owned(driver));
    let holder = theirs
        .map(|stored| &stored.class)
        .find(|class| class.extended_resource_name.as_ref() == Some(resource));
    holder.map(|class| class.name.clone())
}

fn says(there: &Class, wanted: &Class) -> bool {
    let has = |there: &BTreeMap<String, String>, wanted: &BTreeMap<String, String>| {
        wanted
            .iter()
            .all(|(key, value)| there.get(key) == Some(value))
    };
    there.gives_the_same(wanted)
        && has(&there.labels, &wanted.labels)
        && has(&there.annotations, &wanted.annotations)
}

/// Labels and annotations that others put onto an own class stay.
fn with_others_marks(mut wanted: Class, there: &Class) -> Class {
    for (key, value) in &there.labels {
        wanted
            .labels
            .entry(key.clone())
            .or_insert_with(|| value.clone());
    }
    for (key, value) in &there.annotations {
        wanted
            .annotations
            .entry(key.clone())
            .or_insert_with(|| value.clone());
    }
    wanted
}
