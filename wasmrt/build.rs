// SPDX-License-Identifier: Apache-2.0
// Copies the C headers of Wasmtime to WASMRT_INCLUDE_DIR, where the C side finds them.
use std::{env, fs, path::Path};

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn main() {
    println!("cargo:rerun-if-env-changed=WASMRT_INCLUDE_DIR");
    println!("cargo:rerun-if-changed=build.rs");
    let include = env::var("DEP_WASMTIME_C_API_INCLUDE").expect("headers of the Wasmtime C API");
    if let Ok(target) = env::var("WASMRT_INCLUDE_DIR") {
        copy_tree(Path::new(&include), Path::new(&target));
    }
}
