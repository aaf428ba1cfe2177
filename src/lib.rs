//! SR-IOV networking for Kubernetes on Dynamic Resource Allocation.
//!
//! # The map
//!
//! ```text
//!  sysfs, netlink ─► host ─► inventory ─► pool ─► publish ─► ResourceSlices
//!                     ▲                              ▲ cluster
//!                     │ steps                        │
//!                   claim ◄─ wanted ◄─ kubelet ◄─ NodePrepareResources
//!                     │  └─► record ─► cdi, metadata
//!                   attach ◄─ nri ◄─ containerd, CRI-O
//! ```
//!
//! | room | knows |
//! |---|---|
//! | [`device`] | nouns without I/O |
//! | [`api`] | what users write and read |
//! | [`host`] | the kernel: one seam, the real one and a fake |
//! | [`inventory`] | which functions there are, and which the host itself uses |
//! | [`pool`] | config.json: which function belongs to which pool, with which defaults |
//! | [`policy`] | the Go DRA driver's policies: which device gets which attributes of the administrator's, and which pool |
//! | [`classes`] | pools → DeviceClasses, and what has to change in a cluster for them |
//! | [`convert`] | what users of the device plugin, its CNI plugin and Multus have → what they need here, and a report |
//! | [`publish`] | inventory → ResourceSlices, and the loop that keeps them so |
//! | [`claim`] | wanted, plan, record, engine: prepare, unprepare, recover |
//! | [`attach`] | a prepared netdev → pod, and back |
//! | [`cdi`], [`metadata`] | what a container sees |
//! | [`nri`], [`kubelet`], [`cluster`] | the three who talk to us |
//! | [`controller`] | keeps a DeviceClass per pool |
//! | [`explain`] | why a claim gets no device, from the API's objects |
//! | [`doctor`] | what a node lacks, and how to mend it |
//! | [`node`] | the agent: wires the rooms together |
//!
//! A room knows only those above it. Nobody but [`host`] names a netlink crate, nobody but [`cluster`] names `kube`,
//! nobody but [`kubelet`] names `tonic`.

pub mod api;
pub mod args;
pub mod attach;
pub mod cdi;
pub mod claim;
pub mod classes;
pub mod cli;
pub mod cluster;
pub mod controller;
pub mod convert;
pub mod deadline;
pub mod device;
pub mod doctor;
pub mod explain;
pub mod files;
pub mod host;
pub mod inventory;
pub mod kubelet;
pub mod metadata;
pub mod node;
pub mod nri;
pub mod paths;
pub mod policy;
pub mod pool;
pub mod publish;
pub mod telemetry;
