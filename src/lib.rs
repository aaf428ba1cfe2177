//! SR-IOV networking for Kubernetes on Dynamic Resource Allocation.
//!
//! # The map
//!
//! ```text
//!  sysfs, netlink ─► host ─► inventory ─► pool ─► publish ─► ResourceSlices
//!                     ▲                              ▲ cluster
//!                     │ steps                        │
//!                   claim ◄─ wanted ◄─ kubelet ◄─ NodePrepareResources
//!                     │  └─► ledger ─► cdi, metadata
//!                   attach ◄─ nri ◄─ containerd, CRI-O
//! ```
//!
//! # Layers
//!
//! A module imports only modules above it in this table, also within a band, and `tests/layers.rs`
//! holds it to that. `docs/architecture.md` has the same order.
//!
//! | band | module | what it has |
//! |---|---|---|
//! | base | [`errors`] | the text of an error with its causes |
//! | | [`files`] | files that are whole or absent |
//! | | `go_json` | JSON as Go reads it: order, repetitions and cases of keys |
//! | | [`deadline`] | the time that a piece of work has |
//! | | [`paths`] | where things are on a host |
//! | model, pure | [`device`] | nouns without I/O |
//! | | [`api`] | what users write and read |
//! | | [`slice`](mod@slice) | ResourceSlices without I/O: devices, counters, taints |
//! | | [`pool`] | config.json: which function belongs to which pool, with which defaults |
//! | | [`resource_policy`] | the Go DRA driver's policies: which device gets which attributes of the administrator's, and which pool |
//! | | [`classes`] | pools → DeviceClasses, and what has to change in a cluster for them |
//! | | [`cdi`], [`metadata`] | what a container sees |
//! | | [`selector`] | CEL selectors of classes and claims, as the scheduler evaluates them |
//! | node, blocking | [`host`] | the kernel: one seam, the real one and a fake |
//! | | [`inventory`] | which functions there are, and which the host itself uses |
//! | | [`ledger`] | what was done on this node and for whom: records, and locks |
//! | | [`netdev`] | what a netdev was, moving it, and putting it back |
//! | | [`claim`] | wanted, plan, engine: prepare, unprepare, recover |
//! | | [`attach`] | a prepared netdev → pod, and back |
//! | | [`cni`] | the CNI plugin: its protocol, configurations and results |
//! | edges, async | [`kubelet`], [`nri`], [`cluster`] | the three peers: their protocols |
//! | | [`publish`] | inventory → ResourceSlices, and the loop that keeps them so |
//! | processes | [`args`] | flags and their environment variables |
//! | | [`telemetry`] | logs, metrics, readiness |
//! | | `cni_install` | the CNI plugin's file on the node |
//! | | [`node`] | the agent: wires the modules together |
//! | | [`controller`] | keeps a DeviceClass per pool |
//! | | [`explain`] | why a claim gets no device, from the API's objects |
//! | | [`convert`] | what users of the device plugin, its CNI plugin and Multus have → what they need here, and a report |
//! | | [`doctor`] | what a node lacks, and how to fix it |
//! | | [`cli`], `main.rs` | the subcommands |
//!
//! The first three bands need no feature of cargo, [`selector`] with its CEL excepted. That and the
//! rest come with the feature `agent`, and so do tokio, kube, tonic and clap: a binary without it
//! can prepare and attach, and knows nothing of a cluster.

pub mod api;
pub mod attach;
pub mod cdi;
pub mod claim;
pub mod classes;
pub mod cni;
pub mod deadline;
pub mod device;
pub mod errors;
pub mod files;
mod go_json;
pub mod host;
pub mod inventory;
pub mod ledger;
pub mod metadata;
pub mod netdev;
pub mod paths;
pub mod pool;
pub mod resource_policy;
pub mod slice;

#[cfg(feature = "agent")]
pub mod args;
#[cfg(feature = "agent")]
pub mod cli;
#[cfg(feature = "agent")]
pub mod cluster;
#[cfg(feature = "agent")]
mod cni_install;
#[cfg(feature = "agent")]
pub mod controller;
#[cfg(feature = "agent")]
pub mod convert;
#[cfg(feature = "agent")]
pub mod doctor;
#[cfg(feature = "agent")]
pub mod explain;
#[cfg(feature = "agent")]
pub mod kubelet;
#[cfg(feature = "agent")]
pub mod node;
#[cfg(feature = "agent")]
pub mod nri;
#[cfg(feature = "agent")]
pub mod publish;
#[cfg(feature = "agent")]
pub mod selector;
#[cfg(feature = "agent")]
pub mod telemetry;
