//! CRI-O's configuration: a file and its drop-ins.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::{HostPaths, runtime::Settings, toml_file};

/// Where all files are.
pub(super) const DIR: &str = "/etc/crio";
/// The main file.
const FILE: &str = "/etc/crio/crio.conf";
/// Drop-ins, in the order of their names. OpenShift has all of its settings there.
const DROP_INS: &str = "/etc/crio/crio.conf.d";

/// The settings of all files.
pub(super) fn settings(paths: &HostPaths) -> Settings {
    let drop_ins = paths.names(DROP_INS).unwrap_or_default().into_iter();
    let drop_ins = drop_ins.map(|name| Path::new(DROP_INS).join(name));
    let mut settings = Settings::default();
    for file in [PathBuf::from(FILE)].into_iter().chain(drop_ins) {
        match toml_file::read(paths, &file) {
            Some(Ok(table)) => settings.merge(of_table(&table)),
            Some(Err(fault)) => settings.faults.push(fault),
            None => {}
        }
    }
    settings
}

fn of_table(table: &Table) -> Settings {
    Settings {
        cdi: None,
        cdi_dirs: toml_file::texts(table, &["crio", "runtime", "cdi_spec_dirs"]),
        nri: toml_file::at(table, &["crio", "nri", "enable_nri"]).and_then(Value::as_bool),
        nri_socket: toml_file::text(table, &["crio", "nri", "nri_listen"]),
        faults: Vec::new(),
    }
}
