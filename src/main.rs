//! `sriov-dra`: subcommands, nothing else.

fn main() {}
