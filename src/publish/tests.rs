//! Slices of made-up hosts, held against a model of the API's validation.

mod hosts;
mod left_out;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    api::OWN_ATTRIBUTES,
    device::{Bdf, Binding, EswitchMode, FunctionKind, LinkType, PciIds, VfAddress},
    pool::{Candidate, Config},
    slice::Reason,
};

pub(super) const ALL: Features = Features {
    counters: true,
    taints: true,
};
const PLAIN: Features = Features {
    counters: false,
    taints: false,
};

fn bdf(bus: u8, number: u32) -> Bdf {
    format!("0000:{bus:02x}:{:02x}.{}", number / 8, number % 8)
        .parse()
        .unwrap()
}

/// The PF of a bus, up with carrier at 10 Gb/s.
pub(super) fn pf(bus: u8, total_vfs: u32, num_vfs: u32) -> Function {
    Function {
        id: DeviceId::Pci(bdf(bus, 0)),
        incarnation: 1,
        kind: FunctionKind::Pf { total_vfs, num_vfs },
        ids: PciIds {
            vendor: 0x8086,
            device: 0x10c9,
        },
        binding: Binding {
            driver: Some("igb".into()),
            driver_override: None,
        },
        netdev: Some(format!("ens{bus}").parse().unwrap()),
        link_type: Some(LinkType::Ethernet),
        link_speed: Some(10_000),
        carrier: Some(true),
        eswitch: Some(EswitchMode::Legacy),
        numa_node: Some(1),
        pcie_root: Some("pci0000:3a".into()),
        iommu_group: Some(7),
        acpi_index: None,
        capabilities: Default::default(),
        yields: Default::default(),
    }
}

/// VFs 0 to `count` of a bus' PF.
pub(super) fn vfs(bus: u8, count: u32) -> Vec<Function> {
    let address = |index| {
        Some(VfAddress {
            pf: bdf(bus, 0),
            index,
        })
    };
    let vf = |index| Function {
        id: DeviceId::Pci(bdf(bus, 8 + index)),
        kind: FunctionKind::Vf {
            address: address(index),
        },
        ids: PciIds {
            vendor: 0x8086,
            device: 0x10ca,
        },
        binding: Binding {
            driver: Some("igbvf".into()),
            driver_override: None,
        },
        netdev: None,
        eswitch: None,
        link_speed: None,
        carrier: None,
        ..pf(bus, 0, 0)
    };
    (0..count).map(vf).collect()
}

pub(super) fn host(buses: &[(u8, u32, u32)]) -> Vec<Function> {
    let all = buses.iter().flat_map(|(bus, total, num)| {
        std::iter::once(pf(*bus, *total, *num)).chain(vfs(*bus, *num))
    });
    all.collect()
}

pub(super) fn nothing(features: Features) -> Published {
    Published {
        devices: BTreeMap::new(),
        features,
    }
}

/// Everything by default, to be changed by a test.
pub(super) struct Case {
    pub(super) host: Inventory,
    pub(super) claimed: BTreeMap<DeviceId, Option<String>>,
    pub(super) taints: BTreeMap<DeviceId, Vec<Taint>>,
    pub(super) pools: Option<Assignment>,
    pub(super) policy_attributes: Option<BTreeMap<DeviceId, BTreeMap<String, Attribute>>>,
    pub(super) published: Published,
}

impl Case {
    pub(super) fn of(functions: Vec<Function>, features: Features) -> Self {
        let (claimed, taints) = (BTreeMap::new(), BTreeMap::new());
        let host = Inventory {
            functions,
            host_used: BTreeSet::new(),
        };
        Self {
            host,
            claimed,
            taints,
            pools: Some(Assignment::default()),
            policy_attributes: Some(BTreeMap::new()),
            published: nothing(features),
        }
    }

    pub(super) fn desired(&self) -> Desired {
        slices(&PublishInput {
            driver: "sriov-dra.io",
            inventory: &self.host,
            claimed: &self.claimed,
            taints: &self.taints,
            pools: self.pools.as_ref(),
            policy_attributes: self.policy_attributes.as_ref(),
            published: &self.published,
        })
    }

