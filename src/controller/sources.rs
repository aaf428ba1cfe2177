//! The ConfigMaps: the last valid pools of each key.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    cluster::{ConfigMap, ConfigMapName},
    pool::{Config, PoolName},
};

/// The ConfigMaps as last read.
#[derive(Debug)]
pub(super) struct Sources {
    prefix: String,
    read: BTreeMap<(ConfigMapName, String), Source>,
}

#[derive(Debug)]
struct Source {
    text: String,
    /// The last valid pools; `None`: never valid.
    pools: Option<BTreeSet<PoolName>>,
}

impl Sources {
    pub(super) fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            read: BTreeMap::new(),
        }
    }

    /// Reads changed keys. Returns their errors, once for each text.
    pub(super) fn read<'a>(&mut self, maps: &'a [ConfigMap]) -> Vec<(&'a ConfigMap, String)> {
        let mut read = BTreeMap::new();
        let mut errors = Vec::new();
        for map in maps {
            for (key, text) in &map.data {
                let at = (map.name.clone(), key.clone());
                let source = match self.read.remove(&at) {
                    Some(same) if same.text == *text => same,
                    before => match self.pools(text) {
                        Ok(pools) => Source {
                            text: text.clone(),
                            pools: Some(pools),
                        },
                        Err(why) => {
                            let pools = before.and_then(|before| before.pools);
                            let instead = if pools.is_some() {
                                "; keeping its last valid pools"
                            } else {
                                ""
                            };
                            errors.push((
                                map,
                                format!("ConfigMap {} key {key}: {why}{instead}", map.name),
                            ));
                            Source {
                                text: text.clone(),
                                pools,
                            }
                        }
                    },
                };
                read.insert(at, source);
            }
        }
        self.read = read;
        errors
    }

    /// Warnings are left to the agents, which log them for their node.
    fn pools(&self, text: &str) -> Result<BTreeSet<PoolName>, String> {
        let (config, _) = Config::read(text, &self.prefix).map_err(|error| error.to_string())?;
        Ok(config.pools.into_iter().map(|pool| pool.name).collect())
    }

    /// Whether every key has been valid at least once.
    pub(super) fn all_known(&self) -> bool {
        self.read.values().all(|source| source.pools.is_some())
    }

    /// The pools of all keys.
    pub(super) fn all(&self) -> BTreeSet<PoolName> {
        self.read
            .values()
            .filter_map(|source| source.pools.as_ref())
            .flatten()
            .cloned()
            .collect()
    }
}
