//! Where each scenario runs, for how long, and why there.
//!
//! The table's order is that of the run: a scenario that runs alone is a phase of its own, those
//! between two of them are one phase, in which each node has a queue and what needs no node has a
//! third, all at once.
//!
//! The two nodes differ in the container runtime: node1 has containerd 1.7, node2 containerd 2.
//! What depends on its dialect (the NRI hooks, the refusal of a container, restarts) runs on both,
//! and so does whatever guards one tenant from another. All else is the same code on the same
//! kernel and kubelet, and runs on one.
//!
//! A run of CI has [`LIMIT`] minutes for all of it. A new scenario states its minutes; if they do
//! not fit, it moves another one to `e2e/test --full` by [`Slot::full_only`].

use super::{
    Scenario, a_install, b_vlan_pods, c_nothing_stays, d_vfio, e_extended_resource, f_all_taken,
    g_killed_at_every_step, h_agent_away_at_the_hook, host, i_restarts, j_refusals, k_vfs_removed,
    l_containerd_restart, m_uninstall, multus, n_link_down, o_port_or_vfs, p_pools,
    q_recorded_hosts, r_selectors, s_old_server, t_policies, u_wrong_pod, v_pinned_elsewhere,
    w_one_writer, x_rights, y_release, z_multus,
};

/// Minutes for the scenarios of a run of CI, from the first to the last.
pub(crate) const LIMIT: f64 = 28.0;

/// Beside what a scenario may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Nothing: it changes what all others rely on.
    Alone,
    /// What runs on the other node, and what is native.
    Queue,
    /// Both queues: it needs the control plane, and no guest.
    Native,
    /// It needs a lab with another control plane.
    OtherLab,
}

/// A scenario's place in the run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    pub(crate) scenario: Scenario,
    pub(crate) place: Place,
    /// Numbers of the nodes that it uses in CI. With `--full` whatever uses one uses both.
    pub(crate) nodes: &'static [u8],
    /// Minutes in CI, on 2 cores that nothing else uses, on each of its nodes.
    pub(crate) minutes: f64,
    /// Why it is there.
    pub(crate) why: &'static str,
    /// It guards a tenant from another, or the host from a crash: in every run, on both nodes.
    pub(crate) safety: bool,
    /// Not in CI, only with `--full`.
    pub(crate) full_only: bool,
    /// It configures the release itself, and needs no particular configuration to begin with.
    pub(crate) own_release: bool,
}

const BOTH: &[u8] = &[1, 2];
const NODE1: &[u8] = &[1];
const NODE2: &[u8] = &[2];

impl Slot {
    const fn new(scenario: Scenario, place: Place, nodes: &'static [u8], minutes: f64) -> Self {
        Self {
            scenario,
            place,
            nodes,
            minutes,
            why: "",
            safety: false,
            full_only: false,
            own_release: false,
        }
    }

    const fn alone(scenario: Scenario, nodes: &'static [u8], minutes: f64) -> Self {
        Self::new(scenario, Place::Alone, nodes, minutes)
    }

    const fn queue(scenario: Scenario, nodes: &'static [u8], minutes: f64) -> Self {
        Self::new(scenario, Place::Queue, nodes, minutes)
    }

    const fn because(self, why: &'static str) -> Self {
        Self { why, ..self }
    }

    const fn safety(self) -> Self {
        Self {
            safety: true,
            ..self
        }
    }

    const fn full_only(self) -> Self {
        Self {
            full_only: true,
            ..self
        }
    }

    const fn own_release(self) -> Self {
        Self {
            own_release: true,
            ..self
        }
    }
}

