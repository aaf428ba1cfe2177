//! What the runtime reports, and who decides.

use crate::{
    attach::{ContainerView, Sandbox},
    deadline::Deadline,
};

/// Who decides. All of these block and are called on threads of their own; two calls may run at once (after a
/// reconnect, or when two agents serve during an update).
///
/// An error's text is what a person reads in the pod's events.
pub trait Hooks: Send + Sync {
    /// The sandbox has its network; containers do not run yet. Repeated calls for a sandbox are success.
    ///
    /// Past `deadline` the runtime is answered that all is well and this goes on: what it has not done by then,
    /// [`Hooks::create_container`] must wait for.
    ///
    /// # Errors
    /// The sandbox is torn down and the kubelet makes another one later; past the deadline it is logged, and nobody else hears of it.
    fn run(&self, sandbox: &Sandbox, deadline: Deadline) -> Result<(), String>;

    /// All containers have ended; the network namespace still lives (containerd) or does not (CRI-O).
    fn stop(&self, sandbox: &Sandbox);

    /// The sandbox is gone.
    fn remove(&self, sandbox: &Sandbox);

    /// A container of the sandbox is about to be created.
    ///
    /// # Errors
    /// The container is not created; the kubelet tries again later.
    fn create_container(
        &self,
        sandbox: &Sandbox,
        container: &ContainerView,
        deadline: Deadline,
    ) -> Result<(), String>;

    /// A container of the sandbox was refused; told when the runtime has its answer, so it may take its time. What a hook
    /// has missed comes now: a sandbox that was being made while the runtime had given up on us is in no list, and no other
    /// call tells of it.
    fn refused(&self, sandbox: &Sandbox);

    /// Ids of the sandboxes that something is held for. Asked after each connect, before the runtime goes on: a sandbox
    /// that begins later is not among them.
    fn holding(&self) -> Vec<String>;

    /// All sandboxes that the runtime has, after each connect, and those of [`Hooks::holding`] that it has no more. Called
    /// when the runtime has its answer, so it may take its time.
    fn synchronize(&self, living: Vec<Sandbox>, lost: Vec<String>);
}
