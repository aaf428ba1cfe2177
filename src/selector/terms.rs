//! Splits a conjunction into its terms, as text, to report which of them is false.
//!
//! `a && cel.bind(d, x, b && c)` has the terms `a`, `b` and `c`; the last two are evaluated as
//! `cel.bind(d, x, b)`. What cannot be split safely is kept as one term.

/// A term as shown, and as it can be evaluated by itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Term {
    pub(super) shown: String,
    pub(super) whole: String,
}

/// The terms of an expression: at least one.
pub(super) fn terms(expression: &str) -> Vec<Term> {
    let text = expression.trim();
    let risky = ["//", "'''", "\"\"\"", "r'", "r\"", "R'", "R\""]
        .iter()
        .any(|risk| text.contains(risk));
    if risky {
        return vec![Term {
            shown: text.to_owned(),
            whole: text.to_owned(),
        }];
    }
    split(text)
}

fn split(text: &str) -> Vec<Term> {
    let text = text.trim();
    let parts = conjunction(text);
    if parts.len() > 1 {
        return parts.into_iter().flat_map(split).collect();
    }
    if let Some(inner) = enclosed(text, "(") {
        return split(inner);
    }
    if let Some([name, value, body]) = enclosed(text, "cel.bind(").map(arguments).as_deref() {
        let bound = |term: Term| Term {
            whole: format!("cel.bind({name},{value}, {})", term.whole),
            ..term
        };
        return split(body).into_iter().map(bound).collect();
    }
    vec![Term {
        shown: text.to_owned(),
        whole: text.to_owned(),
    }]
}

/// The operands of `&&` at the top level, if there is no operator of lower precedence.
fn conjunction(text: &str) -> Vec<&str> {
    let top = top(text);
    let weaker = |at: usize| {
        text[at..].starts_with("||") || (text[at..].starts_with('?') && !text[..at].ends_with('.'))
    };
    if top.iter().any(|&at| weaker(at)) {
        return vec![text];
    }
    cut(
        text,
        top.into_iter().filter(|&at| text[at..].starts_with("&&")),
        2,
    )
}

/// The text between the parentheses, if the first one is closed at the very end.
fn enclosed<'a>(text: &'a str, opening: &str) -> Option<&'a str> {
    let inner = text.strip_prefix(opening)?.strip_suffix(')')?;
    // Otherwise the inner text closes the outer parenthesis: depths() returns None.
    let balanced = depths(inner).is_some();
    balanced.then_some(inner)
}

fn arguments(text: &str) -> Vec<&str> {
    cut(
        text,
        top(text)
            .into_iter()
            .filter(|&at| text[at..].starts_with(',')),
        1,
    )
}

fn cut(text: &str, positions: impl Iterator<Item = usize>, width: usize) -> Vec<&str> {
    let mut from = 0;
    let mut parts = Vec::new();
    for at in positions {
        // `&&` is found twice, at each of its characters.
        if at >= from {
            parts.push(&text[from..at]);
            from = at + width;
        }
    }
    parts.push(&text[from..]);
    parts
}

/// The positions at depth 0, outside of strings.
fn top(text: &str) -> Vec<usize> {
    depths(text).unwrap_or_default()
}

/// The positions at depth 0; `None` if brackets or quotes are not balanced.
fn depths(text: &str) -> Option<Vec<usize>> {
    let (mut depth, mut quote, mut escaped) = (0_usize, None, false);
    let mut places = Vec::new();
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.checked_sub(1)?,
            (None, _) if depth == 0 => places.push(at),
            (None, _) => {}
        }
    }
    (depth == 0 && quote.is_none()).then_some(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        terms(text).into_iter().map(|term| term.shown).collect()
    }

    #[test]
    fn only_conjunctions_are_split() {
        assert_eq!(shown("a && (b && c)"), ["a", "b", "c"]);
        assert_eq!(
            shown("a == '&&' && b[\"x && y\"].c"),
            ["a == '&&'", "b[\"x && y\"].c"]
        );
        assert_eq!(shown("a || b && c"), ["a || b && c"]);
        assert_eq!(shown("a && b ? c : d"), ["a && b ? c : d"]);
        assert_eq!(
            shown("a.?b.orValue(1) == 1 && c"),
            ["a.?b.orValue(1) == 1", "c"]
        );
        assert_eq!(shown("(a) && (b || c)"), ["a", "b || c"]);
        assert_eq!(shown("(a).x(b)"), ["(a).x(b)"]);
        assert_eq!(shown("a && // b && c\nd"), ["a && // b && c\nd"]);
    }

    #[test]
    fn the_body_of_a_bind_is_split_and_each_term_is_bound() {
        let terms = terms("x && cel.bind(d, f[\"a,b\"], d.a && d.b)");
        assert_eq!(
            terms[1],
            Term {
                shown: "d.a".to_owned(),
                whole: "cel.bind(d, f[\"a,b\"], d.a)".to_owned()
            }
        );
        assert_eq!(terms.len(), 3);
    }
}
