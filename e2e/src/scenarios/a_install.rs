//! **The administrator** installs the chart with Helm, and looks at the ResourceSlices.
//!
//! **Must hold**: within seconds of the agents' start the slices of both nodes list every PF and
//! every VF that the kernel has, each with every attribute of its kind and the values that sysfs
//! has; a PF and its VFs share counters, so the API server dropped no field.

use std::{collections::BTreeMap, time::Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{Run, Scenario};
use crate::{
    device::slice_name,
    eventually::SOON,
    lab::Lab,
    log::Log,
    node::Node,
    release,
    slices::{self, Published},
};

pub(super) const SCENARIO: Scenario = Scenario {
    letter: 'a',
    title: "helm install: every PF and VF is published, with all attributes",
    run: Run::Lab(run),
};

fn run(lab: &Lab, _: &[Node], log: &Log) -> Result<()> {
    log.step("helm upgrade --install sriov-dra charts/sriov-dra --wait");
    lab.release.install()?;
    let begun = Instant::now();
    for node in &lab.nodes {
        release::agent_is_ready(&node.name)?;
        let devices = slices::follow(node, SOON)?;
        let truth = truth(node)?;
        log.step(format!(
            "{}: {} devices listed, {:.0} s after helm's end",
            node.name,
            devices.len(),
            begun.elapsed().as_secs_f32()
        ));
        ensure!(
            devices.len() == 16,
            "{} has {} devices instead of 2 PFs and 14 VFs",
            node.name,
            devices.len()
        );
        for (name, device) in &devices {
            let expected = truth
                .get(name)
                .with_context(|| format!("sysfs does not have {name}"))?;
            check(name, device, expected).with_context(|| node.name.clone())?;
        }
    }
    Ok(())
}

fn check(name: &str, device: &Published, expected: &BTreeMap<String, Value>) -> Result<()> {
    for (attribute, value) in expected {
        let is = device.attributes.get(attribute);
        ensure!(
            is == Some(value),
            "{name}: {attribute} is {is:?} instead of {value}"
        );
    }
    let surplus: Vec<_> = device
        .attributes
        .keys()
        .filter(|key| !expected.contains_key(*key))
        .collect();
    ensure!(
        surplus.is_empty(),
        "{name}: attributes nobody documents: {surplus:?}"
    );
    ensure!(
        device.taints.is_empty(),
        "{name} is tainted: {:?}",
        device.taints
    );
    ensure!(
        device.counted,
        "{name} does not consume counters: dropped by the API server?"
    );
    Ok(())
}

/// One line a function: address, PF's address, PF's netdev, index, vendor, device, PF's device,
/// driver, NUMA node, total VFs, VFs, speed, root of the PCIe tree, whether it is alone in its IOMMU
/// group but for bridges.
const SYSFS: &str = r#"
cd /sys/bus/pci/devices
line() { # FUNCTION PF INDEX
  root=$(readlink -f "$1" | cut -d/ -f4)
  driver=$(basename "$(readlink "$1/driver")")
  alone=true
  for member in "$1"/iommu_group/devices/*; do
    [ "$(basename "$member")" = "$1" ] || grep -q ^0x0604 "$member/class" || alone=false
  done
  hex() { cut -c3- "$1"; }
  echo "$1 $2 $(ls "$2/net") $3 $(hex "$1/vendor") $(hex "$1/device") $(hex "$2/device") $driver $(cat "$1/numa_node")" \
    "$(cat "$2/sriov_totalvfs") $(cat "$2/sriov_numvfs") $(cat "$2"/net/*/speed) $root $alone"
}
for pf in *; do
  [ -e "$pf/sriov_numvfs" ] || continue
  line "$pf" "$pf" -1
  for vf in "$pf"/virtfn*; do line "$(basename "$(readlink "$vf")")" "$pf" "${vf##*virtfn}"; done
done
"#;

/// What each device's attributes must be, by the device's name.
fn truth(node: &Node) -> Result<BTreeMap<String, BTreeMap<String, Value>>> {
    let text = node.exec(SYSFS, &[])?;
    text.lines()
        .map(|line| expected(line).with_context(|| line.to_owned()))
        .collect()
}

fn expected(line: &str) -> Result<(String, BTreeMap<String, Value>)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [
        pci,
        pf,
        pf_name,
        index,
        vendor,
        device,
        pf_device,
        driver,
        numa,
        total,
        num,
        speed,
        root,
        alone,
    ] = words[..]
    else {
        anyhow::bail!("not fourteen words");
    };
    let number = |text: &str| text.parse::<i64>().map(Value::from);
    let mut all = json!({
        "type": if pci == pf { "pf" } else { "vf" },
        "vendor": vendor, "deviceID": device, "pfDeviceID": pf_device, "driver": driver,
        "pciAddress": pci, "pfPciAddress": pf, "pfName": pf_name, "index": number(index)?,
        "acpiIndex": -1, "pKey": -1, "linkType": "ethernet", "linkSpeed": number(speed)?, "eswitchMode": "",
        "rdma": false, "vdpaCapable": false, "vdpaType": "", "ddpProfile": "", "auxDevice": "",
        "isolated": alone == "true", "totalVFs": number(total)?, "numVFs": number(num)?, "pool": "",
        "k8s.cni.cncf.io/deviceID": pci, "k8s.cni.cncf.io/resourceName": "",
        "resource.kubernetes.io/pciBusID": pci, "resource.kubernetes.io/pcieRoot": root,
    });
    // Left out where the machine does not report it.
    if numa != "-1" {
        all["resource.kubernetes.io/numaNode"] = number(numa)?;
        all["dra.net/numaNode"] = number(numa)?;
    }
    let all = all
        .as_object()
        .cloned()
        .unwrap_or_default()
        .into_iter()
        .collect();
    Ok((slice_name(pci), all))
}
