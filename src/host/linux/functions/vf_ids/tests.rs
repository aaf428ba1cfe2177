//! The table beside pci.ids.

use super::*;

const PCI_IDS: &str = include_str!("pci.ids");

/// What is called a virtual function and is none of a network, or is a physical one.
const OTHERS: [(Ids, &str); 15] = [
    ((0x1002, &[0x73ce]), "graphics"),
    ((0x1077, &[0x8431]), "Fibre Channel over Ethernet"),
    (
        (0x10df, &[0x072a, 0x072b, 0x072c, 0xe208, 0xe268]),
        "iSCSI, Fibre Channel",
    ),
    ((0x1556, &[0x110f]), "a reference design"),
    ((0x168a, &[0xc072]), "a hardware security module"),
    (
        (0x177d, &[0x9713, 0xa033, 0xa036, 0xa037, 0xa0f3, 0xa0fe]),
        "NVMe, random numbers, RAID, compression, cryptography",
    ),
    (
        (0x19e5, &[0xa251, 0xa256, 0xa259, 0xa25b]),
        "compression, cryptography, RAID",
    ),
    ((0x1a41, &[0x0201]), "a processor"),
    ((0x1d22, &[0x3685]), "an accelerator"),
    ((0x1d6c, &[0x101a, 0x101b]), "physical functions"),
    ((0x1dd8, &[0x1006]), "NVMe"),
    ((0x1ded, &[0x8002, 0x8004]), "root complex endpoints"),
    ((0x1f3f, &[0x9008, 0x9009]), "Fibre Channel"),
    ((0x1faa, &[0x0c11]), "an accelerator"),
    (
        (
            0x8086,
            &[0x0442, 0x0443, 0x18a1, 0x18ef, 0x19e3, 0x37c9, 0x6f55],
        ),
        "QuickAssist",
    ),
];

/// Ids and name of each device of the list.
fn devices() -> Vec<(PciIds, &'static str)> {
    let number = |text: &str| u16::from_str_radix(&text[..4], 16).unwrap();
    let mut vendor = 0;
    let mut all = vec![];
    for line in PCI_IDS.lines().filter(|line| !line.starts_with('#')) {
        match line.strip_prefix('\t') {
            None => vendor = number(line),
            Some(device) => {
                let ids = PciIds {
                    vendor,
                    device: number(device),
                };
                all.push((ids, device));
            }
        }
    }
    all
}

fn is_other(ids: PciIds) -> bool {
    OTHERS.iter().any(|(row, _)| is_among(&[*row], ids))
}

#[test]
fn what_pci_ids_calls_a_virtual_function_of_a_network_is_a_vf() {
    let unbound = Binding::default();
    let devices = devices();
    assert!(devices.len() > 150, "{}", devices.len());
    let missing: Vec<_> = devices
        .iter()
        .filter(|(ids, _)| is_vf(*ids, &unbound) == is_other(*ids))
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn no_id_is_in_two_rows() {
    let mut all: Vec<(u16, u16)> = VFS
        .iter()
        .flat_map(|(vendor, devices)| devices.iter().map(|device| (*vendor, *device)))
        .collect();
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count);
}
