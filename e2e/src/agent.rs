//! The driver's process on a node, to be killed, frozen and watched.

use anyhow::{Result, ensure};

use crate::{
    eventually::{SLOW, eventually},
    node::Node,
    release,
};

impl Node {
    /// Numbers of the agent's processes; usually one, none while the kubelet starts it again.
    pub(crate) fn agents(&self) -> Result<Vec<u32>> {
        let answer = self.answer("pgrep -f '^/sriov-dra node'", &[])?;
        Ok(answer
            .out
            .split_whitespace()
            .filter_map(|pid| pid.parse().ok())
            .collect())
    }

    /// Sends the agent a signal: `KILL`, `STOP`, `CONT`.
    pub(crate) fn signal_agent(&self, signal: &str) -> Result<()> {
        self.exec("pkill -\"$1\" -f '^/sriov-dra node'", &[signal])
            .map(drop)
    }

    /// Waits until another process than these is there, and ready.
    pub(crate) fn agent_is_back(&self, before: &[u32]) -> Result<()> {
        eventually(&format!("a new agent runs on {}", self.name), SLOW, || {
            let now = self.agents()?;
            ensure!(
                now.iter().any(|pid| !before.contains(pid)),
                "agents {now:?}, before {before:?}"
            );
            Ok(())
        })?;
        release::agent_is_ready(&self.name)
    }

    /// Waits until the runtime has created a network namespace that was not there before, and in
    /// the same instant sends the agent a signal: the kubelet has Prepare's answer by then, and the
    /// hook is still to come.
    ///
    /// All in one script in the guest, since a look from outside would come too late. Ends at once
    /// when `/run/e2e-go` goes; it is there before the namespace can be.
    pub(crate) fn signal_agent_before_the_hook(&self, signal: &str) -> Result<()> {
        let script = r#"
            before=$(ls /var/run/netns)
            touch /run/e2e-armed
            while [ -e /run/e2e-armed ]; do
              if [ "$(ls /var/run/netns)" != "$before" ]; then
                pkill -"$1" -f '^/sriov-dra node'
                rm /run/e2e-armed
                exit 0
              fi
            done
            exit 3
        "#;
        self.exec(script, &[signal]).map(drop)
    }

    /// Waits until [`Self::signal_agent_before_the_hook`] looks.
    pub(crate) fn is_armed(&self) -> Result<()> {
        eventually("the trap is set", SLOW, || {
            ensure!(self.has("/run/e2e-armed")?, "it is not");
            Ok(())
        })
    }

    /// Removes the trap.
    pub(crate) fn disarm(&self) -> Result<()> {
        self.exec("rm -f /run/e2e-armed", &[]).map(drop)
    }

    /// Names of the files that the agent keeps for claims: records, CDI specs, metadata.
    pub(crate) fn claim_files(&self) -> Result<Vec<String>> {
        let script = "find /run/sriov-dra/claims /run/sriov-dra/attached /var/run/cdi -type f 2>/dev/null || true";
        Ok(self.exec(script, &[])?.lines().map(str::to_owned).collect())
    }

    /// No claim is prepared and nothing of one is left.
    pub(crate) fn holds_no_claim(&self) -> Result<()> {
        eventually(
            &format!("no file of a claim is left on {}", self.name),
            SLOW,
            || {
                let files = self.claim_files()?;
                ensure!(files.is_empty(), "{files:?}");
                Ok(())
            },
        )
    }
}
