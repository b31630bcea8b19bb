// SPDX-License-Identifier: Apache-2.0
// Exports nothing that the host needs but its memory.
__attribute__((export_name("init"))) int init(int only_one) {
    return only_one;
}
