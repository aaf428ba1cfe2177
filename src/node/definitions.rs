//! The NetworkAttachmentDefinitions that a claim's configurations name, read for Prepare.

use crate::{
    claim::{AllocatedClaim, Definitions, definitions_of},
    cluster::Cluster,
    cni::{NadRef, definition},
};

/// What cannot be read is the claim's to say, if it is not prepared yet.
pub(super) async fn read(
    cluster: &dyn Cluster,
    claim: &AllocatedClaim,
    driver: &str,
) -> Definitions {
    let mut all = Definitions::new();
    for (namespace, name) in definitions_of(claim, driver) {
        let nad = NadRef { namespace, name };
        let settings = match cluster.network(&nad).await {
            Ok(Some(found)) => definition::settings(&nad.name, &found.config),
            Ok(None) => Err("there is no such NetworkAttachmentDefinition".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        all.insert(nad.to_string(), settings);
    }
    all
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::{
        api::{ConfigSource, OpaqueConfig},
        cluster::{Memory, Nad},
        node::test_claims::allocated,
    };

    #[tokio::test]
    async fn what_the_configs_name_is_read() {
        let cluster = Arc::new(Memory::default());
        let nad = |name: &str| NadRef {
            namespace: "networks".to_owned(),
            name: name.to_owned(),
        };
        let config = r#"{"cniVersion": "1.0.0", "type": "sriov", "vlan": 7}"#.to_owned();
        let found = Nad {
            config,
            ..Nad::default()
        };
        cluster.define(nad("blue"), Ok(found));
        let read = async |name: &str| {
            let mut claim = allocated("nic", "node", "0000-02-10-0", "net");
            claim.configs = vec![OpaqueConfig {
                source: ConfigSource::Class,
                requests: vec![],
                parameters: json!({"apiVersion": "sriov-dra.io/v1alpha1", "kind": "DeviceConfig",
                    "networkAttachmentDefinition": {"name": name, "namespace": "networks"}}),
            }];
            let mut read = read(&*cluster, &claim, "sriov-dra.io").await;
            read.remove(&nad(name).to_string()).unwrap()
        };
        assert_eq!(read("blue").await.unwrap().vlan, Some(7));
        assert_eq!(
            read("red").await.unwrap_err(),
            "there is no such NetworkAttachmentDefinition"
        );
    }
}
