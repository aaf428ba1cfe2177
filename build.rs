//! Compiles the wire contracts of `proto/` without protoc.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    let files = protox::compile(
        ["dra/v1/api.proto", "dra/v1beta1/api.proto", "registration/api.proto", "nri/api.proto"],
        ["proto"],
    )?;
    tonic_prost_build::configure().compile_fds(files)?;
    Ok(())
}
