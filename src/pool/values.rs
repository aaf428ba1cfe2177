//! Values of selector lists that no device has, and what would be right instead: for config.json
//! and for policies.

use super::{
    Warning,
    error::{Place, quoted},
};
use crate::device::Bdf;

/// What would be right, for a value that never matches.
pub(crate) type Right = fn(&str) -> Option<String>;

/// Modules of functions that work on top of the PCI driver, on the auxiliary bus or as its clients:
/// no function is ever bound to them.
const ON_TOP: [(&str, &str); 16] = [
    ("mlx5_ib", "\"mlx5_core\""),
    ("mlx5_en", "\"mlx5_core\""),
    ("mlx5_vdpa", "\"mlx5_core\""),
    ("mlx4_ib", "\"mlx4_core\""),
    ("mlx4_en", "\"mlx4_core\""),
    ("irdma", "\"ice\", \"i40e\" or, for VFs, \"iavf\""),
    ("i40iw", "\"i40e\""),
    ("bnxt_re", "\"bnxt_en\""),
    ("qedr", "\"qede\""),
    ("iw_cxgb4", "\"cxgb4\" or, for VFs, \"cxgb4vf\""),
    ("ocrdma", "\"be2net\""),
    ("mana_ib", "\"mana\""),
    ("ionic_rdma", "\"ionic\""),
    ("hns_roce_hw_v2", "\"hns3\" or, for VFs, \"hclgevf\""),
    ("pds_vdpa", "\"pds_core\""),
    ("pds_fwctl", "\"pds_core\""),
];

/// Words for `deviceType`, of the SR-IOV operator's policies and of config.json. The operator's
/// other one, vfio-pci, is a driver as well.
const DEVICE_TYPES: [&str; 3] = ["netdevice", "accelerator", "auxnetdevice"];

/// Drivers with a `-` or `_` in their names, which are easily mistaken for each other.
const DASHED: [&str; 8] = [
    "vfio-pci",
    "virtio-pci",
    "mlx5_core",
    "mlx4_core",
    "bnxt_en",
    "uio_pci_generic",
    "igb_uio",
    "mlx5_vfio_pci",
];

pub(crate) fn never_matches(place: &Place, value: &str, right: &str) -> Warning {
    let literally = not_literal(value).map_or(String::new(), |what| {
        format!(" (values are compared literally, not as {what})")
    });
    let reason = format!(
        "{} never matches{literally}, must be {right}",
        quoted(value)
    );
    Warning::new(place, reason)
}

/// What the value looks like, if it is meant to match more than itself. Only what is before a `#`
/// counts: ranges are supported behind it.
fn not_literal(value: &str) -> Option<&'static str> {
    let value = value.split('#').next().unwrap_or_default();
    if is_pattern(value) {
        Some("patterns")
    } else if value.contains(',') {
        Some("lists")
    } else if is_range(value) {
        Some("ranges")
    } else {
        None
    }
}

fn is_pattern(value: &str) -> bool {
    value.contains(['*', '?', '[', ']', '{', '}', '^', '$', '|', '\\'])
}

/// Two numbers or addresses with a `-` between.
fn is_range(value: &str) -> bool {
    let number = |text: &str| {
        let text = text.trim();
        text.starts_with(|c: char| c.is_ascii_hexdigit())
            && text.ends_with(|c: char| c.is_ascii_hexdigit())
            && text
                .chars()
                .all(|c| c.is_ascii_hexdigit() || "x:.".contains(c))
    };
    value
        .split_once('-')
        .is_some_and(|(first, last)| number(first) && number(last))
}

pub(crate) fn number(value: &str) -> Option<String> {
    let hex = |c: char| matches!(c, '0'..='9' | 'a'..='f');
    if value.len() == 4 && value.chars().all(hex) {
        return None;
    }
    let lower = value.trim().to_ascii_lowercase();
    let digits = lower.strip_prefix("0x").unwrap_or(&lower);
    let meant = (1..=4).contains(&digits.len()) && digits.chars().all(hex);
    Some(if meant {
        format!("\"{digits:0>4}\"")
    } else {
        "4 lower-case hex digits like \"8086\"".to_owned()
    })
}

