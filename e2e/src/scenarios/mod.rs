//! The scenarios, one a file. Each says what the user does and what must hold.

mod a_install;
mod b_vlan_pods;
mod c_nothing_stays;
mod d_vfio;
mod e_extended_resource;
mod f_all_taken;
mod g_killed_at_every_step;
mod h_agent_away_at_the_hook;
mod i_restarts;
mod j_refusals;
mod k_vfs_removed;
mod l_containerd_restart;
mod m_uninstall;
mod n_link_down;
mod o_port_or_vfs;
mod p_pools;
mod q_recorded_hosts;
mod r_selectors;
mod s_old_server;
mod t_policies;

use anyhow::Result;

use crate::{kube, lab::Lab, log::Log};

/// A pod with one VF by a claim template.
pub(crate) const VF_POD: &str = include_str!("../../manifests/vf-pod.yaml");
/// A selector: whichever VF comes first.
pub(crate) const ANY: &str = "true";

/// What a user does, and what must hold.
pub(crate) struct Scenario {
    /// By which `--only` names it.
    pub(crate) letter: char,
    /// What must hold, in a line.
    pub(crate) title: &'static str,
    /// Does and checks it all; what it changes of the lab, it changes back.
    pub(crate) run: fn(&Lab, &Log) -> Result<()>,
}

/// In the order in which they run: the installation first, its end last.
pub(crate) fn all() -> Vec<Scenario> {
    vec![
        a_install::SCENARIO,
        b_vlan_pods::SCENARIO,
        c_nothing_stays::SCENARIO,
        d_vfio::SCENARIO,
        e_extended_resource::SCENARIO,
        f_all_taken::SCENARIO,
        g_killed_at_every_step::SCENARIO,
        h_agent_away_at_the_hook::SCENARIO,
        i_restarts::SCENARIO,
        j_refusals::SCENARIO,
        k_vfs_removed::SCENARIO,
        l_containerd_restart::SCENARIO,
        n_link_down::SCENARIO,
        o_port_or_vfs::SCENARIO,
        p_pools::SCENARIO,
        q_recorded_hosts::SCENARIO,
        r_selectors::SCENARIO,
        s_old_server::SCENARIO,
        t_policies::SCENARIO,
        m_uninstall::SCENARIO,
    ]
}

/// Scenarios that CI runs, all of which have been seen to pass. The others take too long for every run and are run by
/// `--only`. The README's table says the same.
const PROVED: &str = "abcdefhijklmnopqrt";

impl Scenario {
    /// Whether it is among those that are run when nobody names any.
    pub(crate) fn is_proved(&self) -> bool {
        PROVED.contains(self.letter)
    }
}

/// The DeviceClasses that an administrator would create for these users.
pub(crate) fn apply_classes() -> Result<()> {
    kube::apply("default", include_str!("../../manifests/classes.yaml"))?
        .ok("classes.yaml")
        .map(drop)
}
