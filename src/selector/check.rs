//! Errors that the API server's type checker reports, as far as they can be found without types.

use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue, operators};

use super::variable::FIELDS;

/// Names of types and namespaces of functions.
const NAMES: [&str; 23] = [
    "bool",
    "bytes",
    "double",
    "dyn",
    "int",
    "list",
    "map",
    "null_type",
    "string",
    "type",
    "uint",
    "optional",
    "strings",
    "sets",
    "math",
    "format",
    "cel",
    "lists",
    "base64",
    "regex",
    "url",
    "ip",
    "cidr",
];

/// Macros, standard and of Kubernetes, that declare variables.
const MACROS: [&str; 8] = [
    "all",
    "exists",
    "exists_one",
    "existsOne",
    "transformList",
    "transformMap",
    "transformMapEntry",
    "sortBy",
];

/// Checks that every variable is declared and every field of `device` exists.
pub(super) fn declared(expression: &IdedExpr) -> Result<(), String> {
    walk(expression, &mut vec!["device".to_owned()])
}

fn walk(expression: &IdedExpr, scope: &mut Vec<String>) -> Result<(), String> {
    match &expression.expr {
        Expr::Ident(name) => {
            let known =
                scope.contains(name) || NAMES.contains(&name.as_str()) || name.starts_with('@');
            known
                .then_some(())
                .ok_or_else(|| format!("undeclared reference to '{name}'"))
        }
        Expr::Select(select) => {
            let of_device = matches!(&select.operand.expr, Expr::Ident(name) if name == "device");
            if of_device && !FIELDS.contains(&select.field.as_str()) {
                return Err(format!(
                    "undefined field '{}': device has {}",
                    select.field,
                    FIELDS.join(", ")
                ));
            }
            walk(&select.operand, scope)
        }
        // A macro that is not expanded here declares its own variables.
        Expr::Call(call) if MACROS.contains(&call.func_name.as_str()) => call
            .target
            .iter()
            .try_for_each(|target| walk(target, scope)),
        Expr::Call(call) => {
            compared(&call.func_name, &call.args)?;
            call.target
                .iter()
                .try_for_each(|target| walk(target, scope))?;
            call.args.iter().try_for_each(|arg| walk(arg, scope))
        }
        Expr::List(list) => list
            .elements
            .iter()
            .try_for_each(|element| walk(element, scope)),
        Expr::Map(map) => map
            .entries
            .iter()
            .try_for_each(|entry| entry_of(&entry.expr, scope)),
        Expr::Struct(fields) => fields
            .entries
            .iter()
            .try_for_each(|entry| entry_of(&entry.expr, scope)),
        Expr::Comprehension(all) => {
            walk(&all.iter_range, scope)?;
            walk(&all.accu_init, scope)?;
            let outside = scope.len();
            scope.extend(
                [all.iter_var.clone(), all.accu_var.clone()]
                    .into_iter()
                    .chain(all.iter_var2.clone()),
            );
            let inside = [&all.loop_cond, &all.loop_step, &all.result];
            let result = inside.into_iter().try_for_each(|part| walk(part, scope));
            scope.truncate(outside);
            result
        }
        Expr::Literal(_) | Expr::Unspecified => Ok(()),
    }
}

/// `device.driver` is a string: the type checker rejects a comparison with another type.
fn compared(operator: &str, args: &[IdedExpr]) -> Result<(), String> {
    let is_driver = |arg: &IdedExpr| {
        let Expr::Select(select) = &arg.expr else {
            return false;
        };
        select.field == "driver"
            && matches!(&select.operand.expr, Expr::Ident(name) if name == "device")
    };
    let is_other = |arg: &IdedExpr| matches!(&arg.expr, Expr::Literal(literal) if !matches!(literal, LiteralValue::String(_)));
    let comparison = [
        operators::EQUALS,
        operators::NOT_EQUALS,
        operators::LESS,
        operators::GREATER,
    ]
    .contains(&operator);
    if comparison && args.iter().any(is_driver) && args.iter().any(is_other) {
        return Err(
            "device.driver is a string and cannot be compared with another type".to_owned(),
        );
    }
    Ok(())
}

fn entry_of(entry: &EntryExpr, scope: &mut Vec<String>) -> Result<(), String> {
    match entry {
        EntryExpr::StructField(field) => walk(&field.value, scope),
        EntryExpr::MapEntry(entry) => {
            walk(&entry.key, scope)?;
            walk(&entry.value, scope)
        }
    }
}
