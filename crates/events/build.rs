//! Compiles the event contract with protox, so that no `protoc` has to be installed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = "../../proto";
    let file = "rekey/events/v1/event.proto";
    println!("cargo:rerun-if-changed={root}");
    prost_build::compile_fds(protox::compile([file], [root])?)?;
    Ok(())
}
