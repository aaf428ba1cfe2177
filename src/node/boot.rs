//! Records die with the boot that they describe.
//!
//! The state directory is meant to be a tmpfs. Where it is not, a file with the boot's id says
//! whether the records are of this boot; those of an earlier one are removed, since the kernel has
//! forgotten all that they describe.

use std::{fs, io, path::Path};

use crate::{files, paths::Paths};

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Records {
    /// They are of this boot.
    Current,
    /// They were of an earlier one and are gone.
    Dropped,
}

/// Makes the state directory, and sure that what it holds is of this boot.
pub(super) fn guard(paths: &Paths) -> io::Result<Records> {
    fs::create_dir_all(paths.records())?;
    if files::in_memory(&paths.run)? {
        return Ok(Records::Current);
    }
    let boot = fs::read_to_string(paths.proc.join("sys/kernel/random/boot_id"))?;
    by_boot_id(paths, boot.trim())
}

fn by_boot_id(paths: &Paths, boot: &str) -> io::Result<Records> {
    let mark = paths.run.join("boot_id");
    let known = fs::read_to_string(&mark).unwrap_or_default();
    if known == boot {
        return Ok(Records::Current);
    }
    let dirs = [
        paths.records(),
        paths.attached(),
        paths.attachments(),
        paths.ports(),
        paths.notes(),
    ];
    dirs.iter().try_for_each(|dir| remove_dir(dir))?;
    fs::create_dir_all(paths.records())?;
    fs::create_dir_all(paths.attached())?;
    files::write_durable(&mark, boot.as_bytes(), 0o600)?;
    Ok(Records::Dropped)
}

fn remove_dir(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_another_boot_are_dropped_and_those_of_this_one_kept() {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::below(dir.path());
        let record = paths.records().join("uid.json");
        let port = paths.ports().join("0000:3b:00.0.json");
        // The inode of a device's directory, which a note names, may be the same again.
        let note = paths.notes().join("0000-02-10-0.json");
        let all = [&record, &port, &note];
        let write = || {
            for file in all {
                files::write_atomic(file, b"{}", 0o600).unwrap();
            }
        };
        let are_there = || all.map(|file| file.exists());
        write();
        assert_eq!(by_boot_id(&paths, "first").unwrap(), Records::Dropped);
        assert_eq!(are_there(), [false; 3]);
        write();
        assert_eq!(by_boot_id(&paths, "first").unwrap(), Records::Current);
        assert_eq!(are_there(), [true; 3]);
        assert_eq!(by_boot_id(&paths, "second").unwrap(), Records::Dropped);
        assert_eq!(are_there(), [false; 3]);
    }
}
