//! Every key and variable of the Go plugins, and what becomes of it here: the one list that
//! `docs/cni.md` repeats.

/// Where a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A key of every plugin's configuration.
    Network,
    /// A key of `sriov`.
    Sriov,
    /// A key of `ib-sriov`.
    Ib,
    /// A key of `runtimeConfig`.
    Runtime,
    /// A key of `CNI_ARGS`.
    Args,
}

impl Source {
    /// All, as they are listed.
    pub const ALL: [Self; 5] = [
        Self::Network,
        Self::Sriov,
        Self::Ib,
        Self::Runtime,
        Self::Args,
    ];

    /// For documentation.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Network => "Keys of every network",
            Self::Sriov => "Keys of `sriov`",
            Self::Ib => "Keys of `ib-sriov`",
            Self::Runtime => "`runtimeConfig`",
            Self::Args => "`CNI_ARGS`",
        }
    }
}

/// A key or variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// As it is documented; in a configuration it may be in any case.
    pub name: &'static str,
    /// Where it is.
    pub source: Source,
    /// What it means.
    pub meaning: &'static str,
    /// Compared with the Go plugin: `same`, `better: …`, or `not there: …`.
    pub here: &'static str,
}

impl Field {
    /// Its row in the documentation.
    #[must_use]
    pub fn row(&self) -> String {
        let Self {
            name,
            meaning,
            here,
            ..
        } = self;
        format!("| `{name}` | {meaning} | {here} |")
    }
}

/// Whether the key is one of a configuration's own.
pub(in crate::cni) fn is_known(key: &str) -> bool {
    let own = |field: &&Field| !matches!(field.source, Source::Runtime | Source::Args);
    let mut own = FIELDS.iter().filter(own);
    own.any(|field| crate::cni::json::same_key(key, field.name))
}

const fn field(
    source: Source,
    name: &'static str,
    meaning: &'static str,
    here: &'static str,
) -> Field {
    Field {
        name,
        source,
        meaning,
        here,
    }
}

use Source::{Args, Ib, Network, Runtime, Sriov};

const FILE_NAME: &str = "better: must be a file name";
const BEFORE: &str = "better: checked before anything is locked or changed";
const SWITCH: &str = "same, and what is neither `on` nor `off` is logged";
const RATE: &str = "better: the other rate is left as it is, the Go plugin sets it to 0; a negative one is refused, and a minimum above the maximum";
const INTERNAL: &str = "not there: internal to the Go plugin, which overwrites it";

