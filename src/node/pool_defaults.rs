//! The defaults that devices have from their pools, for claims that are prepared.

use std::collections::BTreeMap;

use crate::{
    api::Attribute,
    args::NodeArgs,
    claim::PoolDefaults,
    device::DeviceId,
    pool::{Assigned, Assignment},
    publish::Published,
};

/// Before the host is read for the first time: only where nothing defines pools it is known that
/// there are none.
pub(super) fn at_start(args: &NodeArgs) -> PoolDefaults {
    match args.config_file.is_some() || args.policy_namespace.is_some() {
        true => PoolDefaults::Unknown,
        false => PoolDefaults::Known(BTreeMap::new()),
    }
}

/// By the assignment, but a device under a claim keeps what it had before: it stays published in
/// that pool.
pub(super) fn by_assignment(
    assignment: &Assignment,
    before: &PoolDefaults,
    claimed: &BTreeMap<DeviceId, Option<String>>,
) -> PoolDefaults {
    let mut pools: BTreeMap<DeviceId, Result<Assigned, String>> = assignment
        .devices
        .iter()
        .map(|(id, assigned)| (*id, Ok(assigned.clone())))
        .collect();
    let PoolDefaults::Known(before) = before else {
        return PoolDefaults::Known(pools);
    };
    for id in claimed.keys() {
        match before.get(id) {
            Some(Ok(assigned)) => drop(pools.insert(*id, Ok(assigned.clone()))),
            Some(Err(_)) => {}
            None => drop(pools.remove(id)),
        }
    }
    PoolDefaults::Known(pools)
}

/// When no good configuration was ever read: devices stay published in their pools, but their
/// defaults are not known.
pub(super) fn without_config(published: &Published, why: &str) -> PoolDefaults {
    let in_pool = published.devices.iter().filter_map(|(name, device)| {
        let Some(Attribute::String(pool)) = device.attributes.get("pool") else {
            return None;
        };
        let id = DeviceId::from_name(name)
            .ok()
            .filter(|_| !pool.is_empty())?;
        Some((
            id,
            Err(format!(
                "what comes with its pool {pool} is not known since the agent started: {why}"
            )),
        ))
    });
    PoolDefaults::Known(in_pool.collect())
}

/// As long as no policies could be read: a pool that config.json does not assign may be assigned by
/// one.
pub(super) fn without_policies(
    assignment: &Assignment,
    before: &PoolDefaults,
    claimed: &BTreeMap<DeviceId, Option<String>>,
    published: &Published,
) -> PoolDefaults {
    let mut pools = without_config(published, "policies could not be read yet");
    if let (PoolDefaults::Known(all), PoolDefaults::Known(known)) =
        (&mut pools, by_assignment(assignment, before, claimed))
    {
        all.extend(known);
    }
    pools
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::Parser as _;

    use super::*;
    use crate::{
        args::{Command, SriovDra},
        host::fake::Fake,
        inventory,
        pool::{Candidate, Config},
        slice::{Device, Features},
    };

    fn assignment(name: &str, address: &str) -> Assignment {
        let text = format!(
            r#"{{"resourceList": [{{"resourceName": "{name}", "selectors": {{"pciAddresses": ["{address}"]}}}}]}}"#
        );
        let (config, _) = Config::read(&text, "intel.com").unwrap();
        let functions = inventory::observe(&Fake::igb()).unwrap().functions;
        let candidates: Vec<_> = functions
            .iter()
            .map(|function| Candidate::of(function, &functions, None))
            .collect();
        config.assign(&candidates)
    }

    fn pools(pools: &PoolDefaults) -> Vec<String> {
        let PoolDefaults::Known(pools) = pools else {
            return vec!["unknown".to_owned()];
        };
        let line = |(id, pool): (&DeviceId, &Result<Assigned, String>)| match pool {
            Ok(assigned) => format!("{id} {}", assigned.pool),
            Err(why) => format!("{id} {why}"),
        };
        pools.iter().map(line).collect()
    }

    fn claimed(names: &[&str]) -> BTreeMap<DeviceId, Option<String>> {
        let names: BTreeSet<&str> = names.iter().copied().collect();
        names
            .into_iter()
            .map(|name| (DeviceId::from_name(name).unwrap(), None))
            .collect()
    }

    #[test]
    fn only_without_any_source_there_are_no_pools_from_the_start() {
        for (flags, known) in [
            ("", "known"),
            ("--policy-namespace sriov", "unknown"),
            ("--config-file c.json", "unknown"),
        ] {
            let line = format!("sriov-dra node --node-name a {flags}");
            let Command::Node(args) = SriovDra::try_parse_from(line.split_whitespace())
                .unwrap()
                .command
            else {
                panic!("{line}");
            };
            assert_eq!(
                at_start(&args) != PoolDefaults::Unknown,
                known == "known",
                "{line}"
            );
        }
    }

    #[test]
    fn a_device_under_a_claim_keeps_its_pool_and_others_follow_the_configuration() {
        let first = by_assignment(
            &assignment("old", "0000:02:10.0"),
            &PoolDefaults::Unknown,
            &claimed(&["0000-02-10-0"]),
        );
        assert_eq!(
            pools(&first),
            ["0000:02:10.0 intel.com/old"],
            "nothing is known of before"
        );
        let new = assignment("new", "0000:02:10.0");
        assert_eq!(
            pools(&by_assignment(&new, &first, &claimed(&[]))),
            ["0000:02:10.0 intel.com/new"]
        );
        assert_eq!(
            pools(&by_assignment(&new, &first, &claimed(&["0000-02-10-0"]))),
            pools(&first)
        );
        let other = assignment("new", "0000:02:10.2");
        let held = claimed(&["0000-02-10-0", "0000-02-10-2"]);
        assert_eq!(
            pools(&by_assignment(&other, &first, &held)),
            pools(&first),
            "it was in none when it was claimed"
        );
    }

    #[test]
    fn without_a_configuration_only_devices_in_pools_are_in_doubt() {
        let device = |name: &str, pool: &str| {
            let mut device = Device {
                name: name.to_owned(),
                ..Device::default()
            };
            device.attributes.insert("pool".to_owned(), pool.into());
            (name.to_owned(), device)
        };
        let devices = BTreeMap::from([
            device("0000-02-10-0", "intel.com/a"),
            device("0000-02-10-2", ""),
        ]);
        let published = Published {
            devices,
            features: Features {
                counters: true,
                taints: true,
            },
        };
        let unknown = without_config(&published, "config.json: line 1");
        let why = "what comes with its pool intel.com/a is not known since the agent started: config.json: line 1";
        assert_eq!(pools(&unknown), [format!("0000:02:10.0 {why}")]);
        let half = without_policies(
            &assignment("b", "0000:02:10.2"),
            &PoolDefaults::Unknown,
            &claimed(&[]),
            &published,
        );
        let why = "what comes with its pool intel.com/a is not known since the agent started: policies could not be read yet";
        assert_eq!(
            pools(&half),
            [
                format!("0000:02:10.0 {why}"),
                "0000:02:10.2 intel.com/b".to_owned()
            ]
        );
        let fixed = by_assignment(
            &assignment("a", "0000:02:10.0"),
            &unknown,
            &claimed(&["0000-02-10-0"]),
        );
        assert_eq!(pools(&fixed), ["0000:02:10.0 intel.com/a"]);
    }
}
