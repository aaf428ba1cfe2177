//! Driver binding: unbind, override, bind; and the number of VFs of a PF.

use std::{io, path::Path};

use super::{
    functions,
    sysfs::{self, Sysfs},
};
use crate::{
    deadline::Deadline,
    device::{Bdf, Binding},
    host::{ErrorKind, HostError, Result},
};

/// Sets `driver_override` and driver; waits until sysfs shows it.
pub(super) fn set(sysfs: &Sysfs, bdf: &Bdf, wanted: &Binding, deadline: Deadline) -> Result<()> {
    let (dir, _) = sysfs.present(bdf)?;
    let present = functions::binding(&dir);
    if let Some(driver) = wanted
        .driver
        .as_deref()
        .filter(|_| present.driver != wanted.driver)
    {
        loaded(sysfs, bdf, driver)?;
    }
    if present.driver_override != wanted.driver_override {
        set_override(sysfs, bdf, wanted.driver_override.as_deref())?;
    }
    if present.driver == wanted.driver {
        return Ok(());
    }
    unbind(sysfs, bdf, deadline)?;
    wanted
        .driver
        .as_deref()
        .map_or(Ok(()), |driver| bind(sysfs, bdf, driver, deadline))
}

/// Unbinds the driver. Succeeds when there is none.
pub(super) fn unbind(sysfs: &Sysfs, bdf: &Bdf, deadline: Deadline) -> Result<()> {
    let (dir, _) = sysfs.present(bdf)?;
    let Some(driver) = functions::binding(&dir).driver else {
        return Ok(());
    };
    let outcome = sysfs::write(&dir.join("driver/unbind"), &bdf.to_string());
    settled(&dir, None, outcome, deadline).map_err(|error| {
        HostError::new(sysfs.subject(bdf), format!("unbind driver {driver}"), error)
    })
}

/// Binds a driver. Succeeds when the kernel has bound it by itself in the meantime
/// (`drivers_autoprobe`).
pub(super) fn bind(sysfs: &Sysfs, bdf: &Bdf, driver: &str, deadline: Deadline) -> Result<()> {
    loaded(sysfs, bdf, driver)?;
    let outcome = sysfs::write(&sysfs.driver(driver).join("bind"), &bdf.to_string());
    settled(&sysfs.device(bdf), Some(driver), outcome, deadline)
        .map_err(|error| HostError::new(sysfs.subject(bdf), format!("bind driver {driver}"), error))
}

/// Unbinds whatever is bound, and binds this driver.
pub(super) fn rebind(sysfs: &Sysfs, bdf: &Bdf, wanted: &Binding, deadline: Deadline) -> Result<()> {
    let (dir, _) = sysfs.present(bdf)?;
    let driver = wanted
        .driver
        .as_deref()
        .ok_or_else(|| no_driver(&sysfs.subject(bdf)))?;
    loaded(sysfs, bdf, driver)?;
    unbind(sysfs, bdf, deadline)?;
    if functions::binding(&dir).driver_override != wanted.driver_override {
        set_override(sysfs, bdf, wanted.driver_override.as_deref())?;
    }
    bind(sysfs, bdf, driver, deadline)
}

/// [`rebind`] for a sub-function, whose driver is on the auxiliary bus.
pub(super) fn rebind_sub_function(dir: &Path, subject: &str, deadline: Deadline) -> Result<()> {
    let driver = functions::binding(dir)
        .driver
        .ok_or_else(|| no_driver(subject))?;
    let failed = |op: &'static str| move |error| HostError::new(subject, op, error);
    let place = dir
        .join("driver")
        .canonicalize()
        .map_err(failed("look up driver"))?;
    let name = dir
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let unbound = sysfs::write(&place.join("unbind"), name);
    settled(dir, None, unbound, deadline).map_err(failed("unbind driver"))?;
    let bound = sysfs::write(&place.join("bind"), name);
    settled(dir, Some(&driver), bound, deadline).map_err(failed("bind driver"))
}

fn no_driver(subject: &str) -> HostError {
    HostError::of_kind(ErrorKind::Gone, subject, "rebind", "has no driver")
}

/// Sets `sriov_numvfs`. The kernel changes a nonzero count to 0 only (EBUSY otherwise,
/// `sriov_numvfs_store` in `drivers/pci/iov.c`). More VFs than the PF supports are rejected first,
/// before the change to 0 removes the existing ones.
pub(super) fn set_num_vfs(sysfs: &Sysfs, pf: &Bdf, count: u32) -> Result<()> {
    let (dir, _) = sysfs.present(pf)?;
    let op = || format!("set sriov_numvfs {count}");
    let total = sysfs::parse(&dir, "sriov_totalvfs").unwrap_or(0);
    if count > total {
        let text = format!("supports at most {total} VFs");
        return Err(HostError::of_kind(
            ErrorKind::Invalid,
            format!("pf {pf}"),
            op(),
            &text,
        ));
    }
    let present: u32 = sysfs::parse(&dir, "sriov_numvfs").unwrap_or(0);
    let counts = [0, count];
    let needed = match present {
        _ if present == count => &[][..],
        0 => &counts[1..],
        _ if count == 0 => &counts[..1],
        _ => &counts[..],
    };
    let file = dir.join("sriov_numvfs");
    needed
        .iter()
        .try_for_each(|count| sysfs::write(&file, &count.to_string()))
        .map_err(|error| HostError::new(format!("pf {pf}"), op(), error))
}

