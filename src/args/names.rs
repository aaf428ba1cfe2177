//! Names of the API in flags: a wrong one is wrong usage, not an answer about something else.

use crate::api::is_label;

/// The driver's name, as ResourceSlices may have it.
pub(super) fn driver(text: &str) -> Result<String, String> {
    let is_driver = is_subdomain(text) && text.len() <= 63;
    let right = "must be a DNS subdomain of at most 63 bytes, like sriov-dra.io";
    is_driver
        .then(|| text.to_owned())
        .ok_or_else(|| right.to_owned())
}

/// The prefix of extended resources.
pub(super) fn prefix(text: &str) -> Result<String, String> {
    let is_prefix = is_subdomain(text) && !text.ends_with("kubernetes.io");
    let right = "must be a DNS subdomain outside kubernetes.io, like intel.com";
    is_prefix
        .then(|| text.to_owned())
        .ok_or_else(|| right.to_owned())
}

/// A namespace.
pub(super) fn namespace(text: &str) -> Result<String, String> {
    let right = "must be at most 63 lower case letters, digits and '-', like kube-system";
    is_label(text)
        .then(|| text.to_owned())
        .ok_or_else(|| right.to_owned())
}

fn is_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::args::SriovDra;

    #[test]
    fn a_name_that_the_api_refuses_is_wrong_usage() {
        let of = |args: &[&str]| SriovDra::try_parse_from([&["sriov-dra"][..], args].concat());
        for args in [
            ["list", "--driver-name", "Bad_Name"],
            ["list", "--driver-name", ""],
            ["uninstall-check", "--driver-name", "a..b"],
            ["explain", "net", "--namespace=Bad NS"],
            ["explain", "net", "--resource-prefix=a/b"],
            ["convert", "a.yaml", "--namespace=-a"],
            ["convert", "a.yaml", "--resource-prefix=x.kubernetes.io"],
        ] {
            assert_eq!(of(&args).unwrap_err().exit_code(), 2, "{args:?}");
        }
        assert!(
            of(&[
                "convert",
                "a.yaml",
                "-n",
                "shop",
                "--driver-name=net.example.com"
            ])
            .is_ok()
        );
    }
}
