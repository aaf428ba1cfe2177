//! The modes of `e2e/fixtures/state-v1`, each a node again: files, and a fake kernel on which the
//! earlier version's writes are done again. Its README says what is in which file.

use std::path::PathBuf;

use serde::Deserialize;

use super::*;
use crate::{
    device::{Bdf, Binding, IfName, LinkSetting, VfAddress, VfSetting},
    host::{Kernel, Netns, Recording},
};

/// What may differ of each function, by its name in slices; null: it is not there.
type States = BTreeMap<String, Value>;

/// One mode.
pub(super) struct Fixture {
    pub(super) name: String,
    dir: PathBuf,
    made: Made,
}

/// `made.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Made {
    #[serde(rename = "what")]
    _what: String,
    host: String,
    setup: Vec<Write>,
    claim: AllocatedClaim,
    pools: Option<String>,
    answer: Option<Vec<PreparedDevice>>,
    writes: Vec<Write>,
    now: States,
    after: States,
}

/// A write to the kernel. Namespaces are `host` and `pod`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum Write {
    SetNumVfs {
        pf: Bdf,
        count: u32,
    },
    SetDriver {
        device: DeviceId,
        binding: Binding,
    },
    Rebind {
        device: DeviceId,
    },
    SetVf {
        vf: VfAddress,
        setting: VfSetting,
    },
    SetLink {
        device: DeviceId,
        netns: String,
        setting: LinkSetting,
    },
    MoveLink {
        device: DeviceId,
        from: String,
        to: String,
        name: IfName,
    },
}

/// A node, and what it was before the claim.
pub(super) struct Node {
    pub(super) world: World,
    pub(super) published: BTreeMap<String, Attribute>,
    before: States,
    before_in_full: String,
}

pub(super) fn all() -> Vec<Fixture> {
    let modes = fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut dirs: Vec<PathBuf> = modes.filter(|dir| dir.join("made.json").exists()).collect();
    dirs.sort();
    assert!(dirs.len() > 20, "{}", dirs.len());
    dirs.into_iter().map(Fixture::read).collect()
}

/// Those of which the kubelet had its answer.
pub(super) fn standing() -> Vec<Fixture> {
    all()
        .into_iter()
        .filter(|fixture| fixture.made.answer.is_some())
        .collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/fixtures/state-v1")
}

impl Fixture {
    fn read(dir: PathBuf) -> Self {
        let name = dir.file_name().unwrap().to_str().unwrap().to_owned();
        let mut made = json(&dir.join("made.json"));
        // Which driver was not written down.
        for device in made["claim"]["devices"]
            .as_array_mut()
            .into_iter()
            .flatten()
        {
            device["driver"] = DRIVER.into();
        }
        let made = serde_json::from_value(made).unwrap_or_else(|error| panic!("{name}: {error}"));
        Self { name, dir, made }
    }

    pub(super) fn claim(&self) -> &AllocatedClaim {
        &self.made.claim
    }

    pub(super) fn answer(&self) -> Option<&Vec<PreparedDevice>> {
        self.made.answer.as_ref()
    }

    pub(super) fn record_text(&self) -> String {
        let files = below(&self.dir.join("node/run/sriov-dra/claims"));
        fs::read_to_string(&files[0]).unwrap()
    }

    /// Records, CDI specs and documents by path, as the earlier version wrote them.
    pub(super) fn texts(&self) -> BTreeMap<String, String> {
        texts(&self.dir.join("node"))
    }

    /// Whether a netdev was set to the MAC that its PF has for it: that version took it for the
    /// administrator's, and today's does only with a note.
    pub(super) fn has_unclear_mac(&self) -> bool {
        let sets_mac = |write: &Write| {
            matches!(
                write,
                Write::SetLink {
                    setting: LinkSetting::Mac(_),
                    ..
                }
            )
        };
        self.made.setup.iter().any(sets_mac)
    }

    /// The node before the claim.
    pub(super) fn free_node(&self) -> Node {
        let host = json(
            &root()
                .join("hosts")
                .join(format!("{}.json", self.made.host)),
        );
        let fake = Fake::new(&serde_json::from_value::<Recording>(host).unwrap());
        // The first namespace of a fake has always the same inode, which attachments have.
        drop(fake.add_netns(Path::new(POD)));
        self.made.setup.iter().for_each(|write| write.on(&fake));
        let pools = self.made.pools.as_ref();
        let pools = pools.map_or(PoolDefaults::Known(BTreeMap::new()), |text| {
            super::super::extras::pools(&fake, text)
        });
        let (before, before_in_full) = (states(&fake), fake.dump());
        let record: Value = serde_json::from_str(&self.record_text()).unwrap();
        let published = record["devices"][0].get("published").cloned();
        Node {
            world: World {
                pools,
                ..World::with(fake)
            },
            published: serde_json::from_value(published.unwrap_or_else(|| json!({}))).unwrap(),
            before,
            before_in_full,
        }
    }