fn set_override(sysfs: &Sysfs, bdf: &Bdf, driver: Option<&str>) -> Result<()> {
    // A lone newline clears the override (`driver_set_override` in `drivers/base/driver.c`).
    let value = format!("{}\n", driver.unwrap_or_default());
    sysfs::write(&sysfs.device(bdf).join("driver_override"), &value).map_err(|error| {
        HostError::new(
            sysfs.subject(bdf),
            format!("set driver_override {}", driver.unwrap_or("none")),
            error,
        )
    })
}

fn loaded(sysfs: &Sysfs, bdf: &Bdf, driver: &str) -> Result<()> {
    if sysfs.driver(driver).is_dir() {
        return Ok(());
    }
    let text =
        format!("driver is not loaded: no /sys/bus/pci/drivers/{driver}, run modprobe {driver}");
    Err(HostError::of_kind(
        ErrorKind::Invalid,
        sysfs.subject(bdf),
        format!("bind driver {driver}"),
        &text,
    ))
}

/// Waits until the driver is the wanted one. A failed write is the error, unless the state is
/// reached anyway.
fn settled(
    dir: &Path,
    wanted: Option<&str>,
    outcome: io::Result<()>,
    deadline: Deadline,
) -> io::Result<()> {
    let is_reached = || functions::binding(dir).driver.as_deref() == wanted;
    match outcome {
        Err(_) if is_reached() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => match deadline.poll(|| Ok::<_, io::Error>(is_reached().then_some(())))? {
            Some(()) => Ok(()),
            None => Err(io::ErrorKind::TimedOut.into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use super::*;
    use crate::host::linux::test_sysfs::TestSysfs;

    fn igb() -> (TestSysfs, Bdf) {
        let tree = TestSysfs::new();
        tree.igb();
        (tree, "0000:01:10.2".parse().unwrap())
    }

    fn soon() -> Deadline {
        Deadline::after(Duration::from_millis(20))
    }

    #[test]
    fn nothing_is_written_when_the_driver_is_already_bound() {
        let (tree, vf) = igb();
        let present = functions::binding(&tree.sysfs().device(&vf));
        set(&tree.sysfs(), &vf, &present, soon()).unwrap();
        assert!(!tree.sysfs().driver("igbvf").join("bind").exists());
    }

    #[test]
    fn a_driver_that_is_not_loaded_is_reported_before_any_write() {
        let (tree, vf) = igb();
        let wanted = Binding {
            driver: Some("vfio-pci".into()),
            driver_override: Some("vfio-pci".into()),
        };
        let error = set(&tree.sysfs(), &vf, &wanted, soon()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "vf 0000:01:10.2: bind driver vfio-pci: driver is not loaded: \
             no /sys/bus/pci/drivers/vfio-pci, run modprobe vfio-pci"
        );
        assert_eq!(
            functions::binding(&tree.sysfs().device(&vf))
                .driver_override
                .as_deref(),
            Some("igbvf")
        );
    }

    #[test]
    fn an_unbind_that_never_completes_ends_at_the_deadline() {
        let (tree, vf) = igb();
        let driver = tree.sysfs().driver("igbvf");
        tree.file(&driver, "unbind", "");
        let dir = tree.sysfs().device(&vf);
        fs::remove_file(dir.join("driver")).unwrap();
        std::os::unix::fs::symlink(&driver, dir.join("driver")).unwrap();
        let error = unbind(&tree.sysfs(), &vf, soon()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
        assert!(
            fs::read_to_string(driver.join("unbind"))
                .unwrap()
                .starts_with("0000:01:10.2")
        );
    }

    #[test]
    fn the_number_of_vfs_is_not_written_when_it_is_unchanged() {
        let (tree, _) = igb();
        let pf = "0000:01:00.0".parse().unwrap();
        let file = tree.sysfs().device(&pf).join("sriov_numvfs");
        set_num_vfs(&tree.sysfs(), &pf, 2).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "2\n");
        set_num_vfs(&tree.sysfs(), &pf, 4).unwrap();
        assert!(fs::read_to_string(&file).unwrap().starts_with('4'));
        let many = set_num_vfs(&tree.sysfs(), &pf, 8).unwrap_err();
        assert_eq!(
            many.to_string(),
            "pf 0000:01:00.0: set sriov_numvfs 8: supports at most 7 VFs"
        );
        assert!(
            fs::read_to_string(&file).unwrap().starts_with('4'),
            "not written"
        );
        let absent = set_num_vfs(&tree.sysfs(), &"0000:09:00.0".parse().unwrap(), 1).unwrap_err();
        assert_eq!(absent.kind(), ErrorKind::Gone);
    }
}
