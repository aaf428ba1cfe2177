//! The object to explain: a claim, a claim template or a class.

use std::{borrow::Cow, collections::BTreeSet};

use super::{
    ExplainError,
    objects::{Claim, Devices, Meta, Request, RequestSpec, or_default},
    snapshot::Snapshot,
    text,
};

/// A name as given on the command line: `net`, `shop/net`, `class/vf`, `claim/net`, `pod/upf-0`.
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
    Pod,
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

    /// Whether an object can have this name.
    #[must_use]
    pub fn is_name(&self) -> bool {
        let is_name = |text: &str| !text.is_empty() && !text.contains(['/', ' ']);
        is_name(&self.namespace) && is_name(&self.name)
    }

    /// Namespace and name, if it is a pod.
    #[must_use]
    pub fn pod(&self) -> Option<(&str, &str)> {
        (self.kind == Some(Kind::Pod)).then_some((&self.namespace, &self.name))
    }
}

/// Singular, plural and short forms, as `kubectl` accepts them.
fn kind(word: &str) -> Option<Kind> {
    match word.to_ascii_lowercase().as_str() {
        "claim" | "resourceclaim" | "resourceclaims" => Some(Kind::Claim),
        "template" | "resourceclaimtemplate" | "resourceclaimtemplates" => Some(Kind::Template),
        "pod" | "pods" | "po" => Some(Kind::Pod),
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
    /// How many claims the devices are of.
    pub(super) claims: usize,
    /// The only node that it may be on.
    pub(super) node: Option<String>,
    /// Further information.
    pub(super) notes: Vec<String>,
}

impl<'a> Target<'a> {
    /// One claim that does not exist yet, on any node.
    pub(super) fn new(title: String, devices: Cow<'a, Devices>) -> Self {
        Self {
            title,
            devices,
            claim: None,
            claims: 1,
            node: None,
            notes: Vec::new(),
        }
    }
}

/// Looks for a claim first, then for a template, then for a class.
pub(super) fn find<'a>(snapshot: &'a Snapshot, query: &Query) -> Result<Target<'a>, ExplainError> {
    let Query {
        namespace, name, ..
    } = query;
    let allowed = |kind| query.kind.is_none_or(|wanted| wanted == kind);
    let of_claim = || claim(snapshot, namespace, name);
    let of_template = || template(snapshot, namespace, name);
    let found = (allowed(Kind::Claim).then(of_claim).flatten())
        .or_else(|| allowed(Kind::Template).then(of_template).flatten());
    if let Some(target) = found {
        return Ok(target);
    }
    if allowed(Kind::Class) && snapshot.classes.contains_key(name) {
        let title = format!("one device of class {name}");
        return Ok(Target::new(title, Cow::Owned(one_of(name))));
    }
    Err(ExplainError::NotFound {
        name: name.clone(),
        namespace: namespace.clone(),
        elsewhere: elsewhere(snapshot, name),
    })
}

/// The namespaces in which there is a claim or template of this name.
fn elsewhere(snapshot: &Snapshot, name: &str) -> String {
    let claims = snapshot.claims.iter().map(|claim| &claim.metadata);
    let templates = snapshot.templates.iter().map(|template| &template.metadata);
    let named = claims.chain(templates).filter(|meta| meta.name == name);
    let paths: BTreeSet<String> = named
        .map(|meta| format!("{}/{name}", or_default(&meta.namespace)))
        .collect();
    let shown: Vec<String> = paths.iter().take(text::NAMES).cloned().collect();
    match paths.len() {
        0 => String::new(),
        all => format!("; there is {}", text::list(shown, all)),
    }
}

/// The claim of this name.
pub(super) fn claim<'a>(snapshot: &'a Snapshot, namespace: &str, name: &str) -> Option<Target<'a>> {
    let mut claims = snapshot.claims.iter();
    let claim = claims.find(|claim| is_at(&claim.metadata, namespace, name))?;
    let title = format!("claim {}", claim.path());
    Some(Target {
        claim: Some(claim),
        ..Target::new(title, Cow::Borrowed(&claim.spec.devices))
    })
}

/// A claim from the template of this name.
pub(super) fn template<'a>(
    snapshot: &'a Snapshot,
    namespace: &str,
    name: &str,
) -> Option<Target<'a>> {
    let mut templates = snapshot.templates.iter();
    let template = templates.find(|template| is_at(&template.metadata, namespace, name))?;
    let title = format!("a claim from template {namespace}/{name}");
    Some(Target::new(
        title,
        Cow::Borrowed(&template.spec.spec.devices),
    ))
}

/// Whether an object has this name and namespace.
pub(super) fn is_at(meta: &Meta, namespace: &str, name: &str) -> bool {
    meta.name == name && or_default(&meta.namespace) == or_default(namespace)
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
        for text in ["", "shop/", "/net", "shop/net/nic", "pod/", "a b"] {
            assert!(!Query::read(text, "default").is_name(), "{text}");
        }
        assert!(Query::read("claim/shop/net", "default").is_name());
        let pod = Query::read("pod/upf-0", "shop");
        assert_eq!(pod.pod(), Some(("shop", "upf-0")));
    }
}
