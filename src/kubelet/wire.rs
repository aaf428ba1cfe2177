//! The wire contracts of `proto/`, as the build script generates them.

#![allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]

pub(super) mod registration {
    include!(concat!(env!("OUT_DIR"), "/pluginregistration.rs"));
}

pub(super) mod v1 {
    include!(concat!(
        env!("OUT_DIR"),
        "/k8s.io.kubelet.pkg.apis.dra.v1.rs"
    ));
}

pub(super) mod v1beta1 {
    include!(concat!(
        env!("OUT_DIR"),
        "/k8s.io.kubelet.pkg.apis.dra.v1beta1.rs"
    ));
}
