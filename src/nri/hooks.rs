//! The trait that handles the runtime's events.

use crate::{
    attach::{ContainerView, Sandbox},
    deadline::Deadline,
};

/// Variables of a container: name and value.
pub type Variables = Vec<(String, String)>;

/// Handles events. All of these block and are called on threads of their own; two calls may run
/// concurrently (after a reconnect, or when two agents serve during an update).
///
/// Error messages appear in the pod's events.
pub trait Hooks: Send + Sync {
    /// The sandbox has its network; no container has started yet. A repeated call for a sandbox
    /// succeeds.
    ///
    /// After `deadline` the runtime gets a success response and this continues in the background:
    /// [`Hooks::create_container`] must wait for what is not done by then.
    ///
    /// # Errors
    /// The sandbox is torn down and the kubelet creates another one later; after the deadline the
    /// error is only logged.
    fn run(&self, sandbox: &Sandbox, deadline: Deadline) -> Result<(), String>;

    /// All containers have exited; the network namespace still exists (containerd) or no longer
    /// does (CRI-O).
    fn stop(&self, sandbox: &Sandbox);

    /// The sandbox has been removed.
    fn remove(&self, sandbox: &Sandbox);

    /// A container of the sandbox is about to be created. Returns variables that it gets, by name,
    /// in place of those that it has.
    ///
    /// # Errors
    /// The container is not created; the kubelet retries later.
    fn create_container(
        &self,
        sandbox: &Sandbox,
        container: &ContainerView,
        deadline: Deadline,
    ) -> Result<Variables, String>;

    /// The creation of a container of the sandbox was refused; called after the response has been
    /// sent, so it may take its time. It repeats hooks that were missed: a sandbox that was created
    /// while this plugin was disconnected is in no Synchronize and gets no other call.
    fn refused(&self, sandbox: &Sandbox);

    /// Ids of the sandboxes that have devices attached. Called after each connect, before the
    /// response to Synchronize: a sandbox that starts later is not included.
    fn holding(&self) -> Vec<String>;

    /// All sandboxes of the runtime, after each connect, and those of [`Hooks::holding`] that no
    /// longer exist. Called after the response has been sent, so it may take its time.
    fn synchronize(&self, living: Vec<Sandbox>, lost: Vec<String>);
}
