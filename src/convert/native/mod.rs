//! Claims in place of networks and limits, if asked for: settings of networks become classes, and
//! addresses templates.

mod cni;
mod defaults;
mod delegation;
mod edit;
mod fields;
mod ipam;
mod network;
mod objects;
mod plan;
mod pods;
mod selection;
mod settings;

pub(super) use network::Network;