    fn devices(&self) -> BTreeMap<String, Device> {
        by_name(&self.desired())
    }

    /// As if the server had taken it.
    fn publish(&mut self) {
        self.published.devices = self.devices();
    }
}

fn by_name(desired: &Desired) -> BTreeMap<String, Device> {
    desired
        .slices
        .iter()
        .flat_map(Slice::devices)
        .map(|device| (device.name.clone(), device.clone()))
        .collect()
}

#[test]
fn every_attribute_of_the_table_is_on_pf_and_vf() {
    let devices = Case::of(host(&[(0x3b, 7, 2)]), ALL).devices();
    for device in devices.values() {
        assert_eq!(
            device.attributes.keys().collect::<Vec<_>>(),
            OWN_ATTRIBUTES.iter().collect::<Vec<_>>()
        );
    }
    insta::assert_json_snapshot!(
        "attributes",
        devices
            .values()
            .map(|device| &device.attributes)
            .collect::<Vec<_>>()
    );
}

#[test]
fn unknown_topology_is_left_out_and_everything_else_is_neutral() {
    let bare = Function {
        kind: FunctionKind::Vf { address: None },
        numa_node: None,
        pcie_root: None,
        link_type: None,
        binding: Binding::default(),
        ..vfs(1, 1).remove(0)
    };
    let devices = Case::of(vec![bare], ALL).devices();
    let device = &devices["0000-01-01-0"];
    assert_eq!(device.attributes.len(), 26);
    assert!(
        device
            .attributes
            .keys()
            .all(|name| !name.ends_with("numaNode") && !name.ends_with("pcieRoot"))
    );
    assert_eq!(
        (
            device.text("driver"),
            device.text("pfPciAddress"),
            device.number("index")
        ),
        ("", "0000:01:01.0", -1)
    );
    assert_eq!(
        (device.text("pfDeviceID"), device.text("pfName")),
        ("10ca", "")
    );
}

#[test]
fn vfs_come_pf_by_pf_and_pfs_last_behind_the_counters() {
    let desired = Case::of(host(&[(2, 128, 70), (1, 8, 3)]), ALL).desired();
    let names = |slice: &Slice| match slice {
        Slice::SharedCounters(sets) => sets.iter().map(|set| set.name.clone()).collect::<Vec<_>>(),
        Slice::Devices(devices) => vec![devices[0].name.clone(), devices.len().to_string()],
    };
    let shape: Vec<_> = desired.slices.iter().map(names).collect();
    assert_eq!(
        shape,
        [
            ["pf-0000-01-00-0", "pf-0000-02-00-0"],
            ["0000-01-01-0", "3"],
            ["0000-02-01-0", "64"],
            ["0000-02-09-0", "6"],
            ["0000-01-00-0", "2"],
        ]
    );
}

#[test]
fn an_empty_node_still_says_that_the_driver_is_up() {
    assert_eq!(
        Case::of(Vec::new(), ALL).desired().slices,
        [Slice::Devices(Vec::new())]
    );
}

#[test]
fn a_pf_and_its_vfs_consume_from_one_set() {
    let mut case = Case::of(host(&[(1, 7, 2), (2, 0, 0)]), ALL);
    let devices = case.devices();
    let takes = |name: &str| {
        devices[name]
            .consumes
            .iter()
            .map(|c| (c.set.as_str(), c.counters["vfs"]))
            .next()
    };
    assert_eq!(takes("0000-01-00-0"), Some(("pf-0000-01-00-0", 7)));
    assert_eq!(takes("0000-01-01-1"), Some(("pf-0000-01-00-0", 1)));
    assert_eq!(takes("0000-02-00-0"), None);
    // A PF that the host uses is not given away: nothing to exclude.
    case.host.host_used.insert(bdf(1, 0).into());
    let device = &case.devices()["0000-01-01-1"];
    assert!(device.consumes.is_empty());
    assert_eq!(
        (device.text("pfName"), device.number("totalVFs")),
        ("ens1", 7)
    );
}

