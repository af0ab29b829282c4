//! Where libgraft.so is: GRAFT_LIB_DIR, else what pkg-config says, else the linker's own path.
use std::path::Path;
use std::process::Command;

fn link_from(directory: &str) {
    println!("cargo::rustc-link-search=native={directory}");
    println!("cargo::metadata=lib_dir={directory}");
}

/// The directories of `pkg-config --libs-only-L graft`; None where there is no pkg-config or no graft.pc.
fn ask_pkg_config() -> Option<Vec<String>> {
    let program = std::env::var("PKG_CONFIG").unwrap_or_else(|_| "pkg-config".into());
    let answer = Command::new(program).args(["--libs-only-L", "--keep-system-libs", "graft"]).output().ok()?;
    let words = String::from_utf8(answer.stdout).ok()?;
    answer
        .status
        .success()
        .then(|| words.split_whitespace().filter_map(|word| word.strip_prefix("-L")).map(String::from).collect())
}

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for name in ["GRAFT_LIB_DIR", "PKG_CONFIG", "PKG_CONFIG_PATH"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    println!("cargo::rustc-link-lib=dylib=graft");
    if let Ok(directory) = std::env::var("GRAFT_LIB_DIR") {
        if !Path::new(&directory).join("libgraft.so").exists() {
            println!("cargo::error=GRAFT_LIB_DIR is {directory}, which has no libgraft.so");
        }
        link_from(&directory);
    } else if let Some(directories) = ask_pkg_config() {
        directories.iter().for_each(|directory| link_from(directory));
    }
}