pub(crate) fn driver(value: &str) -> Option<String> {
    let lower = value.trim().to_ascii_lowercase();
    let dashes = |text: &str| text.replace('-', "_");
    if DASHED.contains(&value) {
        None
    } else if let Some((module, driver)) = ON_TOP.iter().find(|(name, _)| *name == dashes(&lower)) {
        Some(format!(
            "{driver}: {module} works on top of that driver and is bound to no PCI function"
        ))
    } else if DEVICE_TYPES.contains(&&*lower) {
        Some(format!(
            "a driver's name like \"iavf\" or \"vfio-pci\": {} is a deviceType",
            value.trim()
        ))
    } else if let Some(meant) = DASHED.iter().find(|name| dashes(name) == dashes(&lower)) {
        Some(quoted(meant))
    } else {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let odd = value.is_empty() || !value.chars().all(plain);
        odd.then(|| "a driver's name like \"vfio-pci\"".to_owned())
    }
}

pub(crate) fn address(value: &str) -> Option<String> {
    let lower = value.trim().to_ascii_lowercase();
    let meant = [lower.clone(), format!("0000:{lower}")]
        .into_iter()
        .find(|text| text.parse::<Bdf>().is_ok());
    let right = meant.map_or("a PCI address like \"0000:3b:02.1\"".to_owned(), |meant| {
        quoted(&meant)
    });
    value.parse::<Bdf>().is_err().then_some(right)
}

/// The kernel would take a netdev's name with a comma or an asterisk; nobody has one.
pub(crate) fn pf_name(value: &str) -> Option<String> {
    let odd = value.is_empty()
        || value.len() > 15
        || value.contains(|c: char| matches!(c, '/' | ':' | ',') || c.is_whitespace())
        || is_pattern(value);
    odd.then(|| "a netdev's name like \"ens1f0#0-3\"".to_owned())
}

pub(super) fn ddp_profile(value: &str) -> Option<String> {
    let right = "a package's name without white space around it";
    (value.trim() != value || value.is_empty() || value.contains(['*', '?']))
        .then(|| right.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_that_no_function_is_bound_to() {
        let right = |value| driver(value).unwrap_or_default();
        for (module, of) in ON_TOP {
            assert!(right(module).starts_with(of), "{module}");
        }
        assert!(right("mlx5-ib").starts_with("\"mlx5_core\": mlx5_ib works on top"));
        for (value, meant) in [
            ("VFIO-PCI", "\"vfio-pci\""),
            ("vfio_pci", "\"vfio-pci\""),
            ("mlx5-core", "\"mlx5_core\""),
            ("uio-pci-generic", "\"uio_pci_generic\""),
        ] {
            assert_eq!(right(value), meant);
        }
        for word in DEVICE_TYPES {
            assert!(right(word).ends_with(&format!("{word} is a deviceType")));
        }
        for good in DASHED
            .iter()
            .chain(&["iavf", "ixgbevf", "hns3", "mana", "efa"])
        {
            assert_eq!(driver(good), None);
        }
    }

    #[test]
    fn what_looks_like_more_than_one_value_is_named() {
        for (value, what) in [
            ("mlx-*", Some("patterns")),
            ("ens1f[01]#0-3", Some("patterns")),
            ("8086,15b3", Some("lists")),
            ("0000:3b:02.0-7", Some("ranges")),
            ("0x1889-0x188b", Some("ranges")),
            ("ens1f0#0-3,7", None),
            ("0000:3b:00.0#0-3", None),
            ("vfio-pci ", None),
            ("0x+1", None),
            ("-1", None),
        ] {
            assert_eq!(not_literal(value), what, "{value}");
        }
    }
}
