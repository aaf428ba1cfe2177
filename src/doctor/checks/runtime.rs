//! CDI and NRI in the container runtime.

use super::{error, finding, ok, unknown, warning};
use crate::doctor::{Facts, Finding, Kind, Runtime, Verdict};

pub(super) fn cdi(facts: &Facts) -> Vec<Finding> {
    const CHECK: &str = "CDI";
    let Some(runtime) = &facts.runtime else {
        return unknown(CHECK, "no container runtime configuration found");
    };
    if let Some(finding) = fault(CHECK, runtime) {
        return finding;
    }
    let name = service(runtime);
    let enable = format!(
        "set enable_cdi = true in {} and restart {name}",
        section(runtime, "cri")
    );
    match runtime.settings.cdi.or(runtime.kind.default()) {
        Some(false) if runtime.settings.cdi.is_some() => {
            error(CHECK, format!("disabled in {}", runtime.file), enable)
        }
        Some(false) => error(
            CHECK,
            format!(
                "not enabled in {}: disabled by default in containerd 1.7",
                runtime.file
            ),
            enable,
        ),
        None => warning(
            CHECK,
            format!(
                "not enabled in {}: disabled by default in containerd 1.7, enabled in 2; its version is unknown",
                runtime.file
            ),
            enable,
        ),
        Some(true) => directory(CHECK, facts, runtime),
    }
}

/// The runtime must read the directory that the agent writes to.
fn directory(check: &'static str, facts: &Facts, runtime: &Runtime) -> Vec<Finding> {
    let name = service(runtime);
    let Runtime { settings, file, .. } = runtime;
    // /var/run is a link to /run.
    let same = |dir: &str| dir.trim_end_matches('/').replace("/var/run", "/run");
    match &settings.cdi_dirs {
        Some(dirs) if !dirs.iter().any(|dir| same(dir) == same(&facts.cdi)) => error(
            check,
            format!(
                "{file} has cdi_spec_dirs {}, without {}",
                dirs.join(", "),
                facts.cdi
            ),
            format!(
                "add {} to cdi_spec_dirs and restart {name}, or set --cdi-root (agent.cdiRoot) to one of them",
                facts.cdi
            ),
        ),
        _ if settings.cdi.is_some() => ok(check, format!("enabled in {file}")),
        _ => ok(
            check,
            format!("enabled by default in {}", version(runtime.kind)),
        ),
    }
}

fn version(kind: Kind) -> String {
    match kind {
        Kind::Containerd(Some(major)) => format!("containerd {major}"),
        other => other.name().to_owned(),
    }
}

pub(super) fn nri(facts: &Facts) -> Vec<Finding> {
    const CHECK: &str = "NRI";
    let Some(exists) = facts.nri else {
        return unknown(CHECK, "cannot read /run");
    };
    if exists {
        return ok(CHECK, "socket found");
    }
    let socket = &facts.nri_socket;
    let found = format!("socket {socket} not found: netdevs cannot be attached to pods");
    error(CHECK, found, remedy(facts, socket))
}

/// What to do where there is no socket.
fn remedy(facts: &Facts, socket: &str) -> String {
    let Some(runtime) = &facts.runtime else {
        return "enable NRI in the container runtime: containerd 1.7 needs disable = false, in CRI-O 1.30 it is enabled by default".to_owned();
    };
    let (settings, name) = (&runtime.settings, service(runtime));
    let is_enabled = settings.nri.or(runtime.kind.default()) == Some(true);
    let enable = match runtime.kind {
        Kind::Containerd(_) => format!("set disable = false in {}", section(runtime, "nri")),
        Kind::Crio => {
            "set enable_nri = true in [crio.nri] of a file in /etc/crio/crio.conf.d".to_owned()
        }
    };
    match &settings.nri_socket {
        Some(other) if is_enabled && other != socket => {
            format!(
                "set --nri-socket (agent.nriSocket) to {other}, as in {}",
                runtime.file
            )
        }
        _ if is_enabled => {
            let kind = runtime.kind.name();
            format!("NRI is enabled in {kind}: restart {name}, and see its log")
        }
        _ => format!("{enable} and restart {name}"),
    }
}

/// The table of containerd's configuration that has the setting.
fn section(runtime: &Runtime, plugin: &str) -> String {
    let table = match plugin {
        "nri" => "io.containerd.nri.v1.nri",
        _ if runtime.version == Some(3) => "io.containerd.cri.v1.runtime",
        _ => "io.containerd.grpc.v1.cri",
    };
    // k3s and RKE2 generate the file from a template.
    let file = match (&runtime.file, runtime.version) {
        (file, _) if !file.contains("/rancher/") => file.clone(),
        (file, Some(3)) => format!(
            "{}, a copy of the file",
            file.replace("config.toml", "config-v3.toml.tmpl")
        ),
        (file, _) => format!("{file}.tmpl, a copy of the file"),
    };
    format!("[plugins.\"{table}\"] of {file}")
}

/// What has to be restarted.
fn service(runtime: &Runtime) -> &'static str {
    match &runtime.file {
        file if file.contains("/rancher/k3s/") => "k3s",
        file if file.contains("/rancher/rke2/") => "rke2",
        _ => runtime.kind.name(),
    }
}

fn fault(check: &'static str, runtime: &Runtime) -> Option<Vec<Finding>> {
    let fault = runtime.settings.faults.first()?;
    let found = format!(
        "cannot parse the configuration of {}: {fault}",
        runtime.kind.name()
    );
    Some(finding(check, Verdict::Unknown, found, "correct the file"))
}
