mod assigning;
mod broken;
mod empty;
mod odd;
mod reading;
mod selectors;

use super::*;
use crate::device::LinkType;

/// The configuration and its warnings, one a line.
fn read(text: &str) -> Result<(Config, Vec<String>), String> {
    let (config, warnings) = Config::read(text, "intel.com").map_err(|error| error.to_string())?;
    Ok((config, warnings.iter().map(ToString::to_string).collect()))
}

fn config(text: &str) -> Config {
    read(text).unwrap().0
}

fn warnings(text: &str) -> Vec<String> {
    read(text).unwrap().1
}

/// A configuration of one pool with these selectors.
fn one_pool(device_type: &str, selectors: &str) -> String {
    format!(
        r#"{{"resourceList": [{{"resourceName": "p", "deviceType": "{device_type}", "selectors": {selectors}}}]}}"#
    )
}

/// VF 5 of ens1f0, at 0000:3b:02.5.
fn vf() -> Candidate {
    Candidate {
        id: "0000:3b:02.5".parse::<crate::device::Bdf>().unwrap().into(),
        kind: CandidateKind::Vf,
        ids: crate::device::PciIds {
            vendor: 0x8086,
            device: 0x154c,
        },
        driver: Some("iavf".to_owned()),
        acpi_index: Some(101),
        pf_name: Some("ens1f0".to_owned()),
        more_pf_names: vec![],
        pf_address: Some("0000:3b:00.0".parse().unwrap()),
        index: Some(5),
        link_type: Some(LinkType::Ethernet),
        ddp_profile: Some("GTPv1-C/U IPv4/IPv6 payload".to_owned()),
        p_key: None,
        rdma: true,
        vdpa_type: None,
        aux_type: None,
    }
}

/// The PF of [`vf`], with so many VFs.
fn pf(num_vfs: u32) -> Candidate {
    let id = "0000:3b:00.0".parse::<crate::device::Bdf>().unwrap().into();
    Candidate {
        id,
        kind: CandidateKind::Pf { num_vfs },
        index: None,
        driver: Some("ice".to_owned()),
        ..vf()
    }
}

/// Sub-function 4 of the same card.
fn sf() -> Candidate {
    let id = crate::device::DeviceId::Sf {
        parent: "0000:3b:00.0".parse().unwrap(),
        number: 4,
    };
    Candidate {
        id,
        kind: CandidateKind::Sf,
        index: Some(4),
        aux_type: Some("sf".to_owned()),
        ..vf()
    }
}
