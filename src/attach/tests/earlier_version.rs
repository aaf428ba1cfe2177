//! Attachments that commit bc885c8 wrote down (`e2e/fixtures/state-v1`) are known and ended by
//! today's code.

use std::{fs, path::Path};

use super::bench::Bench;
use crate::{device::LinkSetting, host::Kernel};

const RUN: &str = "node/run/sriov-dra";
const RECORD: &str = "claims/netdev+0000-02-10-0.json";
const GATE: &str = "attached/netdev/nic0.json";

/// A node as that commit left it: the netdev of VF 0 in a pod, its record and, if it is there, its
/// start gate.
fn node(mode: &str) -> Bench {
    let bench = Bench::new();
    let pod = bench.fake.add_netns(Path::new("/var/run/netns/pod"));
    let (vf, host) = (Bench::vf(0), bench.host());
    let name = "net7".parse().unwrap();
    bench.fake.move_link(&vf, &host, &pod, &name).unwrap();
    for setting in [LinkSetting::Mtu(9000), LinkSetting::Up(true)] {
        bench.fake.set_link(&vf, &pod, &setting).unwrap();
    }
    let from = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("e2e/fixtures/state-v1")
        .join(mode);
    for file in [RECORD, GATE] {
        let to = bench.paths.run.join(file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        let copied = fs::copy(from.join(RUN).join(file), to);
        assert!(copied.is_ok() || file == GATE, "{file}");
    }
    bench
}

#[test]
fn an_earlier_versions_attachment_is_ended() {
    for mode in ["netdev-attached", "netdev-attaching"] {
        let bench = node(mode);
        let gate = bench.paths.run.join(GATE);
        assert_eq!(gate.exists(), mode == "netdev-attached");
        let attacher = bench.attacher();
        assert_eq!(attacher.holding(), ["sandbox-1"], "{mode}");
        attacher.synchronize(vec![], attacher.holding());
        assert!(attacher.holding().is_empty(), "{mode}");
        assert!(!gate.exists(), "{mode}");
        let link = bench.link(0, &bench.host()).expect(mode);
        let rest = (link.state.name.as_str(), link.state.mtu, link.state.up);
        assert_eq!(rest, ("enp1s0f0v0", 1500, false), "{mode}");
        assert_eq!(link.addresses, [], "{mode}");
    }
}
