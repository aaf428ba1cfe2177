//! Versions and quantities as CEL values, with Kubernetes' functions.

use std::{any::Any, cmp::Ordering};

use cel::{
    DeclarationError, Env, ExecutionError, add_member_overload, add_overload,
    common::{
        types::{CelBool, CelInt, CelString, Type},
        value::{StaticVal, Val},
    },
};

use super::{access_log::AccessLog, quantity::Quantity};

static SEMVER: Type = Type::new_unspecified_type("kubernetes.Semver");
static QUANTITY: Type = Type::new_unspecified_type("kubernetes.Quantity");

/// `semver("1.2.3")`, or an attribute of type version, which records a comparison with another
/// type.
#[derive(Debug, Clone)]
pub(super) struct Semver(semver::Version, Option<AccessLog>);

impl Semver {
    pub(super) fn parse(text: &str) -> Option<Self> {
        semver::Version::parse(text)
            .ok()
            .map(|version| Self(version, None))
    }

    pub(super) fn logging_to(self, log: &AccessLog) -> Self {
        Self(self.0, Some(log.clone()))
    }

    /// Build metadata is ignored.
    fn order(&self, other: &Self) -> Ordering {
        self.0.cmp_precedence(&other.0)
    }
}

impl Val for Semver {
    fn get_type(&self) -> &Type {
        &SEMVER
    }
    fn cel_type() -> &'static Type {
        &SEMVER
    }
    fn equals(&self, other: &dyn Val) -> bool {
        let Some(other) = other.downcast_ref::<Self>() else {
            // For the scheduler this is an error, unless `||` makes it irrelevant. The library
            // cannot return an error here.
            let why = format!("version {} is compared with another type", self.0);
            self.1.iter().for_each(|log| log.set_unsupported(&why));
            return false;
        };
        self.order(other).is_eq()
    }
    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        Box::new(self.clone())
    }
    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}
impl StaticVal for Semver {}

impl Val for Quantity {
    fn get_type(&self) -> &Type {
        &QUANTITY
    }
    fn cel_type() -> &'static Type {
        &QUANTITY
    }
    fn equals(&self, other: &dyn Val) -> bool {
        other.downcast_ref::<Self>() == Some(self)
    }
    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        Box::new(*self)
    }
    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}
impl StaticVal for Quantity {}

/// Normalizes a version, as `semver(text, true)` does: `v1.2` and `01.2.3` are valid then.
fn normal(text: &str) -> String {
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (core, rest) = text.split_at(end);
    let mut parts: Vec<&str> = core.split('.').collect();
    parts.resize(parts.len().max(3), "0");
    let plain = |part: &&str| match part.trim_start_matches('0') {
        "" if !part.is_empty() => "0".to_owned(),
        digits => digits.to_owned(),
    };
    format!(
        "{}{rest}",
        parts.iter().map(plain).collect::<Vec<_>>().join(".")
    )
}

fn semver(text: &CelString<'_>) -> Result<Semver, ExecutionError> {
    Semver::parse(text.inner())
        .ok_or_else(|| ExecutionError::function_error("semver", "not a semantic version"))
}

fn semver_normalized(text: &CelString<'_>, normalize: &CelBool) -> Result<Semver, ExecutionError> {
    if *normalize.inner() {
        semver(&CelString::from(normal(text.inner())))
    } else {
        semver(text)
    }
}

fn is_semver(text: &CelString<'_>) -> CelBool {
    semver(text).is_ok().into()
}

fn is_semver_normalized(text: &CelString<'_>, normalize: &CelBool) -> CelBool {
    semver_normalized(text, normalize).is_ok().into()
}

fn number(part: u64) -> CelInt {
    i64::try_from(part).unwrap_or(i64::MAX).into()
}

fn major(version: &Semver) -> CelInt {
    number(version.0.major)
}

fn minor(version: &Semver) -> CelInt {
    number(version.0.minor)
}

fn patch(version: &Semver) -> CelInt {
    number(version.0.patch)
}

