// SPDX-License-Identifier: Apache-2.0
// Nothing of our own: re-exports that make rustc keep the C symbols of both crates.
pub use lmdb_master_sys as lmdb;
pub use wasmtime_c_api::*;
