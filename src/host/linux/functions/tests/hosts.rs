//! Composed hosts: kinds of functions, their ports, groups, and what they yield.

use super::*;

fn functions(name: &str) -> Vec<Function> {
    let (_dir, sysfs) = recorded(name);
    let all = all(&sysfs);
    for function in &all {
        assert_eq!(one(&sysfs, &function.id).unwrap(), *function);
    }
    all
}

fn lines(name: &str, line: impl Fn(&Function) -> String) -> String {
    let all = functions(name);
    let lines: Vec<String> = all
        .iter()
        .map(|function| format!("{} {}", function.id, line(function)))
        .collect();
    lines.join("\n")
}

fn names(function: &Function) -> Vec<&str> {
    function.netdevs().map(|name| name.as_str()).collect()
}

#[test]
fn in_a_virtual_machine_all_are_vfs_but_what_is_known_for_a_whole_card() {
    let whole: Vec<DeviceId> = functions("guest-vfs")
        .into_iter()
        .filter(|function| function.kind != FunctionKind::Vf { address: None })
        .map(|function| function.id)
        .collect();
    assert_eq!(whole, [bdf("0000:00:03.0").into()], "the virtio card");
}

#[test]
fn an_unknown_make_is_a_pf_on_a_real_machine_and_a_vf_on_a_virtual_one() {
    let kind_on = |vendor: &str| {
        let tree = TestSysfs::new();
        let attributes = [
            ("vendor", "0x1fff"),
            ("device", "0x0001"),
            ("class", "0x020000"),
        ];
        tree.function("0000:01:00.0", &attributes);
        tree.machine(vendor);
        one(&tree.sysfs(), &bdf("0000:01:00.0").into())
            .unwrap()
            .kind
    };
    let pf = FunctionKind::Pf {
        total_vfs: 0,
        num_vfs: 0,
    };
    assert_eq!(kind_on("Dell Inc."), pf);
    assert_eq!(kind_on("Microsoft Corporation"), pf, "a Surface");
    assert_eq!(kind_on("QEMU"), FunctionKind::Vf { address: None });
}

#[test]
fn what_has_the_capability_is_a_pf_even_if_it_may_have_no_vfs_and_its_ids_are_a_vfs() {
    let tree = TestSysfs::new();
    let attributes = [
        ("vendor", "0x8086"),
        ("device", "0x1889"),
        ("class", "0x020000"),
        ("sriov_totalvfs", "0"),
    ];
    tree.function("0000:01:00.0", &attributes);
    let pf = FunctionKind::Pf {
        total_vfs: 0,
        num_vfs: 0,
    };
    assert_eq!(all(&tree.sysfs())[0].kind, pf);
}

