//! A class's name: the pool's, as far as the rules of Kubernetes let it, and never another pool's.

use crate::pool::PoolName;

/// Hex digits that distinguish names which would else be the same.
const HASH: usize = 10;
/// How much is kept of a part that has to be rewritten.
const KEPT: usize = 40;

/// `intel_sriov_dpdk` of `intel.com`: `intel-sriov-dpdk.intel.com`. What cannot be written so
/// (capitals, `-`, a prefix that is no domain) has a hash of the whole pool name at the end of its
/// first label, where no other name has one.
#[must_use]
pub fn class_name(pool: &PoolName) -> String {
    let plain = format!("{}.{}", pool.name.replace('_', "-"), pool.prefix);
    if is_plain(pool) && plain.len() <= 253 {
        return plain;
    }
    let hash = format!("{:016x}", fnv(pool.to_string().as_bytes()));
    let label = format!(
        "{}-{}",
        label(&pool.name).unwrap_or("pool".into()),
        &hash[..HASH]
    );
    match pool.has_domain() && pool.prefix.len() <= 190 {
        true => format!("{label}.{}", pool.prefix),
        false => [Some(label), self::label(&pool.prefix)]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("."),
    }
}

/// Rewriting `_` as `-` makes no two of these the same, and none of them looks hashed.
fn is_plain(pool: &PoolName) -> bool {
    let name = pool.name.as_str();
    let ends = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let hashed = name.rsplit_once('_').is_some_and(|(_, end)| {
        end.len() == HASH && end.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
    });
    name.len() <= 63
        && name.starts_with(ends)
        && name.ends_with(ends)
        && name.chars().all(|c| ends(c) || c == '_')
        && pool.has_domain()
        && !hashed
}

/// What is left of a text as one label; none if nothing.
fn label(text: &str) -> Option<String> {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let text: String = text.chars().map(plain).take(KEPT).collect();
    let text = text.trim_matches('-');
    (!text.is_empty()).then(|| text.to_owned())
}

/// FNV-1a: names must be the same in every build, and no more is asked of them.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
