//! IOMMU groups between claims and attachments without a claim, and groups that a process has.

use super::{
    groups::{FIRST, SECOND, bind, id},
    refusal::refused,
    *,
};
use crate::ledger::{AttachmentOwner, Record};

/// Two VFs of one group, of which these are bound to vfio-pci.
fn shared(by_vfio: &[&str]) -> World {
    let world = World::with(Fake::shared_groups());
    by_vfio
        .iter()
        .for_each(|name| bind(&world, name, Some("vfio-pci")));
    world
}

fn vfio_claim(uid: &str, device: &str) -> AllocatedClaim {
    claim(uid, &[device], json!({"driver": "vfio-pci"}))
}

/// What the CNI binary does for a device of a device plugin.
fn take(
    world: &World,
    attachment: &str,
    device: &str,
) -> Result<Record<AttachmentOwner>, ClaimError> {
    let owner = AttachmentOwner {
        attachment: attachment.parse().unwrap(),
        call: None,
    };
    world.engine.take(owner, id(device), soon())
}

#[test]
fn a_group_that_an_attachment_has_goes_to_no_claim_and_no_other_attachment() {
    let world = shared(&[FIRST, SECOND]);
    take(&world, "box-net1", FIRST).unwrap();
    let by_claim = refused(&world, &vfio_claim("one", SECOND));
    let by_attachment = take(&world, "other-net1", SECOND).unwrap_err().to_string();
    insta::assert_snapshot!([by_claim, by_attachment].join("\n"), @r"
    0000:02:10.2: is held by attachment box-net1, as 0000:02:10.0 of the same IOMMU group 30, which VFIO gives as a whole
    0000:02:10.2: is held by attachment box-net1, as 0000:02:10.0 of the same IOMMU group 30, which VFIO gives as a whole
    ");
}

#[test]
fn a_group_of_which_an_attachment_has_a_netdev_is_not_given() {
    let world = shared(&[]);
    take(&world, "box-net1", SECOND).unwrap();
    insta::assert_snapshot!(refused(&world, &vfio_claim("one", FIRST)), @"0000:02:10.0: is held by attachment box-net1, as 0000:02:10.2 of the same IOMMU group 30, which VFIO gives as a whole");
}

#[test]
fn netdevs_of_one_group_go_to_attachments_and_claims_side_by_side() {
    let world = shared(&[]);
    take(&world, "box-net1", SECOND).unwrap();
    world.prepare(&claim("one", &[FIRST], json!({}))).unwrap();
}

/// A group that cannot be given is not an attachment's either: its process would get the other one
/// too.
#[test]
fn an_attachment_gets_no_group_with_a_member_on_a_kernel_driver() {
    let world = shared(&[FIRST]);
    let error = take(&world, "box-net1", FIRST).unwrap_err().to_string();
    assert!(
        error.contains("0000:02:10.2 (driver igbvf) is in it"),
        "{error}"
    );
}

/// The device itself has no driver yet, so that it has no node of its own that could be open.
#[test]
fn a_group_that_a_process_has_open_by_another_member_is_refused_with_it() {
    let world = shared(&[SECOND]);
    bind(&world, FIRST, None);
    world.fake.open_node("/dev/vfio/30", &[(7, "qemu")]);
    let before = world.fake.dump();
    insta::assert_snapshot!(refused(&world, &vfio_claim("one", FIRST)), @"0000:02:10.0: is in use: /dev/vfio/30 is open in process 7 (qemu)");
    assert_eq!(world.fake.dump(), before);
}
