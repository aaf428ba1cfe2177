//! Lab scenarios of sriov-dra.
fn main() {}
