//! The runtime's hooks, for whoever attaches.

use crate::{
    attach::{Attacher, ContainerView, Sandbox},
    deadline::Deadline,
    nri::Hooks,
};

impl Hooks for Attacher {
    fn run(&self, sandbox: &Sandbox, deadline: Deadline) -> Result<(), String> {
        Self::run(self, sandbox, deadline)
    }

    fn stop(&self, sandbox: &Sandbox) {
        Self::stop(self, sandbox);
    }

    fn remove(&self, sandbox: &Sandbox) {
        Self::remove(self, sandbox);
    }

    fn create_container(
        &self,
        sandbox: &Sandbox,
        container: &ContainerView,
        deadline: Deadline,
    ) -> Result<(), String> {
        Self::create_container(self, sandbox, container, deadline)
    }

    fn refused(&self, sandbox: &Sandbox) {
        Self::refused(self, sandbox);
    }

    fn holding(&self) -> Vec<String> {
        Self::holding(self)
    }

    fn synchronize(&self, living: Vec<Sandbox>, lost: Vec<String>) {
        Self::synchronize(self, living, lost);
    }
}
