//! The root cause: of all rejections, the one that the user has to act on.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    evaluate::{Alternative, Verdict},
    objects::Listed,
    reason, text,
};

/// Why a claim is not allocated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// Machine-readable and stable.
    pub code: &'static str,
    /// Human-readable message.
    pub text: String,
    /// The request concerned, if it is one.
    pub request: Option<String>,
    /// The node that came closest, if any.
    pub node: Option<String>,
}

impl Cause {
    pub(super) fn new(code: &'static str, request: Option<&str>, text: impl Into<String>) -> Self {
        Self {
            code,
            text: text.into(),
            request: request.map(str::to_owned),
            node: None,
        }
    }
}

/// How many devices an alternative needs.
pub(super) fn needs(alternative: &Alternative<'_>, verdicts: &[Verdict]) -> usize {
    match alternative.spec.allocation_mode.as_str() {
        "All" => verdicts
            .iter()
            .filter(|verdict| verdict.matches())
            .count()
            .max(1),
        _ => alternative.spec.count.unwrap_or(1),
    }
}

/// Why a request cannot be allocated even by itself; `None` if one of its alternatives can.
/// Otherwise the alternative that came closest is reported.
pub(super) fn shortfall(
    request: &[(&Alternative<'_>, Vec<Verdict>)],
    devices: &[Listed<'_>],
) -> Option<(usize, Cause)> {
    let of = |(alternative, verdicts): &(&Alternative<'_>, Vec<Verdict>)| {
        shortfall_of(alternative, verdicts, devices)
    };
    let shortfalls: Vec<(usize, Cause)> = request.iter().filter_map(of).collect();
    if shortfalls.len() < request.len() {
        return None;
    }
    shortfalls.into_iter().max_by_key(|(near, _)| *near)
}

/// The same for one alternative, with a rank to compare nodes and alternatives: 0 without a
/// class, 1 without a matching device, then the more the more devices match.
fn shortfall_of(
    alternative: &Alternative<'_>,
    verdicts: &[Verdict],
    devices: &[Listed<'_>],
) -> Option<(usize, Cause)> {
    let request = Some(&*alternative.name);
    if alternative.class.is_none() {
        let text = format!(
            "request {}: DeviceClass {} not found",
            alternative.name, alternative.spec.device_class_name
        );
        return Some((0, Cause::new("classMissing", request, text)));
    }
    let (fits, needs) = (
        count(verdicts, |verdict| *verdict == Verdict::Fits),
        needs(alternative, verdicts),
    );
    if let Some(at) = aborting_device(verdicts, needs) {
        return Some((
            1,
            Cause::new(
                "selectorError",
                request,
                reason::aborted(&verdicts[at], &devices[at]),
            ),
        ));
    }
    if fits >= needs {
        return None;
    }
    match count(verdicts, Verdict::matches) {
        0 => Some((1, nothing_matches(alternative, verdicts))),
        matching if matching < needs => {
            let text = format!(
                "request {} needs {needs} devices, {}",
                alternative.name,
                text::matching(matching)
            );
            Some((2 + matching, Cause::new("tooFew", request, text)))
        }
        matching => Some((2 + matching, not_free(alternative, verdicts, fits, needs))),
    }
}

/// The device whose selector error makes the scheduler abort. It stops looking as soon as it has
/// enough devices, so errors on later ones do not matter.
fn aborting_device(verdicts: &[Verdict], needs: usize) -> Option<usize> {
    let at = verdicts
        .iter()
        .position(|verdict| matches!(verdict, Verdict::Failed(..)))?;
    (count(&verdicts[..at], |verdict| *verdict == Verdict::Fits) < needs).then_some(at)
}

fn count(verdicts: &[Verdict], which: impl Fn(&Verdict) -> bool) -> usize {
    verdicts.iter().filter(|verdict| which(verdict)).count()
}

/// The selector term that rejected the devices that came closest.
pub(super) fn nothing_matches(alternative: &Alternative<'_>, verdicts: &[Verdict]) -> Cause {
    let rejections = || {
        let all = verdicts.iter();
        all.filter_map(|verdict| {
            if let Verdict::Rejected(rejection) = verdict {
                Some(rejection)
            } else {
                None
            }
        })
    };
    let request = Some(&*alternative.name);
    let Some(nearest) = rejections().max_by_key(|rejection| rejection.passed) else {
        return Cause::new("noDevices", request, "there are no devices");
    };
    let same = || rejections().filter(|one| one.place == nearest.place && one.term == nearest.term);
    let whose = if same().count() == verdicts.len() {
        "all devices"
    } else {
        "the closest devices"
    };
    let text = format!(
        "no device matches request {}: {}: {} is false for {whose}: {}",
        alternative.name,
        nearest.place,
        nearest.term,
        reason::distribution(same())
    );
    Cause::new("selector", request, text)
}

/// Enough devices match, but too few of them are available.
fn not_free(
    alternative: &Alternative<'_>,
    verdicts: &[Verdict],
    fits: usize,
    needs: usize,
) -> Cause {
    let mut kinds: BTreeMap<&'static str, Vec<&Verdict>> = BTreeMap::new();
    for verdict in verdicts
        .iter()
        .filter(|verdict| verdict.matches() && **verdict != Verdict::Fits)
    {
        kinds.entry(verdict.code()).or_default().push(verdict);
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, all)| std::cmp::Reverse(all.len()));
    let code = kinds.first().map_or("tooFew", |(code, _)| code);
    let matching = count(verdicts, Verdict::matches);
    let rest: Vec<String> = kinds
        .iter()
        .map(|(code, all)| format!("{} {}", all.len(), blocked(code, all)))
        .collect();
    let have = if fits == 0 {
        "none is available".to_owned()
    } else {
        format!("{needs} needed, {fits} available")
    };
    let text = format!(
        "{} request {}, {have}: {}",
        text::matching(matching),
        alternative.name,
        rest.join("; ")
    );
    Cause::new(code, Some(&alternative.name), text)
}

fn blocked(code: &str, all: &[&Verdict]) -> String {
    let mut details: Vec<String> = all
        .iter()
        .map(|verdict| match verdict {
            Verdict::Held(claim, pods) => text::holder(claim, pods),
            Verdict::Tainted(taints) => taints.join(", "),
            verdict => reason::reason(verdict),
        })
        .collect();
    details.sort();
    details.dedup();
    let shown = text::list(details.iter().take(3).cloned().collect(), details.len());
    match code {
        "held" => format!("allocated to {shown}"),
        "taint" => format!("with untolerated taints: {shown}"),
        _ => format!("blocked: {shown}"),
    }
}
