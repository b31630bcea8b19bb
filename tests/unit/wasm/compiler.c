// SPDX-License-Identifier: Apache-2.0
// The compiling child for tests, whose own program is not planck.
#include "wasm/wasm.h"

int main(void) {
    return wasm_compile_main();
}
