//! A node's ports and virtual functions, as sysfs has them.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{
    eventually::{SOON, eventually},
    node::Node,
};

/// A physical function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pf {
    /// Where it is.
    pub(crate) node: Node,
    /// `0000:01:00.0`.
    pub(crate) pci: String,
    /// Its netdev.
    pub(crate) name: String,
    /// Its VFs, by index.
    pub(crate) vfs: Vec<Vf>,
}

/// A virtual function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Vf {
    /// Where it is.
    pub(crate) node: Node,
    /// `0000:01:10.0`.
    pub(crate) pci: String,
    /// Its PF's netdev.
    pub(crate) pf: String,
    /// Its PF's address.
    pub(crate) pf_pci: String,
    /// Its index at the PF.
    pub(crate) index: u32,
}

/// One line a function: `pf ADDRESS NETDEV` and `vf ADDRESS INDEX`, a PF before its VFs.
const LIST: &str = r#"
for pf in /sys/bus/pci/devices/*; do
  [ -e "$pf/sriov_numvfs" ] || continue
  echo "pf ${pf##*/} $(ls "$pf/net")"
  for vf in "$pf"/virtfn*; do
    [ -e "$vf" ] || continue
    echo "vf $(basename "$(readlink "$vf")") ${vf##*virtfn}"
  done
done
"#;

pub(crate) fn pfs(node: &Node) -> Result<Vec<Pf>> {
    let mut found: Vec<Pf> = Vec::new();
    for line in node.exec(LIST, &[])?.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match (words.as_slice(), found.last_mut()) {
            (["pf", pci, name], _) => found.push(pf(node, pci, name)),
            (["vf", pci, index], Some(pf)) => {
                let index = index.parse()?;
                let (pci, node) = ((*pci).to_owned(), node.clone());
                pf.vfs.push(Vf {
                    node,
                    pci,
                    pf: pf.name.clone(),
                    pf_pci: pf.pci.clone(),
                    index,
                });
            }
            _ => {}
        }
    }
    found
        .iter_mut()
        .for_each(|pf| pf.vfs.sort_by_key(|vf| vf.index));
    Ok(found)
}

fn pf(node: &Node, pci: &str, name: &str) -> Pf {
    Pf {
        node: node.clone(),
        pci: pci.to_owned(),
        name: name.to_owned(),
        vfs: Vec::new(),
    }
}

pub(crate) fn vf(node: &Node, port: usize, index: u32) -> Result<Vf> {
    let pfs = pfs(node)?;
    let pf = pfs
        .get(port)
        .with_context(|| format!("{} has no port {port}", node.name))?;
    let found = pf.vfs.iter().find(|vf| vf.index == index);
    found
        .cloned()
        .with_context(|| format!("{} has no VF {index}", pf.name))
}

/// Waits until each port reports the MACs of its VFs' netdevs. A message by which igbvf passes one,
/// as udev sets it, is lost when the port's link comes up in the same moment, as it does after the
/// number of VFs has changed; the driver says nothing of it, and passes another when it is bound
/// anew.
pub(crate) fn reported(node: &Node) -> Result<()> {
    eventually("the ports report the MACs of their VFs", SOON, || {
        let lost = node.exec(UNREPORTED, &[])?;
        ensure!(
            lost.is_empty(),
            "not of {lost:?}, whose drivers were bound anew"
        );
        Ok(())
    })
}

/// Binds the drivers of these VFs anew, and names them.
const UNREPORTED: &str = r#"
udevadm settle --timeout=300
for pf in /sys/bus/pci/devices/*/sriov_numvfs; do
  pf=${pf%/*}
  netdev=$(ls "$pf/net" 2>/dev/null) || continue
  ip link show dev "$netdev" |
    sed -n 's,^ *vf \([0-9]*\) .*link/ether 00:00:00:00:00:00 brd.*,\1,p' |
    while read -r index; do
      vf=$pf/virtfn$index
      [ -n "$(ls "$vf/net" 2>/dev/null)" ] || continue
      pci=$(basename "$(readlink "$vf")")
      driver=$(readlink -f "$vf/driver")
      echo "$pci" >"$driver/unbind"
      echo "$pci" >"$driver/bind"
      echo "$pci"
    done
done
"#;

/// The name of a device in slices.
pub(crate) fn slice_name(pci: &str) -> String {
    pci.replace([':', '.'], "-")
}

impl Pf {
    /// Changes the number of VFs, through none as the kernel wants it.
    pub(crate) fn set_num_vfs(&self, count: u32) -> Result<()> {
        let script =
            r#"echo "$2" >"/sys/bus/pci/devices/$1/sriov_numvfs"; udevadm settle --timeout=300"#;
        self.node.exec(script, &[&self.pci, &count.to_string()])?;
        reported(&self.node)
    }
}

impl Vf {
    /// The CEL expression by which a claim requests this one.
    pub(crate) fn selector(&self) -> String {
        format!(
            r#"device.attributes["sriov-dra.io"].pciAddress == "{}""#,
            self.pci
        )
    }

    /// The name of its netdev in the host's network namespace; an error when there is none.
    pub(crate) fn netdev(&self) -> Result<String> {
        let name = self
            .node
            .exec("ls \"/sys/bus/pci/devices/$1/net\"", &[&self.pci])?;
        ensure!(
            !name.trim().is_empty(),
            "vf {} has no netdev in the host's network namespace",
            self.pci
        );
        Ok(name.trim().to_owned())
    }

    /// What its PF says about it: `address`, `vlan_list`, `rate`, `spoofchk`, `trust`, ….
    pub(crate) fn at_pf(&self) -> Result<Value> {
        let text = self
            .node
            .exec("ip -d -j link show dev \"$1\"", &[&self.pf])?;
        let links: Value = serde_json::from_str(&text)?;
        let list = links
            .pointer("/0/vfinfo_list")
            .and_then(Value::as_array)
            .context("no list of VFs")?;
        let index = Value::from(self.index);
        let mine = list.iter().find(|vf| vf.get("vf") == Some(&index));
        mine.cloned()
            .with_context(|| format!("{} does not list VF {}", self.pf, self.index))
    }

    /// VLAN and QoS at the PF; none is 0 and 0.
    pub(crate) fn vlan(&self) -> Result<(u64, u64)> {
        let vf = self.at_pf()?;
        let number = |name| {
            vf.pointer(&format!("/vlan_list/0/{name}"))
                .and_then(Value::as_u64)
                .unwrap_or(0)
        };
        Ok((number("vlan"), number("qos")))
    }

    /// Its MAC address as the PF has it.
    pub(crate) fn mac(&self) -> Result<String> {
        let vf = self.at_pf()?;
        Ok(vf
            .get("address")
            .and_then(Value::as_str)
            .context("no address")?
            .to_owned())
    }

    /// The driver that holds it, `""` if none.
    pub(crate) fn driver(&self) -> Result<String> {
        let script = r#"basename "$(readlink "/sys/bus/pci/devices/$1/driver" || echo)""#;
        Ok(self.node.exec(script, &[&self.pci])?.trim().to_owned())
    }
}
