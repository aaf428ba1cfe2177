//! **Something outside** holds the namespace of a pod with a VLAN open when the pod ends, with a VLAN
//! on top of its interface, and goes on to send frames through both; once with a cable, once
//! without.
//!
//! **Must hold**: the kubelet is answered within two seconds, the VF comes back by itself, and no
//! frame of the tenant reaches the port's own network at any time, as one of a VF without a VLAN
//! does.

use std::{thread::sleep, time::Duration};

use anyhow::{Result, ensure};

use super::super::{
    Run, Scenario, VF_POD, n_link_down,
    y_release::{ANSWER, answered, is_as, start},
};
use crate::{
    device::Vf,
    eventually::{SOON, eventually},
    kube,
    lab::Lab,
    node::Node,
    pod::Pod,
    space::Space,
};

pub(in super::super) const SCENARIO: Scenario = Scenario {
    letter: 'K',
    title: "no untagged frame of a tenant whose namespace is held, with and without a cable",
    run: Run::Node(run),
};

fn run(_: &Lab, node: &Node, space: &Space) -> Result<()> {
    let vf = node.vf(1, 3)?;
    let sniffer = Sniffer::start(&vf)?;
    let result = untagged_is_seen(node, space, &sniffer)
        .and_then(|()| held(node, space, &vf, &sniffer, "on"))
        .and_then(|()| held(node, space, &vf, &sniffer, "off"));
    let result = result.and(n_link_down::cable(node, "on"));
    result.and(sniffer.stop())
}

/// Otherwise that none is seen of a tenant would say nothing.
fn untagged_is_seen(node: &Node, space: &Space, sniffer: &Sniffer) -> Result<()> {
    let vf = node.vf(1, 4)?;
    let before = vf.dump()?;
    let values = [
        ("class", "e2e-open"),
        ("selector", &*vf.selector()),
        ("config", "vlan: 0"),
    ];
    let pod = space.run(node, "untagged", VF_POD, &values)?;
    pod.ready()?;
    let sender = send(node, &pod, "untagged")?;
    let seen = eventually("frames of a VF without a VLAN", SOON, || {
        let seen = sniffer.count("untagged")?;
        ensure!(seen > 0, "none is seen");
        Ok(seen)
    });
    end(node, &sender)?;
    space.step(format!("{} frames of a VF without a VLAN are seen", seen?));
    pod.delete()?;
    is_as(&vf, &before)
}

fn held(node: &Node, space: &Space, vf: &Vf, sniffer: &Sniffer, cable: &str) -> Result<()> {
    let before = vf.dump()?;
    let name = format!("cable-{cable}");
    let pod = start(node, space, &name, "e2e-blue", vf)?;
    pod.ready()?;
    let vlan = "
        ip link add link net1 name net1.100 type vlan id 100
        ip link set dev net1.100 up
    ";
    pod.with_its_network(node, vlan)?;
    let uid = kube::text(&pod.claim()?.get()?, "/metadata/uid").to_owned();
    let sender = send(node, &pod, "tenant")?;
    let result = n_link_down::cable(node, cable)
        .and_then(|()| pod.delete())
        .and_then(|()| answered(node, &uid))
        .and_then(|ms| {
            ensure!(ms <= ANSWER, "the answer took {ms} ms");
            is_as(vf, &before)?;
            // What is under way arrives.
            sleep(Duration::from_secs(1));
            let seen = sniffer.count("tenant")?;
            ensure!(seen == 0, "{seen} frames of the tenant reached the port");
            space.step(format!(
                "cable {cable}: answered in {ms} ms, the VF is back, no frame is seen"
            ));
            Ok(())
        });
    result.and(end(node, &sender))
}

/// Something that sends frames with this word through net1 and what is on top of it, and holds the
/// pod's namespace: its process group.
fn send(node: &Node, pod: &Pod, word: &str) -> Result<String> {
    let script = r#"
        setsid nsenter -t "$1" -n perl -e '
          use Socket;
          my $word = shift;
          socket(my $s, 17, SOCK_RAW, 0) or die $!;
          for (;;) {
            for my $link (`ip -o link`) {
              $link =~ /^(\d+): net1.*link.ether (\S+)/ or next;
              my ($index, $own) = ($1, $2);
              $own = pack("H12", $own =~ s/://gr);
              my $to = pack("S n i S C C a8", 17, 0x88b5, $index, 1, 0, 6, "\xff" x 6);
              my $frame = "\xff" x 6 . $own . "\x88\xb5" . $word . "\0" x 46;
              send($s, $frame, 0, $to) for 1 .. 20;
            }
            select(undef, undef, undef, 0.05);
          }' "$2" >/dev/null 2>&1 &
        echo $!
    "#;
    let process = pod.process(node)?;
    Ok(node.exec(script, &[&process, word])?.trim().to_owned())
}

fn end(node: &Node, group: &str) -> Result<()> {
    node.exec("kill -KILL \"-$1\"", &[group]).map(drop)
}

/// What reads all frames that reach a port's netdev.
struct Sniffer {
    node: Node,
    group: String,
}

/// It has a line for each frame.
const SEEN: &str = "/run/e2e-frames";

impl Sniffer {
    fn start(vf: &Vf) -> Result<Self> {
        let script = r#"
            : >"$2"
            setsid perl -e '
              use Socket;
              socket(my $s, 17, SOCK_RAW, 0x0300) or die $!;
              my $at = pack("S n i S C C a8", 17, 3, shift, 0, 0, 0, "");
              bind($s, $at) or die $!;
              open(my $out, ">>", shift) or die $!;
              $out->autoflush(1);
              while (defined recv($s, my $frame, 2048, 0)) {
                print $out "$1\n" if $frame =~ /^.{12}\x88\xb5(\w+)/s;
              }' "$(cat "/sys/class/net/$1/ifindex")" "$2" >/dev/null 2>&1 &
            echo $!
        "#;
        let group = vf.node.exec(script, &[&vf.pf, SEEN])?;
        Ok(Self {
            node: vf.node.clone(),
            group: group.trim().to_owned(),
        })
    }

    fn count(&self, word: &str) -> Result<u64> {
        let script = "kill -0 \"-$1\" && grep -cx \"$2\" \"$3\" || [ $? = 1 ]";
        let count = self.node.exec(script, &[&self.group, word, SEEN])?;
        Ok(count.trim().parse()?)
    }

    fn stop(&self) -> Result<()> {
        end(&self.node, &self.group)?;
        self.node.exec("rm -f \"$1\"", &[SEEN]).map(drop)
    }
}
