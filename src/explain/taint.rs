//! Untolerated device taints (KEP-5055).

use super::objects::{Listed, RuleSelector, Taint, TaintRule, Toleration};

/// The untolerated taints of a device, its own and those of rules.
pub(super) fn untolerated<'a>(
    listed: &Listed<'a>,
    rules: &'a [TaintRule],
    tolerations: &[Toleration],
) -> Vec<&'a Taint> {
    let ruled = rules.iter().filter(|rule| {
        rule.spec
            .device_selector
            .as_ref()
            .is_some_and(|of| selects(of, listed))
    });
    let all = listed
        .device
        .taints
        .iter()
        .chain(ruled.map(|rule| &rule.spec.taint));
    all.filter(|taint| matches!(&*taint.effect, "NoSchedule" | "NoExecute"))
        .filter(|taint| {
            !tolerations
                .iter()
                .any(|toleration| tolerates(toleration, taint))
        })
        .collect()
}

fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    let Toleration {
        key,
        operator,
        value,
        effect,
    } = toleration;
    (effect.is_empty() || *effect == taint.effect)
        && (key.is_empty() || *key == taint.key)
        && match operator.as_str() {
            "" | "Equal" => *value == taint.value,
            "Exists" => true,
            _ => false,
        }
}

fn selects(rule: &RuleSelector, listed: &Listed<'_>) -> bool {
    let fits =
        |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
    fits(&rule.driver, listed.driver)
        && fits(&rule.slice_pool, listed.slice_pool)
        && fits(&rule.device, &listed.device.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_toleration_matches_the_fields_that_it_sets() {
        let taint = Taint {
            key: "d/gone".into(),
            value: String::new(),
            effect: "NoSchedule".into(),
        };
        let toleration = |key: &str, operator: &str, value: &str, effect: &str| Toleration {
            key: key.into(),
            operator: operator.into(),
            value: value.into(),
            effect: effect.into(),
        };
        let rows = [
            (toleration("d/gone", "Exists", "", ""), true),
            (toleration("", "Exists", "", ""), true),
            (toleration("d/gone", "", "", "NoSchedule"), true),
            (toleration("d/gone", "Equal", "x", ""), false),
            (toleration("d/gone", "Exists", "", "NoExecute"), false),
            (toleration("d/other", "Exists", "", ""), false),
            (toleration("d/gone", "In", "", ""), false),
        ];
        for (toleration, expected) in rows {
            assert_eq!(tolerates(&toleration, &taint), expected, "{toleration:?}");
        }
    }
}
