//! A host with very many VFs, composed like the small ones of `e2e/fixtures`, but too large to be a
//! file.

use super::{Recording, SysfsTree};
use crate::{
    device::{Bdf, EswitchMode},
    host::{Devlink, genl_info::handle},
};

/// PFs of one card.
const PORTS: u32 = 2;
/// VFs of one PF: an E810 has 256 for both.
const VFS: u32 = 128;

/// Dual-port E810-C cards with 128 VFs on each port, all bound to iavf: 2,048 VFs on eight cards.
///
/// Layout as in `e2e/fixtures/e810-ddp.json`; VFs have the routing numbers from 8 and 136 after
/// their PF's, as PCI's SR-IOV capability says (First VF Offset, VF Stride).
#[must_use]
pub fn host(cards: u32) -> Recording {
    let mut recording = Recording {
        note: format!("composed: {cards} dual-port E810-C"),
        ..Recording::default()
    };
    for card in 0..cards {
        for port in 0..PORTS {
            add_port(&mut recording, card, port);
        }
    }
    recording
}

/// The PCI function with this routing number: bus, device and function in one.
fn bdf(routing: u32) -> Bdf {
    let (bus, device, function) = (routing >> 8, (routing >> 3) & 31, routing & 7);
    format!("0000:{bus:02x}:{device:02x}.{function}")
        .parse()
        .expect("three numbers in range")
}

fn add_port(recording: &mut Recording, card: u32, port: u32) {
    let root = format!(
        "devices/pci0000:{:02x}/0000:{:02x}:00.0",
        8 + card * 16,
        8 + card * 16
    );
    let routing = ((9 + card * 16) << 8) | port;
    let (pf, name) = (bdf(routing), format!("ens{}f{port}", card + 1));
    let dir = format!("{root}/{pf}");
    let tree = &mut recording.sysfs;
    add_function(tree, &dir, pf, "0x1592", "ice", card);
    tree.file(&dir, "sriov_totalvfs", VFS);
    tree.file(&dir, "sriov_numvfs", VFS);
    add_netdev(tree, &dir, &name);
    for (file, content) in [("carrier", "1"), ("speed", "100000")] {
        tree.file(&format!("{dir}/net/{name}"), file, content);
    }
    for index in 0..VFS {
        let vf = bdf(routing - port + 8 + port * VFS + index);
        let vf_dir = format!("{root}/{vf}");
        add_function(tree, &vf_dir, vf, "0x1889", "iavf", card);
        add_netdev(tree, &vf_dir, &format!("{name}v{index}"));
        tree.link(&dir, &format!("virtfn{index}"), &vf_dir);
        tree.link(&vf_dir, "physfn", &dir);
    }
    let genl = Devlink {
        eswitch: Some(EswitchMode::Legacy),
        ddp_profile: Some("ICE OS Default Package".to_owned()),
    };
    recording.genl.devlink.insert(handle(&pf), genl);
}

fn add_function(tree: &mut SysfsTree, dir: &str, bdf: Bdf, device: &str, driver: &str, card: u32) {
    let numa = (card % 2).to_string();
    let all = [
        ("class", "0x020000"),
        ("vendor", "0x8086"),
        ("device", device),
        ("numa_node", &numa),
    ];
    all.iter()
        .for_each(|(name, content)| tree.file(dir, name, content));
    tree.file(dir, "driver_override", "(null)");
    tree.link(dir, "driver", &format!("bus/pci/drivers/{driver}"));
    tree.link("bus/pci/devices", &bdf.to_string(), dir);
}

fn add_netdev(tree: &mut SysfsTree, dir: &str, name: &str) {
    tree.file(&format!("{dir}/net/{name}"), "type", "1");
}
