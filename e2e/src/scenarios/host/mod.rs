//! Scenarios about what a host may be like, and what it offers. Their letters are upper case, and those of their files.

pub(super) mod i_no_acs;
pub(super) mod j_hung_claim;
pub(super) mod k_untagged;
pub(super) mod l_ipam;
