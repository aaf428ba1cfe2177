//! The scenarios, one a file. Each says what the user does and what must hold; [`table`] says where
//! each of them runs.

mod a_install;
mod b_vlan_pods;
mod c_nothing_stays;
mod d_vfio;
mod e_extended_resource;
mod f_all_taken;
mod g_killed_at_every_step;
mod h_agent_away_at_the_hook;
mod host;
mod i_restarts;
mod j_refusals;
mod k_vfs_removed;
mod l_containerd_restart;
mod m_uninstall;
mod multus;
mod n_link_down;
mod o_port_or_vfs;
mod p_pools;
mod q_recorded_hosts;
mod r_selectors;
mod s_old_server;
mod t_policies;
mod table;
mod u_wrong_pod;
mod v_pinned_elsewhere;
mod w_one_writer;
mod x_rights;
mod y_release;
mod z_multus;

use anyhow::Result;

use crate::{kube, lab::Lab, log::Log, node::Node, space::Space};
pub(crate) use table::{LIMIT, Place, Slot, TABLE};

/// A pod with one VF by a claim template.
pub(crate) const VF_POD: &str = include_str!("../../manifests/vf-pod.yaml");
/// A selector: whichever VF comes first.
pub(crate) const ANY: &str = "true";

/// What a user does, and what must hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    /// By which `--only` names it.
    pub(crate) letter: char,
    /// What must hold, in a line.
    pub(crate) title: &'static str,
    /// Does and checks it all; what it changes of the lab, it changes back.
    pub(crate) run: Run,
}

/// What a scenario runs on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Run {
    /// The whole lab. Its pods are on these nodes, as far as the scenario does not need both.
    Lab(fn(&Lab, &[Node], &Log) -> Result<()>),
    /// One node, in a namespace of its own; another scenario may be on the other node meanwhile.
    Node(fn(&Lab, &Node, &Space) -> Result<()>),
}

/// The DeviceClasses that an administrator would create for these users.
pub(crate) fn apply_classes() -> Result<()> {
    kube::apply("default", include_str!("../../manifests/classes.yaml"))?
        .ok("classes.yaml")
        .map(drop)
}
