//! `uninstall-check`: fails while pods hold devices, or some are not restored yet, since only an
//! agent releases them.

use super::columns::columns;
use crate::{
    args::UninstallCheckArgs,
    cluster::{InUse, Kube},
    slice::DeviceRef,
};

pub(super) fn run(args: &UninstallCheckArgs) -> anyhow::Result<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (claims, unrestored) = runtime.block_on(async {
        let kube = Kube::connect(&args.driver_name, "").await?;
        anyhow::Ok((kube.claims_in_use().await?, kube.unrestored().await?))
    })?;
    super::print(&text(&args.driver_name, &claims, &unrestored))?;
    Ok(u8::from(!claims.is_empty() || !unrestored.is_empty()))
}

fn text(driver: &str, claims: &[InUse], unrestored: &[DeviceRef]) -> String {
    if !unrestored.is_empty() {
        return in_use(driver, claims).unwrap_or_default() + &left(driver, unrestored);
    }
    in_use(driver, claims).unwrap_or_else(|| format!("no pods hold devices of {driver}\n"))
}

fn in_use(driver: &str, claims: &[InUse]) -> Option<String> {
    let row = |claim: &InUse| {
        vec![
            claim.claim.clone(),
            claim.holders.join(" "),
            names(&claim.devices),
        ]
    };
    let table = || columns(&["CLAIM", "PODS", "DEVICES"], claims.iter().map(row));
    (!claims.is_empty()).then(|| {
        format!(
            "pods hold devices of {driver}, which would not be released without the driver. Delete these pods first:\n{}",
            table()
        )
    })
}

fn left(driver: &str, unrestored: &[DeviceRef]) -> String {
    format!(
        "devices of {driver} are not restored yet, which nothing would do without the driver; the log of their node's agent says why: {}\n",
        names(unrestored)
    )
}

fn names(devices: &[DeviceRef]) -> String {
    let devices: Vec<String> = devices.iter().map(ToString::to_string).collect();
    devices.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

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
        insta::assert_snapshot!(text("sriov-dra.io", &claims, &[]), @r#"
        pods hold devices of sriov-dra.io, which would not be released without the driver. Delete these pods first:
        CLAIM     PODS         DEVICES
        shop/net  upf-0 upf-1  node1/0000-3b-02-1
        "#);
        assert_eq!(
            text("sriov-dra.io", &[], &[]),
            "no pods hold devices of sriov-dra.io\n"
        );
    }

    #[test]
    fn devices_that_are_not_restored_are_named() {
        let device = DeviceRef {
            driver: "sriov-dra.io".to_owned(),
            slice_pool: "node1".to_owned(),
            device: "0000-3b-02-1".to_owned(),
        };
        insta::assert_snapshot!(text("sriov-dra.io", &[], &[device]), @"devices of sriov-dra.io are not restored yet, which nothing would do without the driver; the log of their node's agent says why: node1/0000-3b-02-1");
    }
}