/// All fields.
pub const FIELDS: &[Field] = &[
    field(
        Network,
        "cniVersion",
        "version of configuration and result: 0.1.0 (also when not set), 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0",
        "better: what the version cannot answer (0.1.0 and 0.2.0 without `ipam`) is refused before anything is changed",
    ),
    field(Network, "name", "the network", "same"),
    field(
        Network,
        "type",
        "the plugin: `sriov` or `ib-sriov`",
        "better: one binary for both",
    ),
    field(
        Network,
        "ipam",
        "`type` names the plugin that assigns addresses, which gets all of stdin",
        FILE_NAME,
    ),
    field(
        Network,
        "dns",
        "nameservers, domain, search, options",
        "better: in the result, if neither the IPAM plugin nor a plugin before has given any",
    ),
    field(
        Network,
        "capabilities",
        "which keys of `runtimeConfig` the runtime fills in",
        "same",
    ),
    field(
        Network,
        "prevResult",
        "result of the plugin before in a chain",
        "better: kept, and our interface is appended; CHECK compares with it",
    ),
    field(
        Network,
        "runtimeConfig",
        "what the runtime adds, see below",
        "same",
    ),
    field(
        Network,
        "args",
        "`args.cni`: texts for plugins",
        "same: read by `ib-sriov` only",
    ),
    field(
        Network,
        "cni.dev/valid-attachments",
        "what GC leaves",
        "better: the Go plugin has no GC",
    ),
    field(
        Network,
        "logLevel",
        "`panic`, `error`, `warning`, `info`, `debug`",
        "same: anything else is `info`",
    ),
    field(
        Network,
        "logFile",
        "file to log to, instead of stderr",
        "same, and a file that cannot be opened is no error",
    ),
    field(
        Sriov,
        "deviceID",
        "PCI address of the VF",
        "better: in any case, with or without domain; may be missing when a claim has the device; a PF without VFs too, and a sub-function by its auxiliary device (`mlx5_core.sf.4`) or the name of its CDI device",
    ),
    field(
        Sriov,
        "pciBusID",
        "the same, which Multus sets too",
        "better: used when there is no `deviceID`",
    ),
    field(Sriov, "vlan", "VLAN id, 0 to 4094; 0 is none", BEFORE),
    field(
        Sriov,
        "vlanQoS",
        "VLAN priority, 0 to 7; needs `vlan`, and other than 0 a `vlan` other than 0",
        BEFORE,
    ),
    field(
        Sriov,
        "vlanProto",
        "`802.1q` or `802.1ad` in any case; needs `vlan`, and `802.1ad` a `vlan` other than 0",
        BEFORE,
    ),
    field(
        Sriov,
        "mac",
        "MAC address",
        "better: with `:`, `-` or `.`; one that a device cannot have (multicast, zero, not six bytes) is refused before anything is changed",
    ),
    field(Sriov, "min_tx_rate", "guaranteed rate in Mb/s", RATE),
    field(
        Sriov,
        "max_tx_rate",
        "maximum rate in Mb/s, 0 is no limit",
        RATE,
    ),
    field(
        Sriov,
        "spoofchk",
        "source MAC check: `on`; everything else is off",
        SWITCH,
    ),
    field(
        Sriov,
        "trust",
        "trust: `on`; everything else is off",
        SWITCH,
    ),
    field(
        Sriov,
        "link_state",
        "link state that the VF sees: `auto`, `enable`, `disable`",
        BEFORE,
    ),
    field(
        Sriov,
        "mtu",
        "none: the Go plugin reads and overwrites it",
        "same: no effect, and it is logged; use the plugin `tuning`",
    ),
    field(Sriov, "Master", "name of the PF", INTERNAL),
    field(Sriov, "VFID", "index of the VF", INTERNAL),
    field(Sriov, "OrigVfState", "the VF before ADD", INTERNAL),
    field(
        Ib,
        "deviceID",
        "PCI address of the VF",
        "better: as for `sriov`",
    ),
    field(
        Ib,
        "guid",
        "GUID of node and port, if neither the runtime nor `args.cni` nor `CNI_ARGS` has one",
        "better: the Go plugin overwrites it; one that no device can have is logged",
    ),
    field(
        Ib,
        "pkey",
        "partition, for ib-kubernetes; the plugin sets nothing",
        "same, and one that is no partition key is logged",
    ),
    field(
        Ib,
        "link_state",
        "link state that the VF sees: `auto`, `enable`, `disable`",
        BEFORE,
    ),
    field(
        Ib,
        "rdmaIsolation",
        "moves the RDMA device into the pod, where the kernel has RDMA devices by namespace",
        "same, and all of them if there are several; where namespaces share them, ADD is refused before anything is changed",
    ),
    field(
        Ib,
        "ibKubernetesEnabled",
        "ib-kubernetes assigns the GUID; until it has, ADD is refused",
        "better: with error 11, try again later",
    ),
    field(
        Ib,
        "vfioPciMode",
        "sets up no netdev",
        "better: a VF bound to vfio-pci needs no key; with the key one that has a netdev is refused",
    ),
    field(Ib, "ipam", "as for `sriov`; `dhcp` is refused", "same"),
    field(
        Ib,
        "publishPfGuid",
        "writes the PF's GUID into an annotation of the pod",
        "not there: the plugin does not talk to the API server",
    ),
    field(
        Ib,
        "kubeconfig",
        "for `publishPfGuid`",
        "not there: the plugin does not talk to the API server",
    ),
    field(
        Runtime,
        "mac",
        "MAC address: before that of `CNI_ARGS` and the key `mac`",
        "better: as the key `mac`",
    ),
    field(Runtime, "ips", "addresses, for the IPAM plugin", "same"),
    field(
        Runtime,
        "deviceID",
        "PCI address of the VF",
        "better: used when there is no `deviceID`; the Go plugin does not read it",
    ),
    field(
        Runtime,
        "CNIDeviceInfoFile",
        "file in which a meta-plugin reads what the device is",
        "better: known; the Go plugin does not read it",
    ),
    field(
        Runtime,
        "infinibandGUID",
        "GUID of `ib-sriov`: before `args.cni.guid` and that of `CNI_ARGS`",
        "better: zero, broadcast and other than eight bytes are refused before anything is changed",
    ),
    field(
        Args,
        "MAC",
        "MAC address: before the key `mac`",
        "better: as the key `mac`; of several the last one counts",
    ),
    field(
        Args,
        "guid",
        "GUID of `ib-sriov`",
        "better: the Go plugin reads `args.cni` only",
    ),
    field(
        Args,
        "IgnoreUnknown",
        "`1` or `true`: other keys are no error",
        "same",
    ),
    field(
        Args,
        "K8S_POD_NAMESPACE",
        "namespace of the pod",
        "better: known also without `IgnoreUnknown`",
    ),
    field(
        Args,
        "K8S_POD_NAME",
        "name of the pod",
        "better: known also without `IgnoreUnknown`",
    ),
    field(
        Args,
        "K8S_POD_UID",
        "UID of the pod",
        "better: finds the pod's claims",
    ),
    field(
        Args,
        "K8S_POD_INFRA_CONTAINER_ID",
        "the pod's sandbox",
        "better: known also without `IgnoreUnknown`",
    ),
];
