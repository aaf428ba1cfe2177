//! Which functions the administrator lets this driver use: `--include` and `--exclude`.

use std::{collections::BTreeMap, fmt, str::FromStr};

use crate::device::{Bdf, Function, IfName, ParseError};

/// What `--include` and `--exclude` name functions by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// A function by its PCI address; a PF with its VFs and SFs.
    Address(Bdf),
    /// A PF by its netdev's name, with its VFs and SFs.
    Pf(IfName),
    /// Functions by their own numbers, `8086:10ca`; `*` is any number.
    Ids {
        /// None: any.
        vendor: Option<u16>,
        /// None: any.
        device: Option<u16>,
    },
}

/// Names of PFs' netdevs, those that are in pods too; several of a function with several ports.
pub type PfNames = BTreeMap<Bdf, Vec<IfName>>;

/// What is included and excluded. The default is everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeviceFilter {
    /// Only these; empty: all.
    pub include: Vec<Pattern>,
    /// But not these.
    pub exclude: Vec<Pattern>,
}

impl DeviceFilter {
    /// Whether nothing is ever withheld.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }

    /// Why the function is neither published nor given away; none when it may be.
    #[must_use]
    pub fn refusal(&self, function: &Function, names: &PfNames) -> Option<String> {
        let named = |patterns: &[Pattern]| {
            patterns
                .iter()
                .find(|pattern| pattern.names(function, names))
                .cloned()
        };
        if let Some(pattern) = named(&self.exclude) {
            return Some(format!(
                "is excluded on this node by {pattern} (--exclude, agent.exclude)"
            ));
        }
        let included = self.include.is_empty() || named(&self.include).is_some();
        (!included).then(|| {
            let all: Vec<String> = self.include.iter().map(ToString::to_string).collect();
            format!(
                "is not included on this node, only {} (--include, agent.include)",
                all.join(", ")
            )
        })
    }
}

impl Pattern {
    fn names(&self, function: &Function, names: &PfNames) -> bool {
        let pf = function.pf();
        match self {
            Self::Address(address) => function.id.pci() == *address || pf == Some(*address),
            Self::Pf(name) => pf
                .and_then(|pf| names.get(&pf))
                .is_some_and(|names| names.contains(name)),
            Self::Ids { vendor, device } => {
                vendor.is_none_or(|vendor| vendor == function.ids.vendor)
                    && device.is_none_or(|device| device == function.ids.device)
            }
        }
    }
}

/// The names that PFs have on the host now.
#[must_use]
pub fn pf_names(functions: &[Function]) -> PfNames {
    let pfs = functions.iter().filter(|function| !function.is_part());
    pfs.filter_map(|pf| Some((pf.pf()?, pf.netdevs().cloned().collect())))
        .filter(|(_, names): &(_, Vec<IfName>)| !names.is_empty())
        .collect()
}

impl FromStr for Pattern {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || {
            let right = "must be a PCI address like 0000:3b:02.1, a PF's name like ens1f0, or vendor and device like \
                         8086:154c or 15b3:*";
            ParseError::new("function", text, right)
        };
        match text.split(':').collect::<Vec<_>>()[..] {
            [_] => text.parse().map(Self::Pf).map_err(|_| error()),
            [vendor, device] => {
                let ids = || {
                    Some(Self::Ids {
                        vendor: number(vendor)?,
                        device: number(device)?,
                    })
                };
                ids().ok_or_else(error)
            }
            _ => text.parse().map(Self::Address).map_err(|_| error()),
        }
    }
}

/// Four lower hex digits as in sysfs and `lspci -n`, or `*`.
fn number(text: &str) -> Option<Option<u16>> {
    let hex = text.len() == 4
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    match text {
        "*" => Some(None),
        _ if hex => u16::from_str_radix(text, 16).ok().map(Some),
        _ => None,
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |number: &Option<u16>| {
            number.map_or_else(|| "*".to_owned(), |number| format!("{number:04x}"))
        };
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Pf(name) => name.fmt(f),
            Self::Ids { vendor, device } => write!(f, "{}:{}", number(vendor), number(device)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixtures;

    fn left(include: &[&str], exclude: &[&str]) -> Vec<String> {
        let read = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let filter = DeviceFilter {
            include: read(include),
            exclude: read(exclude),
        };
        let functions = fixtures::host("connectx6dx").functions;
        let names = pf_names(&functions);
        let left = functions
            .iter()
            .filter(|function| filter.refusal(function, &names).is_none());
        left.map(|function| function.id.to_string()).collect()
    }

    const FIRST_PORT: [&str; 7] = [
        "0000:3b:00.0",
        "0000:3b:00.2",
        "0000:3b:00.3",
        "0000:3b:00.4",
        "0000:3b:00.5",
        "0000:3b:00.0/sf88",
        "0000:3b:00.0/sf89",
    ];
    const SECOND_PORT: [&str; 3] = ["0000:3b:00.1", "0000:3b:01.2", "0000:3b:01.3"];

    #[test]
    fn a_pf_stands_for_all_that_it_has_by_name_and_by_address() {
        assert_eq!(left(&["ens1f0np0"], &[]), FIRST_PORT);
        assert_eq!(left(&[], &["0000:3b:00.0"]), SECOND_PORT);
    }

    #[test]
    fn numbers_are_the_functions_own_and_a_star_is_any() {
        let vfs = left(&["15b3:101e"], &[]);
        assert!(
            !vfs.contains(&"0000:3b:00.0".to_owned()) && vfs.contains(&"0000:3b:00.2".to_owned()),
            "{vfs:?}"
        );
        assert_eq!(left(&["15b3:*"], &[]).len(), 10);
        assert_eq!(left(&["8086:*"], &[]), Vec::<String>::new());
        assert_eq!(left(&["*:*"], &[]).len(), 10);
    }

    #[test]
    fn what_is_both_is_excluded_with_a_reason_either_way() {
        assert_eq!(
            left(&["ens1f1np1", "0000:3b:00.2"], &["0000:3b:01.3"]),
            ["0000:3b:00.1", "0000:3b:00.2", "0000:3b:01.2"]
        );
        let filter = DeviceFilter {
            include: vec!["8086:*".parse().unwrap()],
            exclude: vec!["*:101e".parse().unwrap()],
        };
        let host = fixtures::host("connectx6dx");
        let reason = |name| {
            filter
                .refusal(fixtures::function(&host, name), &PfNames::new())
                .unwrap()
        };
        insta::assert_snapshot!(reason("0000-3b-00-2"), @"is excluded on this node by *:101e (--exclude, agent.exclude)");
        insta::assert_snapshot!(reason("0000-3b-00-0"), @"is not included on this node, only 8086:* (--include, agent.include)");
    }

    #[test]
    fn patterns_are_read_back_and_others_are_refused_with_what_is_right() {
        for text in ["0000:3b:02.1", "ens1f0", "8086:154c", "15b3:*", "*:101e"] {
            assert_eq!(text.parse::<Pattern>().unwrap().to_string(), text);
        }
        for text in [
            "3b:02.1",
            "8086:154C",
            "0x8086:154c",
            "8086",
            "8086:15",
            "a b",
            "",
            "lo",
            "0000:3B:02.1",
        ] {
            let read = text.parse::<Pattern>();
            assert_eq!(read.is_err(), text != "8086", "{text}: {read:?}");
        }
    }
}
