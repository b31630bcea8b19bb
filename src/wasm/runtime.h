// SPDX-License-Identifier: Apache-2.0
// What the rest of this folder sees of Wasmtime; runtime.c alone includes its headers.
//
//   struct wasm_runtime  the engine with its pool, the linker with all host functions, the ticker
//   struct code          one compiled module, ready to be instantiated many times; any thread
//   struct guest         one store with one instance, and at most one call on its own stack (fiber)
//
// A guest belongs to one thread. guest_poll() must be called from the loop's top level, never from
// inside a host function. A call that did not end well (trap, deadline, dropped) leaves the guest
// in an unknown state: it must be freed.
//
// A guest that sees a new epoch (wasm/ticker.h) after at least one whole tick gives up its slice:
// guest_poll() returns false.
#pragma once

#include <stdatomic.h>

#include "wasm/ticker.h"
#include "wasm/wasm.h"

// ---- host functions -----------------------------------------------------------------------------
struct instance;

// One WebAssembly value as host functions get and give it; the layout is Wasmtime's.
union host_value {
    int32_t i32;
    uint32_t u32;
    int64_t i64;
    uint64_t raw[2];
};

// `signature` is parameters ':' results, i = i32, I = i64.
struct host_function {
    const char *module;
    const char *name;
    const char *signature;
    // Arguments in, result in values[0]. False ends the call with a trap; the reason has been noted
    // in the instance. `instance` is what guest_new() was given.
    bool (*run)(struct instance *instance, union host_value *values);
    // When set the function suspends its handler after `run`, until this returns true with the
    // result in `result`. False results in `run` trap at once.
    bool (*resumed)(struct instance *instance, union host_value *result);
};
extern const struct host_function host_functions[];
extern const size_t host_function_count;
const struct host_function *host_function_find(struct bytes module, struct bytes name);

// ---- runtime ------------------------------------------------------------------------------------
const struct wasm_options *runtime_options(const struct wasm_runtime *runtime);
// How many guests may exist at once, in the process.
int64_t runtime_guests_max(const struct wasm_runtime *runtime);
// The bytes of memory of all guests of the process; a change is reported by who measured it.
void runtime_memory_change(struct wasm_runtime *runtime, int64_t bytes);
bool runtime_memory_exhausted(const struct wasm_runtime *runtime);
// Identifies the compiler: version, target and settings. Compiled code of another is useless.
const char *runtime_compiler_version(void);

struct ticker *runtime_ticker(const struct wasm_runtime *runtime);

// ---- code ---------------------------------------------------------------------------------------
struct code;
// Compiles; what it gives is native code that code_load() trusts. Needs no runtime: the compiling
// child calls it. STATUS_INVALID with the compiler's message.
CHECKED enum status code_compile(struct bytes module, struct buffer *ret_artefact,
                                 struct error *error);
// `artefact` must come from code_compile() unchanged: it is executed. STATUS_VERSION when it is
// another compiler's.
CHECKED enum status code_load(struct wasm_runtime *runtime, struct bytes artefact,
                              struct code **ret, struct error *error);
void code_free(struct code *code);
// Calls `function` for each import or export with its kind and type as text: a signature as above
// for functions, else "memory", "table", "global", "tag". `module` is empty for exports.
typedef void code_item_function(struct bytes module, struct bytes name, const char *type,
                                void *context);
void code_each_import(const struct code *code, code_item_function *function, void *context);
void code_each_export(const struct code *code, code_item_function *function, void *context);
// Binds the imports. All must have been checked.
CHECKED enum status code_link(struct code *code, struct error *error);

// ---- guest --------------------------------------------------------------------------------------
enum guest_function {
    GUEST_INITIALIZE,
    GUEST_ABI_VERSION,
    GUEST_INIT,
    GUEST_ALLOC,
    GUEST_PROCESS,
    GUEST_FUNCTION_COUNT,
};
extern const char *const guest_function_names[GUEST_FUNCTION_COUNT];

enum guest_end {
    GUEST_RETURNED, // the result is valid, the guest may go on
    GUEST_TRAPPED,  // `reason` is filled unless a host function noted one
    GUEST_EXPIRED,  // its deadline passed
    GUEST_REFUSED,  // the runtime had no room for it
};

struct guest;
// `instance` is handed to host functions. Nothing runs yet. STATUS_NO_MEMORY.
CHECKED enum status guest_new(struct code *code, struct instance *instance,
                              struct presence *presence, struct guest **ret);
// Drops a suspended call (its stack is unwound), then the store.
void guest_free(struct guest *guest);
// Begin work on the guest's own stack; guest_poll() runs it. Only one at a time. The deadline is
// of the monotonic clock.
void guest_begin_instantiate(struct guest *guest, uint64_t deadline_ns);
void guest_begin(struct guest *guest, enum guest_function function, uint32_t first, uint32_t second,
                 uint64_t deadline_ns);
// Runs one slice; true when the work ended.
bool guest_poll(struct guest *guest);
// After guest_poll() gave true. `reason` gets a text (at most `reason_size` with its NUL) for a
// trap.
enum guest_end guest_finish(struct guest *guest, uint32_t *ret_result, char *reason,
                            size_t reason_size);
// After instantiation.
bool guest_has(const struct guest *guest, enum guest_function function);
// The guest's memory: the address never changes, the size may grow while the guest runs; no memory
// before it is instantiated.
uint8_t *guest_memory(struct guest *guest, size_t *ret_size);
// `count` bytes at `pointer`, or NULL when they are not all inside (never NULL for count 0 inside).
uint8_t *guest_range(struct guest *guest, uint32_t pointer, uint32_t count);