#[test]
fn without_counters_a_pf_is_published_only_while_it_has_no_vfs() {
    let mut case = Case::of(host(&[(1, 7, 2), (2, 7, 0)]), PLAIN);
    assert!(
        !case.devices().contains_key("0000-01-00-0") && case.devices().contains_key("0000-02-00-0")
    );
    assert!(
        case.desired()
            .slices
            .iter()
            .all(|slice| matches!(slice, Slice::Devices(_)))
    );
    case.claimed.insert(case.host.functions[0].id, None);
    assert!(
        case.devices().contains_key("0000-01-00-0"),
        "a claim's PF stays"
    );
    assert!(
        !case.devices().contains_key("0000-01-01-0"),
        "and what was made of it meanwhile is nobody's"
    );
    case.claimed.insert(case.host.functions[1].id, None);
    let listed = |name: &str| case.devices().contains_key(name);
    assert!(
        listed("0000-01-01-0") && !listed("0000-01-01-1"),
        "a claim's VF stays too"
    );
}

#[test]
fn what_is_not_known_just_now_is_as_it_last_was() {
    let mut case = Case::of(host(&[(1, 7, 2)]), ALL);
    case.publish();
    let before = case.desired();
    let pf = &mut case.host.functions[0];
    (pf.link_speed, pf.netdev, pf.link_type) = (None, None, None);
    for vf in &mut case.host.functions[1..] {
        vf.link_type = None;
    }
    assert_eq!(case.desired(), before);
}

#[test]
fn a_device_under_a_claim_is_published_unchanged() {
    let mut case = Case::of(host(&[(1, 7, 2)]), ALL);
    case.publish();
    let before = case.desired();
    let vf = &mut case.host.functions[2];
    vf.binding.driver = Some("vfio-pci".into());
    case.claimed.insert(vf.id, Some("igbvf".into()));
    assert_eq!(case.desired(), before);
}

#[test]
fn a_vanished_device_is_listed_and_tainted_until_its_claim_is_gone() {
    let mut case = Case::of(host(&[(1, 7, 3)]), ALL);
    case.publish();
    let before = case.devices();
    let vf = case.host.functions.remove(2);
    case.claimed.insert(vf.id, None);
    let now = case.devices();
    let device = &now[&vf.id.name()];
    assert_eq!(
        device.taints,
        [Taint::no_schedule("sriov-dra.io", Reason::Gone)]
    );
    assert_eq!(device.attributes, before[&vf.id.name()].attributes);
    assert_eq!(device.consumes, before[&vf.id.name()].consumes);
    assert_eq!(
        case.desired().slices[1].devices()[1].name,
        vf.id.name(),
        "in its place"
    );
    case.claimed.clear();
    assert!(!case.devices().contains_key(&vf.id.name()));
}

#[test]
fn a_port_without_carrier_taints_its_pf_and_vfs_only() {
    let mut functions = host(&[(1, 7, 2), (2, 7, 2)]);
    functions[0].carrier = Some(false);
    functions[3].carrier = None;
    let down = ports(&functions)
        .into_iter()
        .filter_map(|(pf, down)| down.then_some(pf))
        .collect();
    let tainted = link_down("sriov-dra.io", &functions, &down);
    let expected: Vec<_> = functions[..3].iter().map(|function| function.id).collect();
    assert_eq!(tainted.keys().copied().collect::<Vec<_>>(), expected);
    assert_eq!(tainted[&expected[0]][0].key, "sriov-dra.io/link-down");
    let mut case = Case::of(functions, PLAIN);
    case.taints = tainted;
    assert!(
        case.devices()
            .values()
            .all(|device| device.taints.is_empty()),
        "a server without taints gets none"
    );
}

