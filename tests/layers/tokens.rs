//! Paths in the tokens of macros and attributes, which have no grammar of Rust.

use proc_macro2::{Spacing, TokenStream, TokenTree};

use crate::source::Mention;

/// Whatever reads as `a::b`.
pub(crate) fn paths(tokens: TokenStream) -> Vec<Mention> {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < trees.len() {
        if let TokenTree::Group(group) = &trees[at] {
            found.extend(paths(group.stream()));
        }
        let segments = path(&trees[at..]);
        // Each further segment is `:`, `:` and a name.
        let length = 1 + 3 * segments.len().saturating_sub(1);
        if segments.len() > 1 {
            let absolute = begins_with_colons(&trees[..at]);
            let line = trees[at].span().start().line;
            found.push(Mention {
                segments,
                absolute,
                line,
            });
        }
        at += length;
    }
    found
}

/// Paths in string literals, as in `#[serde(with = "crate::x")]`.
pub(crate) fn quoted(tokens: TokenStream) -> Vec<Mention> {
    let mut found = Vec::new();
    for tree in tokens {
        match tree {
            TokenTree::Group(group) => found.extend(quoted(group.stream())),
            TokenTree::Literal(literal) => found.extend(in_literal(&literal)),
            _ => {}
        }
    }
    found
}

fn in_literal(literal: &proc_macro2::Literal) -> Option<Mention> {
    let text: syn::LitStr = syn::parse_str(&literal.to_string()).ok()?;
    let path: syn::Path = text.parse().ok()?;
    (path.segments.len() > 1).then(|| Mention {
        segments: path
            .segments
            .iter()
            .map(|one| one.ident.to_string())
            .collect(),
        absolute: path.leading_colon.is_some(),
        line: literal.span().start().line,
    })
}

/// The names of a path that begins here.
fn path(trees: &[TokenTree]) -> Vec<String> {
    let Some(TokenTree::Ident(first)) = trees.first() else {
        return vec![];
    };
    let mut segments = vec![first.to_string()];
    let mut rest = &trees[1..];
    while let [a, b, TokenTree::Ident(next), more @ ..] = rest
        && is_colons(a, b)
    {
        segments.push(next.to_string());
        rest = more;
    }
    segments
}

fn is_colons(a: &TokenTree, b: &TokenTree) -> bool {
    let (TokenTree::Punct(a), TokenTree::Punct(b)) = (a, b) else {
        return false;
    };
    (a.as_char(), a.spacing(), b.as_char()) == (':', Spacing::Joint, ':')
}

/// `::a::b`, not `<T>::a::b`.
fn begins_with_colons(before: &[TokenTree]) -> bool {
    match before {
        [.., TokenTree::Punct(end), a, b] if end.as_char() == '>' => !is_colons(a, b),
        [.., a, b] => is_colons(a, b),
        _ => false,
    }
}
