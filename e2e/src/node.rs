//! A guest node: commands in it, its services, its restart.

use anyhow::{Result, ensure};

use crate::{
    command::{self, Answer},
    device::{self, Pf, Vf},
    eventually::{SLOWER, eventually},
    guest,
};

/// One of the lab's two nodes. node1 runs containerd 1.7, node2 containerd 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    /// 1 or 2.
    pub(crate) number: u8,
    /// Its name in the cluster.
    pub(crate) name: String,
    address: String,
}

impl Node {
    pub(crate) fn new(number: u8, lab_address: &str) -> Self {
        Self {
            number,
            name: format!("node{number}"),
            address: format!("{lab_address}{number}"),
        }
    }

    /// What a shell script, run as root in the guest, answers.
    pub(crate) fn answer(&self, script: &str, args: &[&str]) -> Result<Answer> {
        let words: Vec<&str> = ["sh", "-euc", script, "sh"]
            .into_iter()
            .chain(args.iter().copied())
            .collect();
        guest::answer(&self.address, &words, b"")
    }

    /// Runs a shell script as root in the guest and wants success; `$1`… are the arguments.
    pub(crate) fn exec(&self, script: &str, args: &[&str]) -> Result<String> {
        self.answer(script, args)?
            .ok(&format!("on {}: {}", self.name, script.trim()))
    }

    /// Puts a small file on the node.
    pub(crate) fn write(&self, path: &str, text: &str) -> Result<()> {
        self.feed("cat >\"$1\"", &[path], text.as_bytes())
    }

    /// Runs a shell script as root in the guest with this standard input and wants success.
    pub(crate) fn feed(&self, script: &str, args: &[&str], input: &[u8]) -> Result<()> {
        let words = [&["sh", "-euc", script, "sh"], args].concat();
        guest::answer(&self.address, &words, input)?
            .ok(&format!("on {}: {}", self.name, script.trim()))
            .map(drop)
    }

    /// Whether there is such a file.
    pub(crate) fn has(&self, path: &str) -> Result<bool> {
        Ok(self.answer("test -e \"$1\"", &[path])?.code == 0)
    }

    /// Its SR-IOV ports, by PCI address.
    pub(crate) fn pfs(&self) -> Result<Vec<Pf>> {
        device::pfs(self)
    }

    /// A VF by port (from 0) and index.
    pub(crate) fn vf(&self, port: usize, index: u32) -> Result<Vf> {
        device::vf(self, port, index)
    }

    /// Waits until what its system does after its start, or after a change of its ports, is done.
    pub(crate) fn is_at_rest(&self) -> Result<()> {
        device::reported(self)
    }

    /// Restarts a service and waits until systemd says that it runs.
    pub(crate) fn restart(&self, service: &str) -> Result<()> {
        self.exec("systemctl restart \"$1\"", &[service])?;
        eventually(&format!("{service} runs on {}", self.name), SLOWER, || {
            self.exec("systemctl is-active \"$1\"", &[service])
                .map(drop)
        })
    }

    /// A command of its machine's monitor, such as `set_link igb2 off`.
    pub(crate) fn monitor(&self, command: &str) -> Result<()> {
        let words = ["monitor", &self.number.to_string(), command];
        command::run("lab", &words, "").map(drop)
    }

    /// Restarts the guest and waits until its node is Ready.
    pub(crate) fn reboot(&self) -> Result<()> {
        let before = self.boot()?;
        command::run("lab", &["reboot", &self.number.to_string()], "")?;
        ensure!(self.boot()? != before, "{} has not restarted", self.name);
        self.is_at_rest()
    }

    fn boot(&self) -> Result<String> {
        self.exec("cat /proc/sys/kernel/random/boot_id", &[])
    }
}