/// What the API server refuses (`pkg/apis/resource/validation`), as a model of it.
fn refused(desired: &Desired) -> Vec<String> {
    let mut faults = Vec::new();
    let mut check = |ok: bool, text: &str| {
        if !ok {
            faults.push(text.to_owned())
        }
    };
    let sets: BTreeMap<&str, &BTreeMap<String, u64>> = desired
        .slices
        .iter()
        .flat_map(|slice| {
            if let Slice::SharedCounters(sets) = slice {
                sets.as_slice()
            } else {
                &[]
            }
        })
        .map(|set| (set.name.as_str(), &set.counters))
        .collect();
    let mut names = BTreeSet::new();
    check(!desired.slices.is_empty(), "no slice");
    for slice in &desired.slices {
        if let Slice::SharedCounters(sets) = slice {
            check((1..=8).contains(&sets.len()), "counter sets");
        }
        check(slice.devices().len() <= 64, "devices");
        for device in slice.devices() {
            check(names.insert(device.name.clone()), "duplicate device");
            check(
                device.name.len() <= 63 && !device.name.contains(['.', ':', '_']),
                "device name",
            );
            check(device.attributes.len() <= 32, "attributes");
            check(
                device.consumes.len() <= 2 && device.taints.len() <= 16,
                "consumes or taints",
            );
            for consumption in &device.consumes {
                let available = |name| sets.get(consumption.set.as_str())?.get(name);
                let enough =
                    |(name, amount)| available(name).is_some_and(|available| amount <= available);
                check(consumption.counters.iter().all(enough), "counter set");
            }
            for value in device.attributes.values() {
                let long = |text: &String| text.len() > 64;
                check(
                    !matches!(value, Attribute::String(text) if long(text)),
                    "long value",
                );
            }
        }
    }
    faults
}

/// Which of them have a place in a slice.
fn listed(functions: &[Function]) -> Vec<DeviceId> {
    let inventory = Inventory {
        functions: functions.to_vec(),
        ..Inventory::default()
    };
    let desired = slices(&PublishInput {
        driver: "sriov-dra.io",
        inventory: &inventory,
        claimed: &BTreeMap::new(),
        taints: &BTreeMap::new(),
        pools: None,
        policy_attributes: None,
        published: &Published {
            devices: BTreeMap::new(),
            features: Features {
                counters: true,
                taints: true,
            },
        },
    });
    let names = desired.slices.iter().flat_map(Slice::devices);
    let ids = names.filter_map(|device| DeviceId::from_name(&device.name).ok());
    ids.collect()
}

#[test]
fn a_pf_that_prepare_refuses_is_not_listed_and_its_vfs_are() {
    let mut functions = host(&[(1, 2, 2), (2, 2, 2)]);
    let ids: Vec<DeviceId> = functions.iter().map(|function| function.id).collect();
    let pfs: Vec<DeviceId> = functions
        .iter()
        .filter(|function| !function.is_part())
        .map(|function| function.id)
        .collect();
    assert_eq!(listed(&functions).len(), ids.len());
    let is_first = |function: &&mut Function| function.id == pfs[0];
    let first = functions.iter_mut().find(is_first).unwrap();
    first.eswitch = Some(crate::device::EswitchMode::Switchdev);
    functions.push(sf(2, 3));
    let now = listed(&functions);
    assert_eq!(now.len(), ids.len() - 2, "{now:?}");
    assert!(!now.contains(&pfs[0]) && !now.contains(&pfs[1]), "{now:?}");
}

/// Makes a PF or VF of an accelerator of it.
fn accelerate(function: &mut Function) {
    let (total_vfs, num_vfs) = function.vfs().unwrap_or_default();
    function.kind = FunctionKind::Accelerator {
        address: function.vf_address(),
        total_vfs,
        num_vfs,
    };
}

fn sf(bus: u8, number: u32) -> Function {
    let id = DeviceId::Sf {
        parent: bdf(bus, 0),
        number,
    };
    Function {
        id,
        kind: FunctionKind::Sf {
            auxiliary: format!("mlx5_core.sf.{number}"),
        },
        ..pf(bus, 0, 0)
    }
}

