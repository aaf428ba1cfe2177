//! All properties of a VF, to be compared before and after a tenant.

use std::{collections::BTreeMap, fmt::Write};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::{
    device::Vf,
    eventually::{SOON, eventually},
    node::Node,
};

/// Name of a property → its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dump(BTreeMap<String, String>);

/// What changes by itself: numbers of a netdev's incarnation, carrier, and the permanent address,
/// which for a VF without one of its own is whatever its PF remembers when its driver starts.
const VOLATILE: [&str; 6] = [
    "permaddr",
    "ifindex",
    "link_index",
    "operstate",
    "valid_life_time",
    "preferred_life_time",
];
const VOLATILE_FLAGS: [&str; 3] = ["LOWER_UP", "NO-CARRIER", "RUNNING"];

impl Vf {
    /// Everything that can be seen of it from its node.
    pub(crate) fn dump(&self) -> Result<Dump> {
        let index = self.index.to_string();
        let text = self
            .node
            .exec(include_str!("dump.sh"), &[&self.pci, &self.pf, &index])?;
        Dump::parse(&text, self.index).with_context(|| format!("dump of {}", self.pci))
    }

    /// It is again as it was, and its MAC address can still be changed.
    pub(crate) fn is_again(&self, before: &Dump) -> Result<()> {
        eventually(&format!("vf {} is as before", self.pci), SOON, || {
            before.equals(&self.dump()?)
        })?;
        self.mac_can_be_changed()?;
        before
            .equals(&self.dump()?)
            .context("after its MAC address was changed and changed back")
    }

    /// A VF whose PF has set an address for it refuses every other.
    pub(crate) fn mac_can_be_changed(&self) -> Result<()> {
        let script = r#"
            before=$(cat "/sys/class/net/$1/address")
            ip link set dev "$1" address 02:00:5e:00:53:7f
            [ "$(cat "/sys/class/net/$1/address")" = 02:00:5e:00:53:7f ]
            ip link set dev "$1" address "$before"
        "#;
        self.node
            .exec(script, &[&self.netdev()?])
            .map(drop)
            .context("its MAC address cannot be changed any more")
    }
}

