//! The runtime's hooks, for whoever attaches. What fails is reported to users too.

use super::{env_turn::EnvTurn, status::Reports};
use crate::{
    attach::{Attacher, ContainerView, Sandbox},
    deadline::Deadline,
    nri::{Hooks, Variables},
};

/// Attaches, and reports failures.
pub(super) struct ReportingHooks {
    pub(super) attacher: Attacher,
    pub(super) reports: Reports,
    pub(super) env: EnvTurn,
}

impl ReportingHooks {
    fn reported(&self, sandbox: &Sandbox, result: Result<(), String>) -> Result<(), String> {
        if let Err(text) = &result {
            self.reports.attach_failed(sandbox, text);
        }
        result
    }
}

impl Hooks for ReportingHooks {
    fn run(&self, sandbox: &Sandbox, deadline: Deadline) -> Result<(), String> {
        self.reported(sandbox, self.attacher.run(sandbox, deadline))
    }

    fn stop(&self, sandbox: &Sandbox) {
        self.attacher.stop(sandbox);
    }

    fn remove(&self, sandbox: &Sandbox) {
        self.attacher.remove(sandbox);
    }

    fn create_container(
        &self,
        sandbox: &Sandbox,
        container: &ContainerView,
        deadline: Deadline,
    ) -> Result<Variables, String> {
        let result = self.attacher.create_container(sandbox, container, deadline);
        self.reported(sandbox, result)?;
        let variables = self.attacher.environment(container);
        match variables.is_empty() || !self.env.is_own() {
            true => Ok(Vec::new()),
            false => Ok(variables),
        }
    }

    fn refused(&self, sandbox: &Sandbox) {
        self.attacher.refused(sandbox);
    }

    fn holding(&self) -> Vec<String> {
        self.attacher.holding()
    }

    fn synchronize(&self, living: Vec<Sandbox>, lost: Vec<String>) {
        self.attacher.synchronize(living, lost);
    }
}