fn hosts() -> impl Strategy<Value = Vec<Function>> {
    let pf = (0u32..140).prop_flat_map(|total| {
        (
            Just(total),
            0..=total,
            any::<bool>(),
            prop_oneof![Just(0), 0u32..70],
        )
    });
    let pfs = prop::collection::vec(pf, 0..10);
    let driver = prop_oneof![Just("igbvf".to_owned()), "[a-z]{60,70}"];
    (pfs, driver).prop_map(|(pfs, driver)| {
        let all = pfs
            .iter()
            .zip(1u8..)
            .flat_map(|((total, num, accelerates, sfs), bus)| {
                let mut functions = host(&[(bus, *total, *num)]);
                match accelerates {
                    true => functions.iter_mut().for_each(accelerate),
                    false => functions.extend((0..*sfs).map(|number| sf(bus, number * 3))),
                }
                functions
            });
        let mut functions: Vec<Function> = all.collect();
        if let Some(last) = functions.last_mut() {
            last.binding.driver = Some(driver);
        }
        functions
    })
}

fn any_features() -> impl Strategy<Value = Features> {
    any::<(bool, bool)>().prop_map(|(counters, taints)| Features { counters, taints })
}

/// Which slices differ.
fn touched(one: &Desired, two: &Desired) -> usize {
    assert_eq!(one.slices.len(), two.slices.len());
    one.slices
        .iter()
        .zip(&two.slices)
        .filter(|(one, two)| one != two)
        .count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_server_takes_every_slice_of_every_host(functions in hosts(), features in any_features()) {
        let case = Case::of(functions, features);
        prop_assert_eq!(refused(&case.desired()), Vec::<String>::new());
        prop_assert_eq!(case.desired(), case.desired());
    }

    #[test]
    fn the_order_of_the_sweep_does_not_matter(functions in hosts()) {
        let mut case = Case::of(functions, ALL);
        let before = case.desired().slices;
        case.host.functions.reverse();
        prop_assert_eq!(case.desired().slices, before);
    }

    #[test]
    fn one_changed_taint_or_attribute_touches_one_slice(functions in hosts(), which in any::<prop::sample::Index>()) {
        prop_assume!(!functions.is_empty());
        let mut case = Case::of(functions, ALL);
        let before = case.desired();
        let index = which.index(case.host.functions.len());
        prop_assume!(case.host.functions[index].auxiliary().is_none());
        let id = case.host.functions[index].id;
        // One that the API would refuse is in no slice.
        prop_assume!(before.slices.iter().flat_map(Slice::devices).any(|device| device.name == id.name()));
        case.taints.insert(id, vec![Taint::no_schedule("sriov-dra.io", Reason::UndoFailed)]);
        prop_assert_eq!(touched(&before, &case.desired()), 1);
        case.taints.clear();
        case.host.functions[index].acpi_index = Some(3);
        prop_assert_eq!(touched(&before, &case.desired()), 1);
    }

    #[test]
    fn a_vf_that_goes_or_comes_leaves_all_others_in_their_slice(functions in hosts(), which in any::<prop::sample::Index>()) {
        prop_assume!(functions.len() > 1);
        let mut case = Case::of(functions, ALL);
        let index = which.index(case.host.functions.len());
        prop_assume!(case.host.functions[index].vf_address().is_some());
        let before = case.desired();
        let gone = case.host.functions.remove(index).id.name();
        let after = case.desired();
        let companions = |desired: &Desired| -> BTreeSet<BTreeSet<String>> {
            let names = |slice: &Slice| slice.devices().iter().map(|d| d.name.clone()).filter(|n| *n != gone).collect();
            desired.slices.iter().map(names).filter(|names: &BTreeSet<String>| !names.is_empty()).collect()
        };
        prop_assert_eq!(companions(&before), companions(&after));
    }
}

fn in_pool(id: DeviceId, exclude_topology: bool) -> Option<Assignment> {
    let selectors = json!({"vendors": ["8086"], "pciAddresses": [id.pci().to_string()]});
    let pool =
        json!({"resourceName": "net", "selectors": selectors, "excludeTopology": exclude_topology});
    let (config, _) =
        Config::read(&json!({"resourceList": [pool]}).to_string(), "intel.com").unwrap();
    let all = vfs(1, 3);
    Some(
        config.assign(
            &all.iter()
                .map(|vf| Candidate::of(vf, &all, None))
                .collect::<Vec<_>>(),
        ),
    )
}

