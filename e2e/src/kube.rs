//! The API server: what is looked at often is asked directly, since a kubectl for each look would
//! cost this machine more than the emulated nodes do. What users do by kubectl, scenarios do by
//! kubectl.

use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};
use http::Request;
use kube::{Client, Config, Error, config::AuthInfo};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::command::{self, Answer};

/// What kubectl prints.
pub(crate) fn kubectl(args: &[&str]) -> Result<String> {
    command::run("kubectl", args, "")
}

/// `kubectl apply`, and its result.
pub(crate) fn apply(namespace: &str, yaml: &str) -> Result<Answer> {
    command::answer("kubectl", &["apply", "-n", namespace, "-f", "-"], yaml)
}

/// The path of a namespaced object, or of all of a kind without the last part: `("pods", "b",
/// "one")`.
pub(crate) fn path(kind: &str, namespace: &str, name: &str) -> String {
    let group = if kind.starts_with("resource") {
        "apis/resource.k8s.io/v1"
    } else {
        "api/v1"
    };
    format!("/{group}/namespaces/{namespace}/{kind}/{name}")
        .trim_end_matches('/')
        .to_owned()
}

/// The object at a path.
pub(crate) fn get(path: &str) -> Result<Value> {
    find(path)?.with_context(|| format!("{path} does not exist"))
}

/// The object at a path, if it is there.
pub(crate) fn find(path: &str) -> Result<Option<Value>> {
    ask(Request::get(path).body(Vec::new())?)
}

/// The items of a list; the path may have selectors.
pub(crate) fn list(path: &str) -> Result<Vec<Value>> {
    let mut answer = get(path)?;
    Ok(answer
        .pointer_mut("/items")
        .and_then(|items| items.as_array_mut().map(std::mem::take))
        .unwrap_or_default())
}

/// What has happened since a version to what a list's path gives, as a watch reports it: objects
/// with `type` and `object`.
pub(crate) fn watched(path: &str, version: &str) -> Result<Vec<Value>> {
    let watch = format!("{path}&watch=true&resourceVersion={version}&timeoutSeconds=2");
    let (runtime, client) = server()?;
    let request = Request::get(&watch).body(Vec::new())?;
    let answer = runtime
        .block_on(client.request_text(request))
        .context(watch.clone())?;
    let events: Vec<Value> = answer
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    ensure!(
        events.iter().all(|event| text(event, "/type") != "ERROR"),
        "{watch}: {answer}"
    );
    Ok(events)
}

/// Creates an object at its kind's path; the server's message when it refuses it.
pub(crate) fn create(path: &str, object: &Value) -> Result<Result<Value, String>> {
    let request = Request::post(path)
        .header("content-type", "application/json")
        .body(serde_json::to_vec(object)?)?;
    let (runtime, client) = server()?;
    match runtime.block_on(client.request(request)) {
        Ok(made) => Ok(Ok(made)),
        Err(Error::Api(status)) if status.code == 422 => Ok(Err(status.message)),
        Err(error) => Err(error).context(path.to_owned()),
    }
}

/// Merges into an object with somebody's token; the server's message when it refuses. `kubectl patch`
/// would need the right to read as well.
pub(crate) fn patch_as(token: &str, path: &str, patch: &Value) -> Result<Result<Value, String>> {
    let request = Request::patch(path)
        .header("content-type", "application/merge-patch+json")
        .header("authorization", format!("Bearer {token}"))
        .body(serde_json::to_vec(patch)?)?;
    let answer = server()?.0.block_on(async {
        let mut nobody = Config::infer().await?;
        nobody.auth_info = AuthInfo::default();
        anyhow::Ok(Client::try_from(nobody)?.request(request).await)
    })?;
    match answer {
        Ok(changed) => Ok(Ok(changed)),
        Err(Error::Api(status)) if matches!(status.code, 403 | 422) => Ok(Err(status.message)),
        Err(error) => Err(error).context(path.to_owned()),
    }
}

/// Begins the deletion of an object; what is not there is deleted already.
pub(crate) fn delete(path: &str) -> Result<()> {
    ask(Request::delete(path).body(Vec::new())?).map(drop)
}

/// Waits for what is asynchronous.
pub(crate) fn wait<T>(work: impl Future<Output = T>) -> Result<T> {
    Ok(server()?.0.block_on(work))
}

fn server() -> Result<&'static (Runtime, Client)> {
    static SERVER: OnceLock<(Runtime, Client)> = OnceLock::new();
    if SERVER.get().is_none() {
        // Whoever connects first wins; all are the same.
        let _ = SERVER.set(connect()?);
    }
    SERVER.get().context("not connected")
}

/// None: there is no such object.
fn ask(request: Request<Vec<u8>>) -> Result<Option<Value>> {
    let what = format!("{} {}", request.method(), request.uri());
    let (runtime, client) = server()?;
    match runtime.block_on(client.request(request)) {
        Ok(answer) => Ok(Some(answer)),
        Err(Error::Api(status)) if status.code == 404 => Ok(None),
        Err(error) => Err(error).context(what),
    }
}

fn connect() -> Result<(Runtime, Client)> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = Runtime::new()?;
    let client =
        runtime.block_on(async { anyhow::Ok(Client::try_from(Config::infer().await?)?) })?;
    Ok((runtime, client))
}

/// A string in an object, `""` when it is not there.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// A list in an object, empty when it is not there.
pub(crate) fn items<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}