/// Ports, their VFs' settings, and the netdevs and drivers of all VFs.
const NODE: &str = r#"
for d in /sys/bus/pci/devices/*; do
  [ -e "$d/sriov_numvfs" ] || [ -e "$d/physfn" ] || continue
  echo "== text ${d##*/}"
  basename "$(readlink "$d/driver" || echo none)"
  cat "$d/driver_override"
  for n in "$d"/net/*; do
    [ ! -e "$n" ] || { echo "== json ${d##*/}"; ip -d -j link show dev "${n##*/}"; }
  done
done
"#;

impl Node {
    /// What can be seen of all SR-IOV functions in one look; less deep than that of a single VF.
    pub(crate) fn dump(&self) -> Result<Dump> {
        Dump::parse(&self.exec(NODE, &[])?, u32::MAX)
            .with_context(|| format!("dump of {}", self.name))
    }

    /// All functions are as they were.
    pub(crate) fn is(&self, before: &Dump) -> Result<()> {
        before
            .equals(&self.dump()?)
            .with_context(|| self.name.clone())
    }

    /// All functions are again as they were.
    pub(crate) fn is_again(&self, before: &Dump) -> Result<()> {
        eventually(
            &format!("the functions of {} are as before", self.name),
            SOON,
            || self.is(before),
        )
    }
}

impl Dump {
    fn parse(text: &str, index: u32) -> Result<Self> {
        let mut all = BTreeMap::new();
        for part in text.split("== ").filter(|part| !part.is_empty()) {
            let (head, body) = part.split_once('\n').unwrap_or((part, ""));
            match head.split_once(' ') {
                Some(("json", "pf")) => flatten("at the pf", &own_entry(body, index)?, &mut all),
                Some(("json", name)) => flatten(name, &serde_json::from_str(body)?, &mut all),
                Some(("text", name)) => lines(name, body, &mut all),
                _ => bail!("unknown part {head}"),
            }
        }
        Ok(Self(all))
    }

    /// One line for each property that differs.
    pub(crate) fn differences(&self, after: &Self) -> String {
        let mut text = String::new();
        let keys: std::collections::BTreeSet<_> = self.0.keys().chain(after.0.keys()).collect();
        for key in keys {
            let (was, is) = (self.0.get(key), after.0.get(key));
            if was != is {
                let show =
                    |value: Option<&String>| value.cloned().unwrap_or_else(|| "absent".to_owned());
                let _ = write!(text, "\n      {key}: was {}, is {}", show(was), show(is));
            }
        }
        text
    }

    /// An error that lists the differences.
    pub(crate) fn equals(&self, after: &Self) -> Result<()> {
        let differences = self.differences(after);
        ensure!(differences.is_empty(), "differs:{differences}");
        Ok(())
    }
}

fn own_entry(body: &str, index: u32) -> Result<Value> {
    let pf: Value = serde_json::from_str(body)?;
    let list = pf
        .pointer("/0/vfinfo_list")
        .and_then(Value::as_array)
        .context("the pf lists no VFs")?;
    let mine = list
        .iter()
        .find(|vf| vf.get("vf").and_then(Value::as_u64) == Some(u64::from(index)));
    mine.cloned()
        .with_context(|| format!("the pf does not list VF {index}"))
}

fn lines(name: &str, body: &str, all: &mut BTreeMap<String, String>) {
    for (number, line) in body.lines().enumerate() {
        // `key: value` and `key:value` are called by their keys, which may come twice in different
        // sections.
        let (key, value) = line.split_once(':').unwrap_or(("", line));
        all.insert(
            format!("{name} {} {key}", number + 1),
            value.trim().to_owned(),
        );
    }
}

fn flatten(key: &str, value: &Value, all: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields
                .iter()
                .filter(|(name, _)| !VOLATILE.contains(&name.as_str()))
            {
                flatten(&format!("{key}.{name}"), value, all);
            }
        }
        Value::Array(items) if key.ends_with(".flags") => {
            let kept = items
                .iter()
                .filter_map(Value::as_str)
                .filter(|flag| !VOLATILE_FLAGS.contains(flag));
            all.insert(key.to_owned(), kept.collect::<Vec<_>>().join(","));
        }
        // A set: the kernel lists them in the order in which they were added.
        Value::Array(items) if key.ends_with(".altnames") => {
            let mut names: Vec<_> = items.iter().filter_map(Value::as_str).collect();
            names.sort_unstable();
            all.insert(key.to_owned(), names.join(","));
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                flatten(&format!("{key}[{number}]"), item, all);
            }
        }
        plain => {
            all.insert(key.to_owned(), plain.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = r#"== text pci
igbvf
(null)
== json pf
[{"ifname":"p0","vfinfo_list":[{"vf":0,"vlan_list":[{"vlan":7}]},{"vf":1,"trust":false}]}]
== json link
[{"ifindex":7,"ifname":"v1","flags":["BROADCAST","UP","LOWER_UP"],"altnames":["a","b"],"mtu":1500}]
== text ethtool -k
Features for v1:
rx-checksumming: on
"#;

    #[test]
    fn tells_what_differs_and_nothing_else() {
        let before = Dump::parse(BEFORE, 1).expect("dump");
        let same = BEFORE
            .replace("\"ifindex\":7", "\"ifindex\":9")
            .replace(",\"LOWER_UP\"", "")
            .replace(r#"["a","b"]"#, r#"["b","a"]"#)
            .replace("vlan\":7", "vlan\":8");
        assert_eq!(
            before.differences(&Dump::parse(&same, 1).expect("dump")),
            ""
        );
        let other = BEFORE
            .replace("1500", "1400")
            .replace("\"trust\":false", "\"trust\":true")
            .replace(": on", ": off");
        assert_eq!(
            before.differences(&Dump::parse(&other, 1).expect("dump")),
            "\n      at the pf.trust: was false, is true\n      ethtool -k 2 rx-checksumming: was on, is off\n      \
             link[0].mtu: was 1500, is 1400"
        );
    }
}
