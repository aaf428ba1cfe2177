//! Paths of the sockets, and the removal of stale ones.
//!
//! **The registration socket has an `@` in its name.** The kubelet's plugin watcher dials it
//! without an authority (`operation_generator.go`, `dial`), and grpc-go then sends the escaped path
//! as `:authority` (`%2Fvar%2Flib%2F…`). `h2` resets such a stream with PROTOCOL_ERROR
//! (hyperium/h2#487), since `%` is invalid in a host; the userinfo before an `@` may contain it
//! (RFC 3986 §3.2.1), and grpc-go does not escape `@`. The DRA socket is dialled as `unix:…`, whose
//! authority is `localhost`.

use std::{
    fs, io,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
};

use tokio::net::UnixListener;

use super::KubeletError;
use crate::files;

/// `sun_path` has 108 bytes, with the NUL that ends it.
const MAX_PATH: usize = 107;

/// Both sockets of one instance of the driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sockets {
    pub(super) dra: PathBuf,
    pub(super) registration: PathBuf,
}

impl Sockets {
    /// Uses the first name that is short enough, for both. Instances of one driver (a rolling
    /// update) have different names; an empty `instance` means that there is only one.
    pub(super) fn choose(root: &Path, driver: &str, instance: &str) -> Result<Self, KubeletError> {
        let short = format!(
            "{:016x}",
            fnv(&[driver.as_bytes(), &[0], instance.as_bytes()].concat())
        );
        let (plugins, registry) = (
            root.join("plugins").join(driver),
            root.join("plugins_registry"),
        );
        if instance.is_empty() {
            return Ok(Self {
                dra: fitting(&plugins, &["dra.sock".into()])?,
                registration: fitting(
                    &registry,
                    &[
                        format!("{driver}@reg.sock"),
                        format!("dra-{short}@reg.sock"),
                    ],
                )?,
            });
        }
        Ok(Self {
            dra: fitting(
                &plugins,
                &[format!("dra-{instance}.sock"), format!("dra-{short}.sock")],
            )?,
            registration: fitting(
                &registry,
                &[
                    format!("{driver}-{instance}@reg.sock"),
                    format!("{driver}-{short}@reg.sock"),
                    format!("dra-{short}@reg.sock"),
                ],
            )?,
        })
    }

    /// Removes this driver's sockets on which no process listens: the kubelet would retry them
    /// forever.
    pub(super) fn remove_stale(&self, driver: &str) {
        let (single, prefix) = (format!("{driver}@reg.sock"), format!("{driver}-"));
        remove_stale(&self.registration, |name| {
            name == single || name.starts_with(&prefix) && name.ends_with("reg.sock")
        });
        remove_stale(&self.dra, |name| {
            name.starts_with("dra") && name.ends_with(".sock")
        });
    }
}

fn fitting(dir: &Path, names: &[String]) -> Result<PathBuf, KubeletError> {
    let paths: Vec<PathBuf> = names.iter().map(|name| dir.join(name)).collect();
    let fits = |path: &&PathBuf| path.as_os_str().len() <= MAX_PATH;
    paths
        .iter()
        .find(fits)
        .cloned()
        .ok_or_else(|| KubeletError::TooLong(dir.to_owned()))
}

/// FNV-1a: the names must be the same in every build, which `std::hash` does not guarantee.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn remove_stale(socket: &Path, is_ours: impl Fn(&str) -> bool) {
    let Some(entries) = socket.parent().and_then(|dir| fs::read_dir(dir).ok()) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        let ours = path
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(&is_ours);
        if ours && is_stale(&path) {
            match files::remove(&path) {
                Ok(()) => {
                    tracing::info!(socket = %path.display(), "removed a stale socket")
                }
                Err(error) => {
                    tracing::warn!(socket = %path.display(), %error, "cannot remove a stale socket")
                }
            }
        }
    }
}

fn is_stale(path: &Path) -> bool {
    matches!(UnixStream::connect(path), Err(error) if error.kind() == io::ErrorKind::ConnectionRefused)
}

