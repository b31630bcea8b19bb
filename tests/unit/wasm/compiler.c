// SPDX-License-Identifier: Apache-2.0
// The compiling child for tests, whose own program is not planck.
#include "wasm/wasm.h"

// The compiler's threads are Rust's, into whose synchronisation the thread sanitizer cannot see.
const char *__tsan_default_options(void);
const char *__tsan_default_options(void) {
    return "report_bugs=0";
}

int main(void) {
    return wasm_compile_main();
}
