//! `uninstall-check`: fails while pods hold devices, since devices are only released by an agent.

use super::columns::columns;
use crate::{
    args::UninstallCheckArgs,
    cluster::{InUse, Kube},
};

pub(super) fn run(args: &UninstallCheckArgs) -> anyhow::Result<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let claims = runtime.block_on(async {
        Kube::connect(&args.driver_name, "")
            .await?
            .claims_in_use()
            .await
    })?;
    super::print(&text(&args.driver_name, &claims))?;
    Ok(u8::from(!claims.is_empty()))
}

fn text(driver: &str, claims: &[InUse]) -> String {
    if claims.is_empty() {
        return format!("no pods hold devices of {driver}\n");
    }
    let row = |claim: &InUse| {
        let devices: Vec<String> = claim.devices.iter().map(ToString::to_string).collect();
        vec![
            claim.claim.clone(),
            claim.holders.join(" "),
            devices.join(" "),
        ]
    };
    let table = columns(&["CLAIM", "PODS", "DEVICES"], claims.iter().map(row));
    format!(
        "pods hold devices of {driver}, which would not be released without the driver. Delete these pods first:
{table}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slice::DeviceRef;

    #[test]
    fn the_pods_to_delete_are_named() {
        let claims = [InUse {
            claim: "shop/net".to_owned(),
            holders: vec!["upf-0".to_owned(), "upf-1".to_owned()],
            devices: vec![DeviceRef {
                driver: "sriov-dra.io".to_owned(),
                slice_pool: "node1".to_owned(),
                device: "0000-3b-02-1".to_owned(),
            }],
        }];
        insta::assert_snapshot!(text("sriov-dra.io", &claims), @r#"
        pods hold devices of sriov-dra.io, which would not be released without the driver. Delete these pods first:
        CLAIM     PODS         DEVICES
        shop/net  upf-0 upf-1  node1/0000-3b-02-1
        "#);
        assert_eq!(
            text("sriov-dra.io", &[]),
            "no pods hold devices of sriov-dra.io\n"
        );
    }
}