/// Listens; a stale socket at the path is removed, one in use is an error.
pub(super) fn listen(path: &Path) -> Result<UnixListener, KubeletError> {
    let failed = |error| KubeletError::Io(path.to_owned(), error);
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).map_err(failed)?;
    }
    if is_stale(path) {
        files::remove(path).map_err(failed)?;
    }
    match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            Err(KubeletError::InUse(path.to_owned()))
        }
        bound => bound.map_err(failed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UID: &str = "5f0c7f0e-8e6f-4a44-9d3b-7f2f6a5f4f3e";

    fn name(path: &Path) -> &str {
        path.file_name().unwrap().to_str().unwrap()
    }

    #[test]
    fn the_longest_name_that_fits_is_used() {
        let plain = Sockets::choose(Path::new("/var/lib/kubelet"), "sriov-dra.io", UID).unwrap();
        assert_eq!(
            plain.dra,
            Path::new(&format!(
                "/var/lib/kubelet/plugins/sriov-dra.io/dra-{UID}.sock"
            ))
        );
        assert_eq!(
            name(&plain.registration),
            format!("sriov-dra.io-{UID}@reg.sock")
        );
        let deep = format!("/{}", "k".repeat(50));
        let deep = Sockets::choose(Path::new(&deep), "sriov-dra.io", UID).unwrap();
        assert!(
            name(&deep.registration).starts_with("sriov-dra.io-")
                && !name(&deep.registration).contains(UID)
        );
        let deeper = format!("/{}", "k".repeat(58));
        let deeper = Sockets::choose(Path::new(&deeper), "sriov-dra.io", UID).unwrap();
        assert!(name(&deeper.registration).starts_with("dra-"));
        let other = Sockets::choose(Path::new("/k"), "sriov-dra.io", "other").unwrap();
        assert_ne!(
            other.dra,
            Sockets::choose(Path::new("/k"), "sriov-dra.io", UID)
                .unwrap()
                .dra
        );
    }

    /// What grpc-go sends as `:authority` for a path: `encodeAuthority` in its `clientconn.go`.
    fn authority(path: &Path) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.~!$&'()*+,;=:[]@".contains(c);
        let escape = |c: char| {
            if plain(c) {
                c.to_string()
            } else {
                format!("%{:02X}", u32::from(c))
            }
        };
        path.to_str().unwrap().chars().map(escape).collect()
    }

    #[test]
    fn the_kubelets_authority_is_valid_for_the_server() {
        type Authority = tonic::codegen::http::uri::Authority;
        assert!(
            authority(Path::new("/var/lib/kubelet/reg.sock"))
                .parse::<Authority>()
                .is_err(),
            "without the @ it is invalid"
        );
        for (length, instance) in [(1, UID), (1, ""), (50, UID), (58, UID), (58, "")] {
            let sockets = Sockets::choose(
                Path::new(&format!("/{}", "k".repeat(length))),
                "sriov-dra.io",
                instance,
            );
            let authority = authority(&sockets.unwrap().registration);
            assert!(authority.parse::<Authority>().is_ok(), "{authority}");
        }
    }

    #[test]
    fn every_path_fits_or_is_an_error() {
        for length in 1..110 {
            match Sockets::choose(
                Path::new(&format!("/{}", "k".repeat(length))),
                "sriov-dra.io",
                UID,
            ) {
                Ok(sockets) => {
                    assert!(
                        [&sockets.dra, &sockets.registration]
                            .iter()
                            .all(|path| path.as_os_str().len() <= 107)
                    );
                }
                Err(error) => {
                    assert!(length > 50 && error.to_string().contains("shorter kubelet root"))
                }
            }
        }
    }

    #[tokio::test]
    async fn a_stale_socket_is_replaced_and_one_in_use_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/dra.sock");
        drop(listen(&path).unwrap());
        assert!(path.exists());
        let alive = listen(&path).unwrap();
        assert!(matches!(listen(&path), Err(KubeletError::InUse(_))));
        drop(alive);
    }

    #[tokio::test]
    async fn only_stale_sockets_of_this_driver_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        let sockets = Sockets::choose(dir.path(), "sriov-dra.io", "new").unwrap();
        let registry = dir.path().join("plugins_registry");
        let dead = registry.join("sriov-dra.io-old-reg.sock");
        drop(listen(&dead).unwrap());
        drop(listen(&registry.join("other.io-old-reg.sock")).unwrap());
        let _alive = listen(&registry.join("sriov-dra.io-alive-reg.sock")).unwrap();
        // A child process that another test spawns at this moment has a copy of the listener until
        // it calls execve(2).
        let swept =
            crate::deadline::Deadline::after(std::time::Duration::from_secs(10)).poll(|| {
                sockets.remove_stale("sriov-dra.io");
                io::Result::Ok((!dead.exists()).then_some(()))
            });
        assert_eq!(swept.unwrap(), Some(()));
        let left: std::collections::BTreeSet<_> = fs::read_dir(&registry)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(
            left,
            ["other.io-old-reg.sock", "sriov-dra.io-alive-reg.sock"]
                .map(String::from)
                .into()
        );
    }
}
