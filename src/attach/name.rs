//! Which name a netdev gets in its pod.

use crate::device::IfName;

/// The asked name if it is free, else the first free `net<n>` that no device requests. `taken` are
/// the names that exist in the pod, `asked_by_all` those that any device of the pod is to have.
///
/// # Errors
/// The asked name, when it is taken.
pub(super) fn choose(
    asked: Option<&IfName>,
    taken: &[String],
    asked_by_all: &[IfName],
) -> Result<IfName, IfName> {
    let is_taken = |name: &IfName| taken.iter().any(|other| other == name.as_str());
    match asked {
        Some(name) if is_taken(name) => Err(name.clone()),
        Some(name) => Ok(name.clone()),
        None => Ok(first_free(|name| {
            !is_taken(name) && !asked_by_all.contains(name)
        })),
    }
}

fn first_free(free: impl Fn(&IfName) -> bool) -> IfName {
    let names = (1_u64..).filter_map(|number| format!("net{number}").parse().ok());
    names
        .into_iter()
        .find(free)
        .expect("a pod has fewer links than there are numbers")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> IfName {
        text.parse().unwrap()
    }

    #[test]
    fn defaults_are_counted_past_what_exists_and_what_others_ask_for() {
        let taken = ["lo", "eth0", "net1"].map(str::to_owned);
        assert_eq!(choose(None, &taken, &[]), Ok(name("net2")));
        assert_eq!(
            choose(None, &taken, &[name("net2"), name("net4")]),
            Ok(name("net3"))
        );
    }

    #[test]
    fn an_asked_name_is_that_or_nothing() {
        let taken = ["eth0".to_owned()];
        assert_eq!(
            choose(Some(&name("fast")), &taken, &[name("fast")]),
            Ok(name("fast"))
        );
        assert_eq!(choose(Some(&name("eth0")), &taken, &[]), Err(name("eth0")));
    }
}
