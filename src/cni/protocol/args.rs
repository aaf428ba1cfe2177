//! `CNI_ARGS`: `K=V;K=V`.

use super::CniError;

const NAME: &str = "CNI_ARGS";

/// What `CNI_ARGS` says. Keys are exact, as for the Go plugin; of several the last one counts, since
/// Multus repeats those of the runtime.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Args {
    /// `MAC`.
    pub mac: Option<String>,
    /// `guid`, of InfiniBand.
    pub guid: Option<String>,
    /// The pod.
    pub pod: Pod,
    /// `K8S_POD_INFRA_CONTAINER_ID`: the sandbox.
    pub sandbox: Option<String>,
}

/// The pod that the runtime names. `None`: not given, or empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pod {
    /// `K8S_POD_NAMESPACE`.
    pub namespace: Option<String>,
    /// `K8S_POD_NAME`.
    pub name: Option<String>,
    /// `K8S_POD_UID`; older runtimes do not give it.
    pub uid: Option<String>,
}

impl Args {
    /// Reads the variable.
    ///
    /// # Errors
    /// A pair without `=`, or an unknown key without `IgnoreUnknown`.
    pub fn parse(text: &str) -> Result<Self, CniError> {
        let mut args = Self::default();
        let (mut unknown, mut ignore) = (Vec::new(), false);
        for pair in text.split(';').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').ok_or_else(|| not_a_pair(pair))?;
            match (key, args.field(key)) {
                ("IgnoreUnknown", _) => ignore = switch(value)?,
                (_, Some(field)) => *field = (!value.is_empty()).then(|| value.to_owned()),
                (_, None) => unknown.push(key),
            }
        }
        match unknown[..] {
            [] => Ok(args),
            _ if ignore => Ok(args),
            _ => Err(unknown_keys(&unknown)),
        }
    }

    fn field(&mut self, key: &str) -> Option<&mut Option<String>> {
        Some(match key {
            "MAC" => &mut self.mac,
            "guid" => &mut self.guid,
            "K8S_POD_NAMESPACE" => &mut self.pod.namespace,
            "K8S_POD_NAME" => &mut self.pod.name,
            "K8S_POD_UID" => &mut self.pod.uid,
            "K8S_POD_INFRA_CONTAINER_ID" => &mut self.sandbox,
            _ => return None,
        })
    }
}

fn not_a_pair(pair: &str) -> CniError {
    CniError::variable(NAME, &format!("{pair:?} is not a pair, must be KEY=VALUE"))
}

fn unknown_keys(keys: &[&str]) -> CniError {
    let keys = keys.join(", ");
    CniError::variable(
        NAME,
        &format!("unknown key {keys}, allowed only with IgnoreUnknown=1"),
    )
}

fn switch(value: &str) -> Result<bool, CniError> {
    match &*value.to_ascii_lowercase() {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(CniError::variable(
            NAME,
            &format!("IgnoreUnknown is {value:?}, must be 1, true, 0 or false"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POD: &str =
        "K8S_POD_NAMESPACE=ns;K8S_POD_NAME=p;K8S_POD_INFRA_CONTAINER_ID=c;K8S_POD_UID=u";

    #[test]
    fn a_pod_of_the_kubelet_is_read() {
        let args = Args::parse(&format!("IgnoreUnknown=1;{POD}")).unwrap();
        let Pod {
            namespace,
            name,
            uid,
        } = args.pod;
        assert_eq!(
            [namespace, name, uid, args.sandbox].map(Option::unwrap),
            ["ns", "p", "u", "c"]
        );
        assert_eq!(args.mac, None);
    }

    #[test]
    fn repeated_keys_are_accepted_and_the_last_one_counts() {
        let text = format!(
            "IgnoreUnknown=true;{POD};{POD};MAC=02:00:00:00:00:01;MAC=02:00:00:00:00:02;IgnoreUnknown=1;x=1"
        );
        let args = Args::parse(&text).unwrap();
        assert_eq!(args.mac.as_deref(), Some("02:00:00:00:00:02"));
        assert_eq!(args.pod.uid.as_deref(), Some("u"));
    }

    #[test]
    fn unknown_keys_need_ignore_unknown() {
        for (text, said) in [
            (
                "foo=1",
                "CNI_ARGS: unknown key foo, allowed only with IgnoreUnknown=1",
            ),
            (
                "IgnoreUnknown=0;foo=1;bar=2",
                "CNI_ARGS: unknown key foo, bar, allowed only with IgnoreUnknown=1",
            ),
            (
                "mac=02:00:00:00:00:01",
                "CNI_ARGS: unknown key mac, allowed only with IgnoreUnknown=1",
            ),
            (
                "IgnoreUnknown=1;foo",
                "CNI_ARGS: \"foo\" is not a pair, must be KEY=VALUE",
            ),
            (
                "IgnoreUnknown=yes",
                "CNI_ARGS: IgnoreUnknown is \"yes\", must be 1, true, 0 or false",
            ),
        ] {
            assert_eq!(Args::parse(text).unwrap_err().msg, said);
        }
        for text in [
            "",
            ";",
            "IgnoreUnknown=1;foo=1",
            "IgnoreUnknown=TRUE;foo=a=b;",
        ] {
            assert_eq!(Args::parse(text), Ok(Args::default()), "{text}");
        }
    }
}
