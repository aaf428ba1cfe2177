//! What a function yields is what is observed: a driver without netdev is not waited for, and a
//! netdev that should be there is not taken for none.

use std::time::Instant;

use super::{crash::KILLS, refusal::refused, *};
use crate::{
    device::{Binding, Observed},
    host::Recording,
};

const EFA: &str = "0000-00-04-0";
const VF: &str = "0000-02-10-0";

/// The igb host with another VF in place of [`VF`].
fn with(change: impl FnOnce(&mut Observed)) -> World {
    let mut host = Recording::igb();
    let id = DeviceId::from_name(VF).unwrap();
    let mut all = host.functions.iter_mut();
    change(all.find(|observed| observed.function.id == id).unwrap());
    World::with(Fake::new(&host))
}

fn without_netdev(observed: &mut Observed) {
    (observed.netdev, observed.function.netdev) = (None, None);
}

#[test]
fn a_driver_without_netdev_is_prepared_at_once_with_its_rdma_devices() {
    let world = World::with(Fake::efa());
    let claim = claim("efa", &[EFA], json!({"rdma": true}));
    let begin = Instant::now();
    world
        .engine
        .prepare(
            &claim,
            &world.pools,
            Deadline::after(Duration::from_secs(30)),
        )
        .unwrap();
    assert!(
        begin.elapsed() < Duration::from_secs(2),
        "nothing is waited for"
    );
    let device = &world.record(&claim).unwrap().devices[0];
    assert!(device.netdev.is_none());
    assert!(
        device.nodes.contains(&"/dev/infiniband/uverbs0".to_owned()),
        "{:?}",
        device.nodes
    );
    assert_eq!(device.extras.rdma_device.as_deref(), Some("efa_0"));
}

#[test]
fn a_driver_without_netdev_goes_to_vfio_and_comes_back() {
    let fake = Fake::efa();
    let before = fake.dump();
    for class in [
        json!({"driver": "vfio-pci"}),
        json!({"driver": "default"}),
        json!({}),
    ] {
        let world = World::with(fake.clone());
        let claim = claim("efa", &[EFA], class);
        world.prepare(&claim).unwrap();
        world.prepare(&claim).unwrap();
        world.unprepare(&claim).unwrap();
        assert_eq!(fake.dump(), before);
    }
}

#[test]
fn killed_at_every_write_a_driver_without_netdev_is_as_before() {
    let claim = claim("efa", &[EFA], json!({"driver": "vfio-pci"}));
    let before = Fake::efa().dump();
    let set_up = || World::with(Fake::efa());
    let act = |world: &World| drop(world.prepare(&claim));
    crash::everywhere(&KILLS, set_up, act, |world, trip| {
        crash::after_restart(world, &claim, &before, trip);
    });
}

#[test]
fn what_only_a_netdev_has_is_refused_where_there_is_none() {
    let world = World::with(Fake::efa());
    insta::assert_snapshot!(refused(&world, &claim("efa", &[EFA], json!({"mtu": 9000}))), @r#"0000:00:04.0: mtu: there is no network interface with efa; leave mtu out"#);
}

#[test]
fn a_netdev_that_others_of_its_kind_have_is_missed() {
    let world = with(without_netdev);
    insta::assert_snapshot!(refused(&world, &claim("c", &[VF], json!({}))), @r#"0000:02:10.0: driver igbvf has made no network interface of it, as it has of others of its kind; the kernel's log says why"#);
}

#[test]
fn an_infiniband_vf_without_ipoib_lacks_nothing_though_ethernet_vfs_have_netdevs() {
    let world = with(|observed| {
        without_netdev(observed);
        observed.function.link_type = Some(crate::device::LinkType::Infiniband);
    });
    world.prepare(&claim("c", &[VF], json!({}))).unwrap();
}

#[test]
fn a_vfio_driver_of_one_make_gives_its_groups_node_and_is_left_alone() {
    let world = with(|observed| {
        without_netdev(observed);
        observed.function.binding.driver = Some("mlx5_vfio_pci".into());
    });
    let before = world.fake.dump();
    let claim = claim("c", &[VF], json!({}));
    world.prepare(&claim).unwrap();
    let device = &world.record(&claim).unwrap().devices[0];
    assert_eq!(device.nodes, ["/dev/vfio/30", "/dev/vfio/vfio"]);
    assert_eq!(world.fake.dump(), before, "the driver stays");
}

#[test]
fn a_vfio_driver_of_one_make_is_bound_as_vfio() {
    let mut world = World::new();
    let mut identity = world.engine.identity.clone();
    identity.drivers.push("mlx5_vfio_pci".into());
    let kernel = Arc::new(world.fake.clone());
    world.engine = Engine::new(kernel, world.engine.paths.clone(), identity);
    let claim = claim("c", &[VF], json!({"driver": "mlx5_vfio_pci"}));
    let before = world.fake.dump();
    world.prepare(&claim).unwrap();
    let device = &world.record(&claim).unwrap().devices[0];
    assert_eq!(device.nodes, ["/dev/vfio/30", "/dev/vfio/vfio"]);
    world.unprepare(&claim).unwrap();
    assert_eq!(world.fake.dump(), before);
}

#[test]
fn of_several_netdevs_none_goes_into_a_pod_and_vfio_takes_them_all() {
    let world = with(|observed| {
        observed.function.yields.more_netdevs = vec!["enp1s0f0v0d1".parse().unwrap()];
    });
    insta::assert_snapshot!(refused(&world, &claim("c", &[VF], json!({}))), @r#"0000:02:10.0: has 2 network interfaces (enp1s0f0v0, enp1s0f0v0d1), of which only one could go into a pod; set driver: vfio-pci, or select functions with a single port"#);
    let vfio = claim("c", &[VF], json!({"driver": "vfio-pci"}));
    world.prepare(&vfio).unwrap();
    world.unprepare(&vfio).unwrap();
}

#[test]
fn a_function_that_turns_out_to_have_several_netdevs_goes_back() {
    let world = with(|observed| {
        observed.function.yields.more_netdevs = vec!["enp1s0f0v0d1".parse().unwrap()];
    });
    let bound = Binding {
        driver: Some("vfio-pci".into()),
        driver_override: Some("vfio-pci".into()),
    };
    let id = DeviceId::from_name(VF).unwrap();
    world.fake.set_driver(&id, &bound, soon()).unwrap();
    let error = refused(&world, &claim("c", &[VF], json!({"driver": "default"})));
    assert!(error.contains("has 2 network interfaces"), "{error}");
}

#[test]
fn who_only_looks_at_a_device_does_not_wait_for_its_netdev() {
    let world = World::new();
    let holder = claim("holder", &[VF], json!({}));
    world.prepare(&holder).unwrap();
    world.attach(&holder, "net1");
    let mut observer = claim("observer", &[VF], json!({}));
    observer.devices[0].admin_access = true;
    let begin = Instant::now();
    let long = Deadline::after(Duration::from_secs(30));
    world.engine.prepare(&observer, &world.pools, long).unwrap();
    assert!(begin.elapsed() < Duration::from_secs(2));
}