#[test]
fn the_root_is_the_first_root_complex_anywhere_in_the_path() {
    let roots = lines("guest-vfs", |function| {
        function.pcie_root.clone().unwrap_or_default()
    });
    insta::assert_snapshot!(roots, @r#"
    0000:00:03.0 pci0000:00
    0000:00:04.0 pci0000:00
    0000:00:05.0 pci0000:00
    0000:00:06.0 pci0000:00
    0000:00:07.0 pci0000:00
    0000:00:08.0 pci0000:00
    0000:00:09.0 pci0000:00
    0000:00:0f.0 pci0000:00
    0000:00:12.0 pci0000:00
    0000:00:14.0 pci0000:00
    0000:00:15.0 pci0000:00
    0000:00:17.0 pci0000:00
    0000:00:19.0 pci0000:00
    0000:00:1a.0 pci0000:00
    0101:00:00.0 pci0101:00
    0102:00:00.0 pci0102:00
    7870:00:00.0 pci7870:00
    f618:00:02.0 pcif618:00
    "#);
    let place = |path: &str| pcie_root(Path::new(path));
    let arm = place("platform/4010000000.pcie/pci0000:00/0000:01:00.0");
    assert_eq!(arm.as_deref(), Some("pci0000:00"));
    let vmd = place("pci0000:64/0000:64:00.5/pci10000:00/10000:00:02.0");
    assert_eq!(vmd.as_deref(), Some("pci0000:64"));
    assert_eq!(place("pci-bus/pci0000/pcix0:00"), None);
}

#[test]
fn each_function_has_all_its_ports_and_no_representor() {
    let ports = lines("ports", |function| format!("{:?}", names(function)));
    insta::assert_snapshot!(ports, @r#"
    0000:01:00.0 ["enp1s0"]
    0000:01:10.0 ["enp1s0v0"]
    0000:3b:00.0 ["enp59s0", "enp59s0d1"]
    0000:3b:00.1 ["enp59s0f1", "enp59s0f1d1"]
    0000:3b:00.2 ["enp59s0f2d1"]
    0000:61:00.0 ["ens7f0np0s0"]
    0000:61:00.1 ["ens7f1np0s1"]
    0000:61:01.0 ["ens7f0v0"]
    0000:81:00.0 ["enp129s0np0s0", "enp129s0np0s1"]
    0000:81:08.0 ["enp129s8"]
    0000:b1:00.0 ["mgmtpf00,0"]
    0000:b1:00.4 ["ens5f4", "ens5f4d1"]
    0000:b1:01.0 ["ens5f5"]
    "#);
}

#[test]
fn what_functions_yield_and_who_is_in_their_groups() {
    let (_dir, sysfs) = recorded("groups");
    let text = lines("groups", |function| {
        let members = members(&sysfs, &sysfs.device(&function.id.pci()));
        let members: Vec<String> = members.iter().map(member).collect();
        let yields = &function.yields;
        let flags = [
            ("vfio", yields.vfio),
            ("elsewhere", yields.netdev_elsewhere),
            ("isolated", function.is_isolated()),
        ];
        let flags: Vec<&str> = flags
            .iter()
            .filter(|flag| flag.1)
            .map(|flag| flag.0)
            .collect();
        format!(
            "{:?} {flags:?} {:?} {members:?}",
            names(function),
            yields.uio
        )
    });
    insta::assert_snapshot!(text, @r#"
    0000:02:00.0 ["eno8303"] [] [] ["0000:02:00.1 tg3 blocks"]
    0000:02:00.1 ["eno8403"] [] [] ["0000:02:00.0 tg3 blocks"]
    0000:71:00.0 [] ["isolated"] [] []
    0000:71:00.1 [] ["vfio", "isolated"] [] []
    0000:71:00.2 [] ["isolated"] ["uio0"] []
    0000:75:00.0 [] ["isolated"] [] []
    0000:81:00.0 ["ens9"] [] [] ["0000:80:01.0 pcieport", "0000:81:10.0 ixgbevf blocks", "0000:81:10.2 ixgbevf blocks"]
    0000:81:10.0 ["ens9v0"] [] [] ["0000:80:01.0 pcieport", "0000:81:00.0 ixgbe blocks", "0000:81:10.2 ixgbevf blocks"]
    0000:81:10.2 ["ens9v1"] [] [] ["0000:80:01.0 pcieport", "0000:81:00.0 ixgbe blocks", "0000:81:10.0 ixgbevf blocks"]
    0000:91:00.0 ["ens10np0"] ["isolated"] [] ["0000:90:01.0 pcieport"]
    0000:91:00.2 [] ["vfio", "isolated"] [] []
    0000:91:00.3 [] ["elsewhere", "isolated"] [] []
    0000:91:00.4 [] ["isolated"] [] []
    0000:91:00.5 ["ens10v3"] ["isolated"] [] []
    "#);
}

fn member(member: &crate::device::GroupMember) -> String {
    let blocks = if member.blocks() { " blocks" } else { "" };
    let driver = member.driver.as_deref().unwrap_or("-");
    format!("{} {driver}{blocks}", member.name)
}

#[test]
fn a_group_without_list_is_found_by_the_functions_that_are_in_it() {
    let (dir, sysfs) = recorded("groups");
    std::fs::remove_dir_all(dir.path().join("kernel/iommu_groups/75/devices")).unwrap();
    let function = one(&sysfs, &bdf("0000:02:00.1").into()).unwrap();
    assert!(!function.is_isolated());
    let found = members(&sysfs, &sysfs.device(&bdf("0000:02:00.1")));
    let found: Vec<String> = found.iter().map(member).collect();
    assert_eq!(found, ["0000:02:00.0 tg3 blocks"]);
}

#[test]
fn a_group_that_vfio_made_is_not_isolated() {
    let tree = TestSysfs::new();
    tree.igb();
    let vf = bdf("0000:01:10.2");
    let is_isolated = || one(&tree.sysfs(), &vf.into()).unwrap().is_isolated();
    assert!(is_isolated());
    let group = tree.sysfs().root().join("kernel/iommu_groups/21");
    tree.file(&group, "name", "vfio-noiommu");
    assert!(!is_isolated());
}
