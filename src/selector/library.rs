//! The CEL environment of Kubernetes' selectors, as far as the library has it. Functions that are
//! missing here are reported as not supported.

use std::sync::Arc;

use cel::{
    Env, ParseError,
    common::ast::{ComprehensionExpr, Expr, IdedExpr, ListExpr, LiteralValue},
    extensions,
    parser::{Macro, MacroExprHelper},
};

use super::{lists, search, version};

/// Iteration variable of a comprehension over an empty list, whose accumulator is the bound
/// variable.
const NOTHING: &str = "#unused";

/// Builds the environment, once for all selectors.
pub(super) fn environment() -> Arc<Env> {
    let mut env = Env::stdlib();
    // Like cel-go; the specification requires an error.
    env.set_error_on_duplicate_map_keys(false);
    env.add_extension(extensions::strings)
        .expect("the names of the libraries are distinct");
    env.add_extension(version::extension)
        .expect("the names of the libraries are distinct");
    env.add_extension(lists::extension)
        .expect("the names of the libraries are distinct");
    env.add_extension(search::extension)
        .expect("the names of the libraries are distinct");
    env.add_macro(Macro::receiver("bind", 3, bind))
        .expect("no other macro has this name");
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