    /// The node as the earlier version left it.
    pub(super) fn node(&self) -> Node {
        let node = self.free_node();
        self.made
            .writes
            .iter()
            .for_each(|write| write.on(&node.world.fake));
        self.is_held(&node);
        let from = self.dir.join("node");
        for file in below(&from) {
            let to = node
                .world
                .dir
                .path()
                .join(Path::new(&file).strip_prefix(&from).unwrap());
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(file, to).unwrap();
        }
        node
    }

    /// The kernel is as the earlier version had left its own.
    pub(super) fn is_held(&self, node: &Node) {
        let now = changed(&states(&node.world.fake), &node.before);
        assert_eq!(now, self.made.now, "{}", self.name);
    }

    /// Nothing is left of the claim, and the kernel is as the earlier version would have left it:
    /// in all but a few modes (VFs that had to be created again are other devices) as it was
    /// before.
    pub(super) fn is_restored(&self, node: &Node) {
        let fake = &node.world.fake;
        assert_eq!(
            changed(&states(fake), &node.before),
            self.made.after,
            "{}",
            self.name
        );
        if self.made.after.is_empty() {
            assert_eq!(fake.dump(), node.before_in_full, "{}", self.name);
        }
        assert_eq!(node.world.files(), [""; 0], "{}", self.name);
    }
}

impl Node {
    /// Records, CDI specs and documents by path.
    /// Without the fields that later versions have added.
    pub(super) fn texts(&self) -> BTreeMap<String, String> {
        let mut texts = texts(self.world.dir.path());
        for text in texts.values_mut() {
            for (indent, added) in [
                (6, r#""used": false"#),
                (6, r#""used": true"#),
                (6, r#""mirrored": true"#),
                (14, r#""mirrored": true"#),
            ] {
                *text = text.replace(&format!(",\n{:indent$}{added}", ""), "");
            }
        }
        texts
    }
}

impl Write {
    fn on(&self, fake: &Fake) {
        let done = match self {
            Self::SetNumVfs { pf, count } => fake.set_num_vfs(pf, *count),
            Self::SetDriver { device, binding } => fake.set_driver(device, binding, soon()),
            Self::Rebind { device } => fake.reprobe(device),
            Self::SetVf { vf, setting } => fake.set_vf(vf, setting),
            Self::SetLink {
                device,
                netns,
                setting,
            } => fake.set_link(device, &place(fake, netns), setting),
            Self::MoveLink {
                device,
                from,
                to,
                name,
            } => fake.move_link(device, &place(fake, from), &place(fake, to), name),
        };
        done.unwrap();
    }
}

fn place(fake: &Fake, name: &str) -> Netns {
    let path = if name == "host" {
        "/proc/1/ns/net"
    } else {
        POD
    };
    fake.open_netns(Path::new(path)).unwrap()
}

fn texts(root: &Path) -> BTreeMap<String, String> {
    let plain = root.to_str().unwrap();
    let dirs = [
        "run/sriov-dra/claims",
        "run/sriov-dra/attached",
        "var/run/cdi",
    ];
    let files = dirs.iter().flat_map(|dir| below(&root.join(dir)));
    let read = |file: String| {
        let text = fs::read_to_string(&file).unwrap();
        (file.replace(plain, ""), text.replace(plain, ""))
    };
    files.map(read).collect()
}

fn states(fake: &Fake) -> States {
    fake.functions()
        .unwrap()
        .iter()
        .map(|function| (function.id.name(), state(fake, &function.id)))
        .collect()
}

fn state(fake: &Fake, id: &DeviceId) -> Value {
    // A VF whose PF is in a pod cannot be observed.
    let all = fake.functions().unwrap();
    let function = all.into_iter().find(|function| function.id == *id).unwrap();
    let held = fake.observe(id).ok().and_then(|_| fake.stored(id));
    let link = |name: &str| {
        let netns = fake
            .open_netns(Path::new(if name == "host" {
                "/proc/1/ns/net"
            } else {
                POD
            }))
            .ok()?;
        let link = fake.link(id, &netns).unwrap()?;
        Some(json!({"netns": name, "home": link.state, "addresses": link.addresses}))
    };
    json!({
        "incarnation": function.incarnation,
        "binding": function.binding,
        "vf": held,
        "netdev": link("host").or_else(|| link("pod")),
    })
}

fn changed(now: &States, before: &States) -> States {
    let ids = now.keys().chain(before.keys());
    ids.filter(|id| now.get(*id) != before.get(*id))
        .map(|id| (id.clone(), now.get(id).cloned().unwrap_or(Value::Null)))
        .collect()
}
