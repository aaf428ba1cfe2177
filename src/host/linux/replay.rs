//! A recorded host, read as this kernel is read.

use std::{io, path::Path};

use super::Linux;
use crate::{
    device::Function,
    host::{Kernel, Recording},
};

impl Recording {
    /// The recorded sysfs, written below a directory, and a kernel that discovers it there.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn unpack(&self, dir: &Path) -> io::Result<Linux> {
        self.sysfs.unpack(dir)?;
        Ok(Linux::recorded(dir.to_owned(), self.genl.clone()))
    }

    /// Its functions: as discovery reads the recorded sysfs; as recorded when there is none.
    ///
    /// # Errors
    /// No temporary directory can be written.
    pub fn functions(&self) -> io::Result<Vec<Function>> {
        if self.sysfs.is_empty() {
            return Ok(self
                .functions
                .iter()
                .map(|observed| observed.function.clone())
                .collect());
        }
        let dir = tempfile::tempdir()?;
        self.unpack(dir.path())?
            .functions()
            .map_err(io::Error::other)
    }
}
