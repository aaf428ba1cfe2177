//! Kubernetes' `find` and `findAll`: what of a text a regular expression matches.

use cel::{
    DeclarationError, Env, ExecutionError, add_member_overload,
    common::{
        types::{CelInt, CelList, CelString},
        value::Val,
    },
};
use regex::Regex;

/// The `regex` library.
pub(super) fn extension(env: &mut Env) -> Result<(), DeclarationError> {
    add_member_overload!(env, fn find: (CelString, CelString) -> Result<CelString>)?;
    add_member_overload!(env, fn find_all: (CelString, CelString) -> Result<CelList>)?;
    add_member_overload!(env, fn find_some: (CelString, CelString, CelInt) -> Result<CelList>, name = "findAll")
}

/// RE2's syntax is nearly this library's: what this one refuses, the scheduler may take.
fn regex(pattern: &CelString<'_>) -> Result<Regex, ExecutionError> {
    let refused =
        |_| ExecutionError::InternalError(format!("the regular expression {:?}", pattern.inner()));
    Regex::new(pattern.inner()).map_err(refused)
}

/// The first match; empty when there is none.
fn find(
    text: &CelString<'_>,
    pattern: &CelString<'_>,
) -> Result<CelString<'static>, ExecutionError> {
    let found = regex(pattern)?
        .find(text.inner())
        .map(|found| found.as_str().to_owned());
    Ok(found.unwrap_or_default().into())
}

fn find_all(
    text: &CelString<'_>,
    pattern: &CelString<'_>,
) -> Result<CelList<'static>, ExecutionError> {
    matches(text, pattern, usize::MAX)
}

/// A negative limit is none.
fn find_some(
    text: &CelString<'_>,
    pattern: &CelString<'_>,
    limit: &CelInt,
) -> Result<CelList<'static>, ExecutionError> {
    matches(
        text,
        pattern,
        usize::try_from(*limit.inner()).unwrap_or(usize::MAX),
    )
}

fn matches(
    text: &CelString<'_>,
    pattern: &CelString<'_>,
    limit: usize,
) -> Result<CelList<'static>, ExecutionError> {
    let regex = regex(pattern)?;
    let found = regex.find_iter(text.inner()).take(limit);
    let found =
        found.map(|found| Box::new(CelString::from(found.as_str().to_owned())) as Box<dyn Val>);
    Ok(CelList::from(found.collect::<Vec<_>>()))
}