/// All scenarios, in the order of the run.
pub(crate) const TABLE: &[Slot] = &[
    Slot::alone(a_install::SCENARIO, BOTH, 0.6)
        .own_release()
        .because("installs the release"),
    Slot::queue(c_nothing_stays::SCENARIO, BOTH, 2.2)
        .safety()
        .because("isolation: what a tenant left behind"),
    Slot::queue(b_vlan_pods::SCENARIO, BOTH, 2.3)
        .safety()
        .because("isolation by VLAN; attach and metadata in either runtime"),
    Slot::queue(h_agent_away_at_the_hook::SCENARIO, BOTH, 1.5)
        .safety()
        .because("a crash at the hook: the runtimes refuse containers differently"),
    Slot::queue(j_refusals::SCENARIO, BOTH, 1.0)
        .safety()
        .because("refusals: nothing on the host changes"),
    Slot::queue(u_wrong_pod::SCENARIO, BOTH, 0.8)
        .safety()
        .because("a pod never gets another pod's netdev: the hook's refusal"),
    Slot::queue(y_release::SCENARIO, NODE1, 1.9)
        .because("releases: the kernel's and the engine's; scenario c guards tenants on both"),
    Slot::queue(f_all_taken::SCENARIO, NODE1, 1.5)
        .because("allocation by the scheduler, prepare by the kubelet"),
    Slot::queue(d_vfio::SCENARIO, NODE1, 1.1)
        .because("drivers and device nodes: the kernel's and CDI's"),
    Slot::queue(o_port_or_vfs::SCENARIO, NODE2, 1.9).because("counters: the scheduler's"),
    Slot::queue(k_vfs_removed::SCENARIO, NODE2, 1.2).because("discovery and records: the kernel's"),
    Slot::queue(e_extended_resource::SCENARIO, NODE2, 0.8)
        .because("the claim is made by the scheduler"),
    Slot::queue(n_link_down::SCENARIO, NODE2, 0.6).because("taints: published, not attached"),
    Slot::new(q_recorded_hosts::SCENARIO, Place::Native, &[], 1.2)
        .because("API server and scheduler, nodes without a machine"),
    Slot::new(r_selectors::SCENARIO, Place::Native, &[], 1.3)
        .because("API server and scheduler, nodes without a machine"),
    Slot::new(x_rights::SCENARIO, Place::Native, &[], 0.3)
        .because("API server and admission policies: the agents' pods give their tokens"),
    Slot::alone(v_pinned_elsewhere::SCENARIO, BOTH, 0.7)
        .safety()
        .because("a device of one node never goes to a pod on another: needs both nodes at rest"),
    Slot::alone(l_containerd_restart::SCENARIO, BOTH, 1.6)
        .because("restarts the runtimes, which differ"),
    Slot::alone(i_restarts::SCENARIO, BOTH, 5.6)
        .because("restarts kubelets, agents and nodes; upgrades the release"),
    Slot::alone(host::i_no_acs::SCENARIO, BOTH, 1.5)
        .full_only()
        .because("plugs a card into the guest"),
    Slot::alone(host::j_hung_claim::SCENARIO, BOTH, 1.5)
        .full_only()
        .because("kills the agent"),
    Slot::alone(host::k_untagged::SCENARIO, BOTH, 2.0)
        .full_only()
        .because("takes the cable of a port; scenario y guards the release in every run"),
    Slot::alone(g_killed_at_every_step::SCENARIO, BOTH, 10.0)
        .full_only()
        .own_release()
        .because("upgrades to another image; takes too long for every run"),
    Slot::alone(w_one_writer::SCENARIO, NODE1, 4.5)
        .full_only()
        .own_release()
        .because("upgrades the release twice, and waits for what must not happen; one Node anew"),
    Slot::alone(p_pools::SCENARIO, NODE1, 2.0)
        .own_release()
        .because("configures the release for both nodes; pods on one"),
    Slot::alone(t_policies::SCENARIO, NODE2, 1.2)
        .own_release()
        .because("configures the release for both nodes; pods on one"),
    Slot::alone(z_multus::SCENARIO, BOTH, 3.0)
        .full_only()
        .own_release()
        .because("puts Multus into the runtimes, which call it differently"),
    Slot::alone(host::l_ipam::SCENARIO, BOTH, 2.0)
        .full_only()
        .own_release()
        .because("configures the release; IPAM plugins of the nodes"),
    Slot::alone(multus::a_settings::SCENARIO, BOTH, 3.5)
        .full_only()
        .own_release()
        .because("configures the release and the runtimes' networks; the PF's settings"),
    Slot::alone(multus::b_ipam::SCENARIO, BOTH, 3.5)
        .full_only()
        .own_release()
        .because("as A; one range for both nodes, and the control loop's minute"),
    Slot::alone(multus::c_chains::SCENARIO, BOTH, 3.5)
        .full_only()
        .own_release()
        .because("as A; other plugins' results"),
    Slot::alone(multus::d_dpdk::SCENARIO, BOTH, 2.5)
        .full_only()
        .own_release()
        .because("as A; changes drivers"),
    Slot::alone(multus::e_which_device::SCENARIO, BOTH, 2.5)
        .full_only()
        .own_release()
        .because("as A; Multus' ids, and the kubelet's of a claim"),
    Slot::alone(multus::f_many::SCENARIO, BOTH, 3.0)
        .full_only()
        .own_release()
        .because("as A; all VFs of a port at once"),
    Slot::alone(multus::g_multus_away::SCENARIO, BOTH, 3.0)
        .full_only()
        .own_release()
        .because("as A; takes Multus from the nodes"),
    Slot::alone(multus::h_without_nri::SCENARIO, BOTH, 3.5)
        .full_only()
        .own_release()
        .because("as A; restarts the runtimes"),
    Slot::alone(m_uninstall::SCENARIO, BOTH, 2.2)
        .own_release()
        .because("uninstalls the release"),
    Slot::new(s_old_server::SCENARIO, Place::OtherLab, BOTH, 4.7)
        .full_only()
        .because("lab up --kubernetes 1.34"),
];

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use super::*;

    /// First letters of the scenarios' files.
    fn initials(dir: &str) -> BTreeSet<char> {
        let dir = format!("{}{dir}", env!("CARGO_MANIFEST_DIR"));
        fs::read_dir(dir)
            .expect("the scenarios")
            .filter_map(|entry| {
                let name = entry.expect("an entry").file_name();
                let name = name.to_string_lossy().into_owned();
                (name.as_bytes().get(1) == Some(&b'_')).then(|| name.chars().next())?
            })
            .collect()
    }

    #[test]
    fn every_scenario_is_in_the_table_once() {
        // In a directory: upper case.
        let mut files = initials("/src/scenarios");
        for dir in ["multus", "host"] {
            let upper = initials(&format!("/src/scenarios/{dir}"));
            files.extend(upper.iter().map(char::to_ascii_uppercase));
        }
        let rows: Vec<char> = TABLE.iter().map(|slot| slot.scenario.letter).collect();
        assert_eq!(rows.len(), files.len());
        assert_eq!(rows.into_iter().collect::<BTreeSet<_>>(), files);
    }

    #[test]
    fn safety_is_in_every_run_on_both_nodes() {
        for slot in TABLE.iter().filter(|slot| slot.safety) {
            assert_eq!((slot.nodes, slot.full_only), (BOTH, false), "{slot:?}");
        }
    }

    #[test]
    fn every_row_says_why() {
        assert!(TABLE.iter().all(|slot| !slot.why.is_empty()));
    }
}
