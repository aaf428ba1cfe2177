//! From the document to pools. The device plugin reads all of it before it looks at selectors, and
//! dies of a wrong type anywhere but there: selectors of a wrong type cost only their pool.

use super::{
    AdditionalInfo, Config, ConfigError, DeviceType, Pool, PoolName, Selector, Warning,
    error::{Place, quoted},
    json, lint,
    object::{Object, wrong},
};
use crate::go_json::Json;

const LIST: &str = "resourceList";
const POOL: [&str; 6] = [
    "resourceName",
    "resourcePrefix",
    "deviceType",
    "excludeTopology",
    "selectors",
    "additionalInfo",
];
const SELECTORS: &str =
    "an object like {\"vendors\": [\"8086\"]} or a list of them; {} selects every device";

impl Config {
    /// Reads a `config.json`. `default_prefix` is for pools without `resourcePrefix`.
    ///
    /// # Errors
    /// What the device plugin does not start with: the first of it. An empty `resourceList` is no
    /// error here, since a node may have no pools (the device plugin would exit); but when every
    /// pool had to be dropped, it is.
    pub fn read(text: &str, default_prefix: &str) -> Result<(Self, Vec<Warning>), ConfigError> {
        let mut reader = Reader {
            default_prefix,
            warnings: Vec::new(),
            dropped: None,
        };
        let pools = reader.pools(&json::parse(text)?)?;
        Ok((Self { pools }, reader.warnings))
    }
}

struct Reader<'a> {
    default_prefix: &'a str,
    warnings: Vec<Warning>,
    /// Why the first of the dropped pools was.
    dropped: Option<ConfigError>,
}

/// Selectors that cost their pool only, or everything.
enum Fault {
    Dropped(ConfigError),
    Fatal(ConfigError),
}

impl Reader<'_> {
    fn pools(&mut self, document: &Json) -> Result<Vec<Pool>, ConfigError> {
        let root = Object::of(
            document,
            Place::root(),
            "an object like {\"resourceList\": [...]}",
        )?;
        self.warnings.extend(root.odd_keys(&[LIST], &[], ""));
        let place = root.place.key(LIST);
        let items = match root.last(LIST) {
            Some(Json::List(items)) => items.as_slice(),
            Some(Json::Null) => &[],
            Some(other) => return Err(wrong(&place, other, "a list of pools")),
            None => return Err(missing(&root, &place)),
        };
        if items.is_empty() {
            self.warnings.push(Warning::new(
                &place,
                "is empty, so there is no pool: the device plugin would exit",
            ));
        }
        let mut pools = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let Some(pool) = self.pool(item, place.item(index))? else {
                continue;
            };
            unique(&pools, &pool)?;
            pools.push(pool);
        }
        match self.dropped.take() {
            Some(first) if pools.is_empty() => Err(first),
            _ => Ok(pools),
        }
    }

    /// None: dropped, with a warning.
    fn pool(&mut self, item: &Json, place: Place) -> Result<Option<Pool>, ConfigError> {
        let fields = Object::of(
            item,
            place,
            "a pool like {\"resourceName\": \"sriov\", \"selectors\": [{}]}",
        )?;
        self.warnings
            .extend(fields.odd_keys(&POOL, &any_selector(), "must be inside selectors"));
        let name = fields.text("resourceName", "a string like \"sriov_netdevice\"")?;
        let prefix = fields
            .text("resourcePrefix", "a string like \"intel.com\"")?
            .filter(|prefix| !prefix.is_empty());
        let device_type = device_type(&fields)?;
        let exclude_topology = fields.flag("excludeTopology")?;
        let additional_info = AdditionalInfo::read(&fields)?;
        let selectors = match self.selectors(&fields, device_type) {
            Ok(selectors) => selectors,
            Err(Fault::Fatal(error)) => return Err(error),
            Err(Fault::Dropped(error)) => {
                let reason = format!("{}; this pool is dropped", error.reason);
                self.warnings.push(Warning {
                    place: error.place.clone(),
                    reason,
                });
                self.dropped.get_or_insert(error);
                return Ok(None);
            }
        };
        let name = PoolName::read(&fields.place, prefix.unwrap_or(self.default_prefix), name)?;
        let place = fields.place.to_string();
        let pool = Pool {
            place,
            name,
            device_type,
            exclude_topology,
            selectors,
            additional_info,
        };
        self.warnings.extend(lint::pool(&pool)?);
        Ok(Some(pool))
    }

    fn selectors(
        &mut self,
        pool: &Object<'_>,
        device_type: DeviceType,
    ) -> Result<Vec<Selector>, Fault> {
        let place = pool.place.key("selectors");
        match pool.last("selectors") {
            None | Some(Json::Null) => {
                let reason = format!(
                    "is missing or null, which the device plugin crashes on, must be {SELECTORS}"
                );
                Err(Fault::Fatal(ConfigError::new(&place, reason)))
            }
            Some(Json::List(items)) if items.is_empty() => Err(Fault::Dropped(wrong(
                &place,
                &Json::List(Vec::new()),
                SELECTORS,
            ))),
            Some(Json::List(items)) => self.list(items, &place, device_type),
            Some(object @ Json::Object(_)) => Ok(vec![
                self.selector(object, place, device_type)
                    .map_err(Fault::Dropped)?,
            ]),
            Some(other) => Err(Fault::Dropped(wrong(&place, other, SELECTORS))),
        }
    }

    /// A wrong type anywhere in the list is noticed before a null is.
    fn list(
        &mut self,
        items: &[Json],
        place: &Place,
        device_type: DeviceType,
    ) -> Result<Vec<Selector>, Fault> {
        let (mut selectors, mut null) = (Vec::new(), None);
        for (index, item) in items.iter().enumerate() {
            match item {
                Json::Null => drop(null.get_or_insert(place.item(index))),
                item => selectors.push(
                    self.selector(item, place.item(index), device_type)
                        .map_err(Fault::Dropped)?,
                ),
            }
        }
        let crash = |place| {
            ConfigError::new(
                &place,
                format!("null is wrong, the device plugin crashes on it, must be {SELECTORS}"),
            )
        };
        null.map_or(Ok(selectors), |place| Err(Fault::Fatal(crash(place))))
    }

    fn selector(
        &mut self,
        item: &Json,
        place: Place,
        device_type: DeviceType,
    ) -> Result<Selector, ConfigError> {
        let fields = Object::of(item, place, "an object like {\"vendors\": [\"8086\"]}")?;
        let misplaced = format!("is no selector of deviceType {}", device_type.as_str());
        let names = Selector::names(device_type);
        self.warnings
            .extend(fields.odd_keys(names, &any_selector(), &misplaced));
        let mut selector = Selector {
            place: fields.place.to_string(),
            ..Selector::default()
        };
        for name in names {
            set(&mut selector, &fields, name)?;
        }
        Ok(selector)
    }
}

