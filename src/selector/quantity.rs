//! Kubernetes quantities: `5`, `1500m`, `2Gi`, `1e3`, as exact numbers.

use std::{cmp::Ordering, fmt};

use serde::{Deserialize, Deserializer, de::Error};

/// An amount, exact to a nanounit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity {
    nano: i128,
}

const NANO: i128 = 1_000_000_000;

/// The multiplier of a suffix, in nanounits.
fn factor(suffix: &str) -> Option<i128> {
    let binary = |power: u32| NANO.checked_mul(1024_i128.pow(power));
    match suffix {
        "n" => Some(1),
        "u" => Some(1000),
        "m" => Some(1_000_000),
        "" => Some(NANO),
        "k" => Some(NANO * 1000),
        "M" => Some(NANO * 1_000_000),
        "G" => Some(NANO * NANO),
        "T" => Some(NANO * NANO * 1000),
        "P" => Some(NANO * NANO * 1_000_000),
        "E" => Some(NANO * NANO * NANO),
        "Ki" => binary(1),
        "Mi" => binary(2),
        "Gi" => binary(3),
        "Ti" => binary(4),
        "Pi" => binary(5),
        "Ei" => binary(6),
        _ => exponent(suffix),
    }
}

/// `e3`, `E-6`.
fn exponent(suffix: &str) -> Option<i128> {
    let power: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    let ten = 10_i128.checked_pow(power.unsigned_abs())?;
    if power < 0 {
        (NANO % ten == 0).then_some(NANO / ten)
    } else {
        NANO.checked_mul(ten)
    }
}

impl Quantity {
    /// Parses a quantity; `None` if it is invalid, or cannot be represented exactly.
    pub fn parse(text: &str) -> Option<Self> {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        let end = digits
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(digits.len());
        let (number, suffix) = digits.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return None;
        }
        let shift = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
        let value: i128 = format!("0{whole}{fraction}").parse().ok()?;
        let scaled = value.checked_mul(factor(suffix)?)?;
        (scaled % shift == 0).then_some(Self {
            nano: sign * (scaled / shift),
        })
    }

    /// `self - other`.
    #[must_use]
    pub fn less(self, other: Self) -> Self {
        Self {
            nano: self.nano.saturating_sub(other.nano),
        }
    }

    /// `self + other`.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            nano: self.nano.saturating_add(other.nano),
        }
    }

    /// As an integer, if it is one.
    #[must_use]
    pub fn whole(self) -> Option<i64> {
        (self.nano % NANO == 0).then(|| i64::try_from(self.nano / NANO).ok())?
    }

    /// -1, 0 or 1.
    pub(super) fn sign(self) -> i64 {
        match self.nano.cmp(&0) {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.whole() {
            Some(whole) => whole.fmt(f),
            None => write!(f, "{}m", self.nano / 1_000_000),
        }
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        Self::parse(&text).ok_or_else(|| D::Error::custom(format!("{text:?} is not a quantity")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_compare_by_amount_regardless_of_suffix() {
        let same = [
            ["1500m", "1.5"],
            ["1Ki", "1024"],
            ["1e3", "1k"],
            ["2Gi", "2147483648"],
            ["+5", "5"],
            [".5", "500m"],
        ];
        for [one, other] in same {
            assert_eq!(
                Quantity::parse(one).unwrap(),
                Quantity::parse(other).unwrap(),
                "{one} {other}"
            );
        }
        assert!(Quantity::parse("-1") < Quantity::parse("1n"));
        for bad in ["", "k", "1.2.3", "1 Gi", "1Kb", "--1"] {
            assert_eq!(Quantity::parse(bad), None, "{bad}");
        }
    }
}
