//! The API server, by kubectl.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::command::{self, Answer};

/// What kubectl prints.
pub(crate) fn kubectl(args: &[&str]) -> Result<String> {
    command::run("kubectl", args, "")
}

/// Objects as the API server has them: `get(&["pod", "one", "-n", "b"])`.
pub(crate) fn get(args: &[&str]) -> Result<Value> {
    let text = kubectl(&[&["get", "-o", "json"], args].concat())?;
    serde_json::from_str(&text).with_context(|| format!("kubectl get {}", args.join(" ")))
}

/// The items of a list.
pub(crate) fn list(args: &[&str]) -> Result<Vec<Value>> {
    let mut answer = get(args)?;
    Ok(answer.pointer_mut("/items").and_then(|items| items.as_array_mut().map(std::mem::take)).unwrap_or_default())
}

/// `kubectl apply`, and what came of it.
pub(crate) fn apply(namespace: &str, yaml: &str) -> Result<Answer> {
    command::answer("kubectl", &["apply", "-n", namespace, "-f", "-"], yaml)
}

/// `kubectl delete`, without waiting; what is not there is deleted already.
pub(crate) fn delete(args: &[&str]) -> Result<()> {
    kubectl(&[&["delete", "--wait=false", "--ignore-not-found"], args].concat()).map(drop)
}

/// A string in an object, `""` when it is not there.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// A list in an object, empty when it is not there.
pub(crate) fn items<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