fn semver_compare(one: &Semver, other: &Semver) -> CelInt {
    i64::from(one.order(other) as i8).into()
}

fn semver_greater(one: &Semver, other: &Semver) -> CelBool {
    one.order(other).is_gt().into()
}

fn semver_less(one: &Semver, other: &Semver) -> CelBool {
    one.order(other).is_lt().into()
}

fn quantity(text: &CelString<'_>) -> Result<Quantity, ExecutionError> {
    Quantity::parse(text.inner())
        .ok_or_else(|| ExecutionError::function_error("quantity", "not a quantity"))
}

fn is_quantity(text: &CelString<'_>) -> CelBool {
    Quantity::parse(text.inner()).is_some().into()
}

fn quantity_compare(one: &Quantity, other: &Quantity) -> CelInt {
    i64::from(one.cmp(other) as i8).into()
}

fn quantity_greater(one: &Quantity, other: &Quantity) -> CelBool {
    (one > other).into()
}

fn quantity_less(one: &Quantity, other: &Quantity) -> CelBool {
    (one < other).into()
}

fn quantity_plus(one: &Quantity, other: &Quantity) -> Quantity {
    one.plus(*other)
}

fn quantity_minus(one: &Quantity, other: &Quantity) -> Quantity {
    one.less(*other)
}

fn quantity_sign(amount: &Quantity) -> CelInt {
    amount.sign().into()
}

fn quantity_is_integer(amount: &Quantity) -> CelBool {
    amount.whole().is_some().into()
}

fn quantity_as_integer(amount: &Quantity) -> Result<CelInt, ExecutionError> {
    amount
        .whole()
        .map(CelInt::from)
        .ok_or_else(|| ExecutionError::function_error("asInteger", "not an integer"))
}

/// Kubernetes' semver and quantity libraries.
pub(super) fn extension(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_type(SEMVER.to_owned())?;
    env.add_type(QUANTITY.to_owned())?;
    add_overload!(env, fn semver: (CelString) -> Result<Semver>)?;
    add_overload!(env, fn semver_normalized: (CelString, CelBool) -> Result<Semver>, name = "semver")?;
    add_overload!(env, fn is_semver: (CelString) -> CelBool)?;
    add_overload!(env, fn is_semver_normalized: (CelString, CelBool) -> CelBool, name = "isSemver")?;
    add_member_overload!(env, fn major: (Semver) -> CelInt)?;
    add_member_overload!(env, fn minor: (Semver) -> CelInt)?;
    add_member_overload!(env, fn patch: (Semver) -> CelInt)?;
    add_member_overload!(env, fn semver_compare: (Semver, Semver) -> CelInt, name = "compareTo")?;
    add_member_overload!(env, fn semver_greater: (Semver, Semver) -> CelBool, name = "isGreaterThan")?;
    add_member_overload!(env, fn semver_less: (Semver, Semver) -> CelBool, name = "isLessThan")?;
    add_overload!(env, fn quantity: (CelString) -> Result<Quantity>)?;
    add_overload!(env, fn is_quantity: (CelString) -> CelBool)?;
    add_member_overload!(env, fn quantity_compare: (Quantity, Quantity) -> CelInt, name = "compareTo")?;
    add_member_overload!(env, fn quantity_greater: (Quantity, Quantity) -> CelBool, name = "isGreaterThan")?;
    add_member_overload!(env, fn quantity_less: (Quantity, Quantity) -> CelBool, name = "isLessThan")?;
    add_member_overload!(env, fn quantity_plus: (Quantity, Quantity) -> Quantity, name = "add")?;
    add_member_overload!(env, fn quantity_minus: (Quantity, Quantity) -> Quantity, name = "sub")?;
    add_member_overload!(env, fn quantity_sign: (Quantity) -> CelInt, name = "sign")?;
    add_member_overload!(env, fn quantity_is_integer: (Quantity) -> CelBool, name = "isInteger")?;
    add_member_overload!(env, fn quantity_as_integer: (Quantity) -> Result<CelInt>, name = "asInteger")
}
