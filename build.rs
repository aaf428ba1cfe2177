//! Compiles the wire contracts of `proto/` without protoc. Only the agent speaks them.

#[cfg(not(feature = "agent"))]
fn main() {
    println!("cargo:rerun-if-changed=build.rs");
}

#[cfg(feature = "agent")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    let files = protox::compile(
        [
            "dra/v1/api.proto",
            "dra/v1beta1/api.proto",
            "registration/api.proto",
        ],
        ["proto"],
    )?;
    tonic_prost_build::configure().compile_fds(files)?;
    // NRI uses ttrpc, not gRPC: only its messages are generated.
    let files = protox::compile(["nri/api.proto"], ["proto"])?;
    tonic_prost_build::configure()
        .build_client(false)
        .build_server(false)
        .compile_fds(files)?;
    Ok(())
}
