//! Kubernetes' `find` and `findAll`: the parts of a string that a regular expression matches.

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

/// The syntax of RE2 differs slightly from this library's: an expression that does not compile
/// here may be valid for the scheduler, so it is not an error of the selector.
fn regex(pattern: &CelString<'_>) -> Result<Regex, ExecutionError> {
    let uncompiled = |_| {
        ExecutionError::InternalError(format!(
            "regular expression {:?} is not supported",
            pattern.inner()
        ))
    };
    Regex::new(pattern.inner()).map_err(uncompiled)
}

/// The first match; empty if there is none.
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

/// A negative limit means no limit.
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