fn missing(root: &Object<'_>, place: &Place) -> ConfigError {
    let there = root
        .members()
        .first()
        .map(|(key, _)| format!(" (there is {})", quoted(key)))
        .unwrap_or_default();
    ConfigError::new(place, format!("is missing{there}, must be a list of pools"))
}

fn unique(pools: &[Pool], pool: &Pool) -> Result<(), ConfigError> {
    let Some(first) = pools.iter().find(|other| other.name == pool.name) else {
        return Ok(());
    };
    let reason = format!(
        "{} is the name of {} too, must be unique",
        quoted(&pool.name.to_string()),
        first.place
    );
    Err(ConfigError::new(
        &Place::at(&pool.place).key("resourceName"),
        reason,
    ))
}

/// The selectors of any type of devices.
fn any_selector() -> Vec<&'static str> {
    [
        Selector::names(DeviceType::NetDevice),
        Selector::names(DeviceType::AuxNetDevice),
    ]
    .concat()
}

fn set(
    selector: &mut Selector,
    fields: &Object<'_>,
    name: &'static str,
) -> Result<(), ConfigError> {
    let functions = |example| {
        fields
            .texts(name, example)
            .map(|items| items.into_iter().map(Into::into).collect())
    };
    match name {
        "vendors" => selector.vendors = fields.texts(name, "[\"8086\"]")?,
        "devices" => selector.devices = fields.texts(name, "[\"154c\"]")?,
        "drivers" => selector.drivers = fields.texts(name, "[\"vfio-pci\"]")?,
        "pciAddresses" => selector.pci_addresses = fields.texts(name, "[\"0000:3b:02.1\"]")?,
        "acpiIndexes" => selector.acpi_indexes = fields.texts(name, "[\"101\"]")?,
        "auxTypes" => selector.aux_types = fields.texts(name, "[\"sf\"]")?,
        "pfNames" => selector.pf_names = functions("[\"ens1f0#0-3\"]")?,
        "rootDevices" => selector.root_devices = functions("[\"0000:3b:00.0#0-3\"]")?,
        "linkTypes" => selector.link_types = fields.texts(name, "[\"ether\"]")?,
        "ddpProfiles" => {
            selector.ddp_profiles = fields.texts(name, "[\"GTPv1-C/U IPv4/IPv6 payload\"]")?
        }
        "pKeys" => selector.p_keys = fields.texts(name, "[\"0x7fff\"]")?,
        "isRdma" => selector.is_rdma = fields.flag(name)?,
        "vdpaType" => {
            let given = fields.text(name, "\"vhost\" or \"virtio\"")?;
            selector.vdpa_type = given.filter(|vdpa| !vdpa.is_empty()).map(str::to_owned);
        }
        "needVhostNet" => selector.need_vhost_net = fields.flag(name)?,
        _ => {}
    }
    Ok(())
}

fn device_type(fields: &Object<'_>) -> Result<DeviceType, ConfigError> {
    let right = "\"netDevice\", \"accelerator\" or \"auxNetDevice\", in this spelling";
    let text = fields.text("deviceType", right)?.unwrap_or_default();
    let found = DeviceType::ALL
        .into_iter()
        .find(|(name, _)| *name == text)
        .map(|(_, device_type)| device_type);
    match text {
        "" => Ok(DeviceType::NetDevice),
        other => found.ok_or_else(|| {
            wrong(
                &fields.place.key("deviceType"),
                &Json::Text(other.to_owned()),
                right,
            )
        }),
    }
}
