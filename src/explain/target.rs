//! The object to explain: a claim, a claim template or a class.

use std::borrow::Cow;

use super::{
    ExplainError,
    objects::{Claim, Devices, Meta, Request, RequestSpec, or_default},
    snapshot::Snapshot,
};

/// A name as given on the command line: `net`, `shop/net`, `class/vf`, `claim/net`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    kind: Option<Kind>,
    namespace: String,
    name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Claim,
    Template,
    Class,
}

impl Query {
    /// Parses a name. `namespace` is the default namespace.
    #[must_use]
    pub fn read(text: &str, namespace: &str) -> Self {
        let (kind, rest) = match text.split_once('/') {
            Some((word, rest)) => (kind(word), rest),
            None => (None, text),
        };
        let rest = if kind.is_some() { rest } else { text };
        let (namespace, name) = rest.split_once('/').unwrap_or((namespace, rest));
        Self {
            kind,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }
}

/// Singular, plural and short forms, as `kubectl` accepts them.
fn kind(word: &str) -> Option<Kind> {
    match word.to_ascii_lowercase().as_str() {
        "claim" | "resourceclaim" | "resourceclaims" => Some(Kind::Claim),
        "template" | "resourceclaimtemplate" | "resourceclaimtemplates" => Some(Kind::Template),
        "class" | "deviceclass" | "deviceclasses" => Some(Kind::Class),
        _ => None,
    }
}

/// The object to explain.
pub(super) struct Target<'a> {
    /// `claim shop/net`.
    pub(super) title: String,
    pub(super) devices: Cow<'a, Devices>,
    /// Set if it is a claim.
    pub(super) claim: Option<&'a Claim>,
}

/// Looks for a claim first, then for a template, then for a class.
pub(super) fn find<'a>(snapshot: &'a Snapshot, query: &Query) -> Result<Target<'a>, ExplainError> {
    let Query {
        namespace, name, ..
    } = query;
    let allowed = |kind| query.kind.is_none_or(|wanted| wanted == kind);
    let here =
        |meta: &Meta| meta.name == *name && or_default(&meta.namespace) == or_default(namespace);
    let claim = snapshot
        .claims
        .iter()
        .find(|claim| allowed(Kind::Claim) && here(&claim.metadata));
    if let Some(claim) = claim {
        let title = format!("claim {}", claim.path());
        return Ok(Target {
            title,
            devices: Cow::Borrowed(&claim.spec.devices),
            claim: Some(claim),
        });
    }
    let template = snapshot
        .templates
        .iter()
        .find(|template| allowed(Kind::Template) && here(&template.metadata));
    if let Some(template) = template {
        let title = format!("a claim from template {namespace}/{name}");
        return Ok(Target {
            title,
            devices: Cow::Borrowed(&template.spec.spec.devices),
            claim: None,
        });
    }
    if allowed(Kind::Class) && snapshot.classes.contains_key(name) {
        let title = format!("one device of class {name}");
        return Ok(Target {
            title,
            devices: Cow::Owned(one_of(name)),
            claim: None,
        });
    }
    Err(ExplainError::NotFound {
        name: name.clone(),
        namespace: namespace.clone(),
    })
}

fn one_of(class: &str) -> Devices {
    let spec = RequestSpec {
        device_class_name: class.to_owned(),
        ..RequestSpec::default()
    };
    let request = Request {
        name: "device".to_owned(),
        exactly: Some(spec),
        first_available: Vec::new(),
    };
    Devices {
        requests: vec![request],
        ..Devices::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_have_kind_and_namespace() {
        let read = |text: &str| {
            let query = Query::read(text, "default");
            (query.kind, query.namespace, query.name)
        };
        let owned =
            |kind, namespace: &str, name: &str| (kind, namespace.to_owned(), name.to_owned());
        assert_eq!(read("net"), owned(None, "default", "net"));
        assert_eq!(read("shop/net"), owned(None, "shop", "net"));
        assert_eq!(read("class/vf"), owned(Some(Kind::Class), "default", "vf"));
        assert_eq!(
            read("ResourceClaim/shop/net"),
            owned(Some(Kind::Claim), "shop", "net")
        );
    }
}
