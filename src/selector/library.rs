//! The environment in which Kubernetes evaluates selectors, as far as the library has it. What is not here cannot be
//! evaluated, and is said so.

use std::sync::Arc;

use cel::{
    Env, ParseError,
    common::ast::{ComprehensionExpr, Expr, IdedExpr, ListExpr, LiteralValue},
    extensions,
    parser::{Macro, MacroExprHelper},
};

use super::{lists, search, version};

/// A comprehension over nothing: its accumulator is the variable.
const NOTHING: &str = "#unused";

/// The environment; built once for all selectors.
pub(super) fn environment() -> Arc<Env> {
    let mut env = Env::stdlib();
    // As cel-go does; the specification would have an error.
    env.set_error_on_duplicate_map_keys(false);
    env.add_extension(extensions::strings)
        .expect("the names of these libraries do not clash");
    env.add_extension(version::extension)
        .expect("the names of these libraries do not clash");
    env.add_extension(lists::extension)
        .expect("the names of these libraries do not clash");
    env.add_extension(search::extension)
        .expect("the names of these libraries do not clash");
    env.add_macro(Macro::receiver("bind", 3, bind))
        .expect("there is no other macro of this name");
    Arc::new(env)
}

/// `cel.bind(name, value, expression)`.
fn bind(
    helper: &mut MacroExprHelper<'_>,
    target: &mut Option<IdedExpr>,
    args: &mut Vec<IdedExpr>,
) -> Result<Option<IdedExpr>, ParseError> {
    if !matches!(target, Some(IdedExpr { expr: Expr::Ident(name), .. }) if name == "cel") {
        return Ok(None);
    }
    let [name, value, body] = args.as_mut_slice() else {
        return Ok(None);
    };
    let Expr::Ident(variable) = &name.expr else {
        return Err(helper.new_error(
            name.id,
            "cel.bind() variable names must be simple identifiers",
        ));
    };
    let comprehension = ComprehensionExpr {
        iter_range: helper.next_expr(Expr::List(ListExpr::new(Vec::new()))),
        iter_var: NOTHING.to_owned(),
        iter_var2: None,
        accu_var: variable.clone(),
        accu_init: std::mem::take(value),
        loop_cond: helper.next_expr(Expr::Literal(LiteralValue::Boolean(false.into()))),
        loop_step: helper.next_expr(Expr::Ident(variable.clone())),
        result: std::mem::take(body),
    };
    Ok(Some(
        helper.next_expr(Expr::Comprehension(Box::new(comprehension))),
    ))
}
