//! Calls that nobody would make: none panics, and each is read or refused with a code.
//!
//! `SRIOV_DRA_CNI_INPUTS` is how many; without it 10,000.

use super::calls::call;
use crate::cni::{Request, protocol::Version};

const VALID: [&str; 4] = [
    r#"{"cniVersion":"1.0.0","name":"n","type":"sriov","deviceID":"0000:3b:02.1","vlan":100,"vlanQoS":3,"vlanProto":"802.1ad","mac":"02:00:00:00:00:01","min_tx_rate":1,"max_tx_rate":2,"spoofchk":"on","trust":"off","link_state":"auto","logLevel":"debug","ipam":{"type":"host-local","subnet":"10.0.0.0/24"},"dns":{"nameservers":["10.0.0.1"]},"capabilities":{"mac":true},"runtimeConfig":{"mac":"02:00:00:00:00:02","ips":["10.0.0.2/24"]}}"#,
    r#"{"cniVersion":"1.1.0","name":"n","type":"ib-sriov","deviceID":"0000:3b:02.1","pkey":"0x8001","link_state":"enable","rdmaIsolation":true,"ibKubernetesEnabled":true,"args":{"cni":{"guid":"00:02:c9:03:00:00:10:01","mellanox.infiniband.app":"configured"}},"cni.dev/valid-attachments":[{"containerID":"c1","ifname":"net1"}]}"#,
    r#"{"cniVersion":"0.4.0","name":"n","type":"sriov","prevResult":{"cniVersion":"0.4.0","interfaces":[{"name":"eth0","mac":"02:00:00:00:00:03","sandbox":"/run/netns/x"}],"ips":[{"version":"4","interface":0,"address":"10.0.0.2/24","gateway":"10.0.0.1"}],"routes":[{"dst":"0.0.0.0/0","gw":"10.0.0.1"}],"dns":{"search":["a"]}}}"#,
    r#"{"name":"n","type":"sriov","vlan":null,"ipam":{"type":"static"},"prevResult":{"ip4":{"ip":"10.0.0.2/24","routes":[{"dst":"0.0.0.0/0"}]}}}"#,
];
const PIECES: [&str; 32] = [
    "null",
    "true",
    "-1",
    "4095",
    "9223372036854775808",
    "1e400",
    "0.5",
    "\"\"",
    "{}",
    "[]",
    "[{}]",
    "\"on\"",
    "\"../x\"",
    "\"vlan\":",
    "\"VLAN\":",
    "\"mac\":",
    "\"ipam\":",
    "\"prevResult\":",
    "\"cniVersion\":",
    "\"0.2.0\"",
    "\"1.1.0\"",
    "\"ips\":",
    "\"address\":",
    "\"interface\":",
    ",",
    ":",
    "\\u0000",
    "\\ud800",
    "\u{17f}",
    "\u{212a}",
    "[[[[[[[[",
    "}",
];
const COMMANDS: [&str; 6] = ["ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION"];

/// xorshift: the same inputs in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % end.max(1)
    }

    fn mutated(&mut self) -> String {
        let mut text = VALID[self.below(VALID.len())].as_bytes().to_vec();
        for _ in 0..self.below(6) {
            self.change(&mut text);
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    fn change(&mut self, text: &mut Vec<u8>) {
        let (from, length) = (self.below(text.len()), self.below(12));
        let to = text.len().min(from + length);
        match self.below(5) {
            0 => drop(text.drain(from..to)),
            1 => text.truncate(from),
            2 => {
                let piece = PIECES[self.below(PIECES.len())].bytes();
                drop(text.splice(from..to, piece));
            }
            3 => {
                let copy = text[from..to].to_vec();
                let at = self.below(text.len());
                drop(text.splice(at..at, copy));
            }
            _ => {
                if let Some(byte) = text.get_mut(from) {
                    *byte = u8::try_from(self.below(256)).unwrap_or_default();
                }
            }
        }
    }
}

#[test]
fn no_input_is_read_wrongly() {
    let count = std::env::var("SRIOV_DRA_CNI_INPUTS").ok();
    let count: u64 = count.map_or(10_000, |count| count.parse().expect("a number"));
    let mut random = Random(0x5eed);
    let (mut read, mut refused) = (0_u64, 0_u64);
    for _ in 0..count {
        let stdin = random.mutated();
        let args = [
            "",
            "IgnoreUnknown=1;K8S_POD_UID=u;MAC=02:00:00:00:00:01",
            "MAC=x",
            "x",
        ];
        let (command, args) = (COMMANDS[random.below(6)], args[random.below(4)]);
        match call(command, args, &stdin) {
            Ok(request) => {
                read += 1;
                holds(&request, &stdin);
            }
            Err(error) => {
                refused += 1;
                let code = error.error.code.0;
                assert!([1, 2, 4, 6, 7, 11].contains(&code), "{code} {stdin}");
                assert!(serde_json::from_str::<serde_json::Value>(&error.to_json()).is_ok());
            }
        }
    }
    eprintln!("{count} inputs: {read} read, {refused} refused");
    assert!(read > count / 20 && refused > count / 20);
}

/// What a call that was read says of itself.
fn holds(request: &Request, stdin: &str) {
    let Request::Add(add) = request else {
        return;
    };
    assert!(!add.network.name.is_empty() && !add.netns().as_os_str().is_empty());
    let result = add.network.previous.clone().unwrap_or_default();
    for version in [Version::V031, Version::V110] {
        let written = result.to_value(version).expect(stdin);
        let back = crate::cni::result::CniResult::read("x", written.clone()).expect(stdin);
        assert_eq!(back.to_value(version).expect(stdin), written, "{stdin}");
    }
}