#[test]
fn a_device_in_a_pool_says_so_and_one_under_a_claim_stays_in_the_pool_that_it_was_in() {
    let mut case = Case::of(host(&[(1, 7, 3)]), ALL);
    let vf = case.host.functions[1].id;
    let pool = |case: &Case| {
        let attributes = case.devices()[&vf.name()].attributes.clone();
        let numa = attributes.contains_key("resource.kubernetes.io/numaNode");
        assert_eq!(
            attributes["pool"],
            attributes["k8s.cni.cncf.io/resourceName"]
        );
        (attributes["pool"].to_string(), numa)
    };
    assert_eq!(pool(&case), (String::new(), true));
    case.pools = in_pool(vf, true);
    assert_eq!(
        pool(&case),
        ("intel.com/net".to_owned(), false),
        "without NUMA node, as its pool wants it"
    );
    case.publish();
    case.pools = None;
    assert_eq!(pool(&case).0, "intel.com/net", "what is not known stays");
    (case.pools, case.claimed) = (
        in_pool(case.host.functions[2].id, false),
        [(vf, None)].into(),
    );
    assert_eq!(
        pool(&case),
        ("intel.com/net".to_owned(), false),
        "it goes when the claim does"
    );
    case.claimed.clear();
    assert_eq!(pool(&case), (String::new(), true));
}

/// What policies assign to each of these devices: a colour, and the pool's name as Multus is to see
/// it.
fn colour(
    devices: &[DeviceId],
    colour: &str,
) -> Option<BTreeMap<DeviceId, BTreeMap<String, Attribute>>> {
    let given = [
        ("example.com/colour", colour),
        ("k8s.cni.cncf.io/resourceName", "net"),
    ];
    let given = given.map(|(name, value)| (name.to_owned(), Attribute::from(value)));
    Some(
        devices
            .iter()
            .map(|id| (*id, given.clone().into()))
            .collect(),
    )
}

#[test]
fn policy_attributes_are_published_and_stay_while_a_claim_has_the_device_or_policies_are_not_known()
{
    let mut case = Case::of(host(&[(1, 7, 3)]), ALL);
    let vf = case.host.functions[1].id;
    let names = |case: &Case| {
        let device = case.devices()[&vf.name()].clone();
        [
            device.text("pool"),
            device.text("k8s.cni.cncf.io/resourceName"),
            device.text("example.com/colour"),
        ]
        .map(str::to_owned)
    };
    (case.pools, case.policy_attributes) = (in_pool(vf, false), colour(&[vf], "red"));
    assert_eq!(names(&case), ["intel.com/net", "net", "red"]);
    assert_eq!(case.devices()[&vf.name()].attributes.len(), 30);
    case.publish();
    (case.pools, case.policy_attributes) = (Some(Assignment::default()), None);
    assert_eq!(
        names(&case),
        ["intel.com/net", "net", "red"],
        "policies have not been read yet"
    );
    case.pools = in_pool(vf, false);
    assert_eq!(
        names(&case),
        ["intel.com/net", "intel.com/net", "red"],
        "config.json has"
    );
    (case.pools, case.policy_attributes) = (Some(Assignment::default()), Some(BTreeMap::new()));
    case.claimed = [(vf, None)].into();
    assert_eq!(
        names(&case),
        ["intel.com/net", "net", "red"],
        "it goes when the claim does"
    );
    case.claimed.clear();
    assert_eq!(names(&case), ["", "", ""]);
}

#[test]
fn a_changed_policy_attribute_touches_the_slices_of_its_devices_only() {
    let mut case = Case::of(host(&[(1, 127, 100), (2, 127, 100)]), ALL);
    let ids: Vec<DeviceId> = case
        .host
        .functions
        .iter()
        .filter(|f| f.id.name().starts_with("0000-02"))
        .map(|f| f.id)
        .collect();
    let before = case.desired();
    assert_eq!(case.desired(), before);
    case.policy_attributes = colour(&ids[1..5], "red");
    let after = case.desired();
    let differ = before
        .slices
        .iter()
        .zip(&after.slices)
        .filter(|(one, two)| one != two)
        .count();
    assert_eq!((before.slices.len(), after.slices.len(), differ), (6, 6, 1));
}
