//! Kubernetes' functions on lists, and cel-go's on sets.
//!
//! Kubernetes selects the overload by the type of the elements. Lists of several types, or of a
//! type that is not ordered here, are not supported.

use std::cmp::Ordering;

use cel::{
    DeclarationError, Env, ExecutionError,
    common::{
        types::{CelBool, CelInt, DYN_TYPE, Kind, LIST_TYPE},
        value::{CowVal, Val},
    },
};

type Args<'b, 'v> = Vec<CowVal<'b, 'v>>;
type Outcome<'b, 'v> = Result<CowVal<'b, 'v>, ExecutionError>;
type Elements<'v> = Vec<Box<dyn Val + 'v>>;

/// The `lists` and `sets` libraries.
pub(super) fn extension(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_member_overload("isSorted", "list.isSorted()", LIST_TYPE, vec![], is_sorted)?;
    env.add_member_overload("sum", "list.sum()", LIST_TYPE, vec![], sum)?;
    env.add_member_overload("min", "list.min()", LIST_TYPE, vec![], min)?;
    env.add_member_overload("max", "list.max()", LIST_TYPE, vec![], max)?;
    env.add_member_overload(
        "indexOf",
        "list.indexOf(dyn)",
        LIST_TYPE,
        vec![DYN_TYPE],
        index_of,
    )?;
    env.add_member_overload(
        "lastIndexOf",
        "list.lastIndexOf(dyn)",
        LIST_TYPE,
        vec![DYN_TYPE],
        last_index_of,
    )?;
    let lists = || vec![LIST_TYPE, LIST_TYPE];
    env.add_overload(
        "sets.contains",
        "sets.contains(list,list)",
        lists(),
        contains,
    )?;
    env.add_overload(
        "sets.equivalent",
        "sets.equivalent(list,list)",
        lists(),
        equivalent,
    )?;
    env.add_overload(
        "sets.intersects",
        "sets.intersects(list,list)",
        lists(),
        intersects,
    )
}

fn elements<'v>(args: &Args<'_, 'v>, place: usize) -> Result<Elements<'v>, ExecutionError> {
    let list = args.get(place).and_then(|list| list.as_ref().as_iterable());
    let list =
        list.ok_or_else(|| ExecutionError::InternalError("a list is expected".to_owned()))?;
    let (mut iter, mut all) = (list.iter(), Vec::new());
    while let Some(element) = iter.next() {
        all.push(element.clone_as_boxed());
    }
    Ok(all)
}

/// The elements, if all are of the same kind, one of `kinds`.
fn alike<'v>(
    function: &str,
    args: &Args<'_, 'v>,
    kinds: &[Kind],
) -> Result<Elements<'v>, ExecutionError> {
    let all = elements(args, 0)?;
    let kind = all.first().map(|first| first.get_type().kind());
    let fits = kind.is_none_or(|kind| kinds.contains(&kind));
    if fits
        && all
            .iter()
            .all(|element| Some(element.get_type().kind()) == kind)
    {
        return Ok(all);
    }
    Err(ExecutionError::InternalError(format!(
        "{function} on elements of this type is not supported"
    )))
}

const ORDERED: [Kind; 5] = [
    Kind::Boolean,
    Kind::Double,
    Kind::Int,
    Kind::String,
    Kind::UInt,
];

fn compare(one: &dyn Val, other: &dyn Val) -> Result<Ordering, ExecutionError> {
    let comparer = one.as_comparer();
    comparer
        .ok_or_else(|| ExecutionError::InternalError("not ordered".to_owned()))?
        .compare(other)
}

fn is_sorted<'b, 'v>(args: Args<'b, 'v>) -> Outcome<'b, 'v> {
    let all = alike("isSorted", &args, &ORDERED)?;
    let mut sorted = true;
    for pair in all.windows(2) {
        sorted &= compare(&*pair[0], &*pair[1])?.is_le();
    }
    Ok(CowVal::owned(CelBool::from(sorted)))
}

/// The sum of an empty list is 0 of a type that only the API server's type checker knows.
fn sum<'b, 'v>(args: Args<'b, 'v>) -> Outcome<'b, 'v> {
    let all = alike("sum", &args, &[Kind::Double, Kind::Int, Kind::UInt])?;
    let mut all = all.into_iter();
    let first = all.next().ok_or_else(|| {
        ExecutionError::InternalError("sum of an empty list is not supported".to_owned())
    })?;
    let add = |total: Box<dyn Val + 'v>, element: Box<dyn Val + 'v>| {
        let adder = total
            .as_adder()
            .ok_or_else(|| ExecutionError::InternalError("not a number".to_owned()))?;
        Ok::<_, ExecutionError>(adder.add(&*element)?.into_owned())
    };
    Ok(CowVal::Owned(all.try_fold(first, add)?))
}

fn min<'b, 'v>(args: Args<'b, 'v>) -> Outcome<'b, 'v> {
    most("min", &args, Ordering::Less)
}

fn max<'b, 'v>(args: Args<'b, 'v>) -> Outcome<'b, 'v> {
    most("max", &args, Ordering::Greater)
}

fn most<'b, 'v>(function: &str, args: &Args<'b, 'v>, wanted: Ordering) -> Outcome<'b, 'v> {
    let mut all = alike(function, args, &ORDERED)?.into_iter();
    let empty =
        || ExecutionError::function_error(function, format!("{function} called on empty list"));
    let mut best = all.next().ok_or_else(empty)?;
    for element in all {
        if compare(&*element, &*best)? == wanted {
            best = element;
        }
    }
    Ok(CowVal::Owned(best))
}

fn index_of<'b, 'v>(args: Args<'b, 'v>) -> Outcome<'b, 'v> {
    let all = elements(&args, 0)?;
    Ok(index(
        all.iter()
            .position(|element| args[1].as_ref().equals(&**element)),
    ))
}

fn last_index_of<'b, 'v>(args: Args<'b, 'v>) -> Outcome<'b, 'v> {
    let all = elements(&args, 0)?;
    Ok(index(
        all.iter()
            .rposition(|element| args[1].as_ref().equals(&**element)),
    ))
}

fn index<'b, 'v>(found: Option<usize>) -> CowVal<'b, 'v> {
    let index = found
        .and_then(|index| i64::try_from(index).ok())
        .unwrap_or(-1);
    CowVal::owned(CelInt::from(index))
}

/// Whether the first list has all elements of the second.
fn contains<'b, 'v>(args: Args<'b, 'v>) -> Outcome<'b, 'v> {
    Ok(truth(has_all(&elements(&args, 0)?, &elements(&args, 1)?)))
}

fn equivalent<'b, 'v>(args: Args<'b, 'v>) -> Outcome<'b, 'v> {
    let (one, other) = (elements(&args, 0)?, elements(&args, 1)?);
    Ok(truth(has_all(&one, &other) && has_all(&other, &one)))
}

fn intersects<'b, 'v>(args: Args<'b, 'v>) -> Outcome<'b, 'v> {
    let (one, other) = (elements(&args, 0)?, elements(&args, 1)?);
    Ok(truth(other.iter().any(|element| has(&one, &**element))))
}

fn has_all(all: &Elements<'_>, wanted: &Elements<'_>) -> bool {
    wanted.iter().all(|element| has(all, &**element))
}

fn has(all: &Elements<'_>, wanted: &dyn Val) -> bool {
    all.iter().any(|element| element.equals(wanted))
}

fn truth<'b, 'v>(value: bool) -> CowVal<'b, 'v> {
    CowVal::owned(CelBool::from(value))
}
