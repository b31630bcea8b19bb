// SPDX-License-Identifier: Apache-2.0
#include "wasm/runtime.h"

#include <wasm.h>
#include <wasmtime.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/limits.h"
#include "wasm/options.h"
#include "wasm/ticker.h"

_Static_assert(sizeof(union host_value) == sizeof(wasmtime_val_raw_t), "same layout");

#define GUEST_STACK_BYTES (256 * KIB)                // of WebAssembly frames
#define FIBER_STACK_BYTES (512 * KIB)                // the rest is for host functions
#define GUEST_RESERVATION_BYTES (4 * GIB + 64 * MIB) // address space: memory and its guards
#define GUESTS_MARGIN 16 // those being replaced while their successors start

struct wasm_runtime {
    struct wasm_options options;
    wasm_engine_t *engine;
    wasmtime_linker_t *linker;
    _Atomic int64_t memory_bytes;
    struct ticker *ticker;
};

struct code {
    struct wasm_runtime *runtime;
    wasmtime_module_t *module;
    wasmtime_instance_pre_t *linked;
};

struct guest {
    struct code *code;
    struct instance *instance;
    struct presence *presence;
    wasmtime_store_t *store;
    wasmtime_context_t *context;
    wasmtime_instance_t handle;
    wasmtime_memory_t memory;
    uint8_t *memory_base; // never moves: its whole reservation is mapped from the start
    size_t memory_size;   // as last seen; it can only have grown since
    bool has[GUEST_FUNCTION_COUNT];
    bool instantiating, expired;
    wasmtime_func_t functions[GUEST_FUNCTION_COUNT];
    // Of the call in progress. Wasmtime writes here, so these must outlive the future.
    wasmtime_call_future_t *future;
    wasmtime_val_t arguments[2], result;
    wasm_trap_t *trap;
    wasmtime_error_t *error;
    uint64_t deadline_ns;
    uint64_t slice_tick;
};

const char *const guest_function_names[GUEST_FUNCTION_COUNT] = {
    [GUEST_INITIALIZE] = "_initialize",
    [GUEST_ABI_VERSION] = "planck_abi_version",
    [GUEST_INIT] = "init",
    [GUEST_ALLOC] = "planck_alloc",
    [GUEST_PROCESS] = "process",
};

// ---- errors -------------------------------------------------------------------------------------

static void take_text(wasm_byte_vec_t *text, char *ret, size_t size) {
    size_t length = text->size;
    while (length > 0 && text->data[length - 1] == '\0') length--;
    snprintf(ret, size, "%.*s", (int)length, length > 0 ? text->data : "");
    wasm_byte_vec_delete(text);
}

static void take_error_text(wasmtime_error_t *failure, char *ret, size_t size) {
    wasm_byte_vec_t text;
    wasmtime_error_message(failure, &text);
    take_text(&text, ret, size);
    wasmtime_error_delete(failure);
}

static enum status take_error(wasmtime_error_t *failure, enum status status, const char *what,
                              struct error *error) {
    char text[200];
    take_error_text(failure, text, sizeof text);
    return error_set(error, status, "%s: %s", what, text);
}

// ---- configuration ------------------------------------------------------------------------------

// What compiled code depends on. The compiling child and the runtime must agree, so both use this.
static wasm_config_t *compile_config(void) {
    wasm_config_t *config = wasm_config_new();
    if (config == NULL) return NULL;
    wasmtime_config_epoch_interruption_set(config, true);
    wasmtime_config_max_wasm_stack_set(config, GUEST_STACK_BYTES);
    wasmtime_config_async_stack_size_set(config, FIBER_STACK_BYTES);
    wasmtime_config_cranelift_opt_level_set(config, WASMTIME_OPT_LEVEL_SPEED);
    wasmtime_config_wasm_memory64_set(config, false);
    wasmtime_config_wasm_multi_memory_set(config, false);
    wasmtime_config_native_unwind_info_set(config, false);
    return config;
}

const char *runtime_compiler_version(void) {
    return "wasmtime 48.0.8; epoch; speed; stack 256";
}

static void configure_pool(wasm_config_t *config, const struct wasm_options *options,
                           int64_t guests) {
    wasmtime_pooling_allocation_config_t *pool = wasmtime_pooling_allocation_config_new();
    ASSERT(guests > 0 && guests < UINT32_MAX);
    uint32_t count = (uint32_t)guests;
    wasmtime_pooling_allocation_config_total_memories_set(pool, count);
    wasmtime_pooling_allocation_config_total_tables_set(pool, count);
    wasmtime_pooling_allocation_config_total_stacks_set(pool, count);
    wasmtime_pooling_allocation_config_total_core_instances_set(pool, count);
    wasmtime_pooling_allocation_config_total_component_instances_set(pool, 0);
    wasmtime_pooling_allocation_config_max_tables_per_module_set(pool, 1);
    wasmtime_pooling_allocation_config_max_memory_size_set(pool, (size_t)options->memory_bytes_max);
    wasmtime_pooling_allocation_config_max_unused_warm_slots_set(pool, 16);
    wasmtime_pooling_allocation_config_linear_memory_keep_resident_set(pool, 128 * KIB);
    wasmtime_pooling_allocation_config_table_keep_resident_set(pool, 8 * KIB);
    wasmtime_pooling_allocation_config_async_stack_keep_resident_set(pool, 16 * KIB);
    wasmtime_pooling_allocation_strategy_set(config, pool);
    wasmtime_pooling_allocation_config_delete(pool);
}

// ---- host functions -----------------------------------------------------------------------------

static wasm_trap_t *host_trap(void) {
    static const char text[] = "ended by the host"; // the reason itself is in the instance
    return wasmtime_trap_new(text, sizeof text - 1);
}

static struct guest *caller_guest(wasmtime_caller_t *caller) {
    return wasmtime_context_get_data(wasmtime_caller_context(caller));
}

static wasm_trap_t *run_host_function(void *env, wasmtime_caller_t *caller,
                                      wasmtime_val_raw_t *values, size_t count) {
    const struct host_function *function = env;
    struct guest *guest = caller_guest(caller);
    return function->run(guest->instance, (union host_value *)values) ? NULL : host_trap();
}

// One suspended call of a host function. It lives on the heap because Wasmtime finalises it when
// the call is dropped as well.
struct suspension {
    const struct host_function *function;
    struct guest *guest;
    wasmtime_val_t *result;
    bool trapped;
};

static bool suspension_continue(void *env) {
    struct suspension *suspension = env;
    if (suspension->trapped) return true;
    union host_value value = {.raw = {0, 0}};
    if (!suspension->function->resumed(suspension->guest->instance, &value)) return false;
    suspension->result->kind = WASMTIME_I64;
    suspension->result->of.i64 = value.i64;
    return true;
}

static void run_suspending_function(void *env, wasmtime_caller_t *caller,
                                    const wasmtime_val_t *arguments, size_t argument_count,
                                    wasmtime_val_t *results, size_t result_count,
                                    wasm_trap_t **ret_trap,
                                    wasmtime_async_continuation_t *ret_continuation) {
    const struct host_function *function = env;
    struct guest *guest = caller_guest(caller);
    union host_value values[4] = {0};
    ASSERT(argument_count <= 4 && result_count == 1);
    for (size_t i = 0; i < argument_count; i++) values[i].i32 = arguments[i].of.i32;
    struct suspension *suspension = malloc(sizeof *suspension);
    ASSERT(suspension != NULL);
    *suspension = (struct suspension){.function = function, .guest = guest, .result = results};
    if (!function->run(guest->instance, values)) {
        suspension->trapped = true;
        *ret_trap = host_trap();
    }
    *ret_continuation = (wasmtime_async_continuation_t){
        .callback = suspension_continue, .env = suspension, .finalizer = free};
}

static wasm_valtype_t *value_type(char letter) {
    return letter == 'I' ? wasm_valtype_new_i64() : wasm_valtype_new_i32();
}

static wasm_functype_t *function_type(const char *signature) {
    wasm_valtype_t *types[16];
    wasm_valtype_vec_t parameters, results;
    size_t count = 0;
    for (; *signature != ':'; signature++) types[count++] = value_type(*signature);
    wasm_valtype_vec_new(&parameters, count, types);
    count = 0;
    for (signature++; *signature != '\0'; signature++) types[count++] = value_type(*signature);
    wasm_valtype_vec_new(&results, count, types);
    return wasm_functype_new(&parameters, &results);
}

static enum status define_host_function(wasmtime_linker_t *linker,
                                        const struct host_function *function, struct error *error) {
    wasm_functype_t *type = function_type(function->signature);
    const char *module = function->module, *name = function->name;
    wasmtime_error_t *failure =
        function->resumed != NULL
            ? wasmtime_linker_define_async_func(linker, module, strlen(module), name, strlen(name),
                                                type, run_suspending_function, (void *)function,
                                                NULL)
            : wasmtime_linker_define_func_unchecked(linker, module, strlen(module), name,
                                                    strlen(name), type, run_host_function,
                                                    (void *)function, NULL);
    wasm_functype_delete(type);
    return failure == NULL ? STATUS_OK : take_error(failure, STATUS_INTERNAL, name, error);
}

// ---- runtime ------------------------------------------------------------------------------------

// The pool reserves address space for all guests at once, and Wasmtime ends the process when it
// gets none (a limit on address space, for example), so the system is asked first.
static enum status check_address_space(int64_t guests, struct error *error) {
    size_t size = (size_t)guests * (GUEST_RESERVATION_BYTES + FIBER_STACK_BYTES);
    void *address = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (address == MAP_FAILED)
        return error_set(error, STATUS_NO_MEMORY,
                         "wasm: %lld guests need %zu GiB of address space, which the system "
                         "refuses",
                         (long long)guests, (size_t)(size / GIB));
    munmap(address, size);
    return STATUS_OK;
}

static void advance_epoch(void *engine) {
    wasmtime_engine_increment_epoch(engine);
}

static enum status runtime_start(struct wasm_runtime *runtime, struct error *error) {
    enum status reserved = check_address_space(runtime_guests_max(runtime), error);
    if (reserved != STATUS_OK) return reserved;
    wasm_config_t *config = compile_config();
    if (config == NULL) return error_set(error, STATUS_NO_MEMORY, "wasm: no memory");
    configure_pool(config, &runtime->options, runtime_guests_max(runtime));
    runtime->engine = wasm_engine_new_with_config(config);
    if (runtime->engine == NULL)
        return error_set(error, STATUS_NO_MEMORY, "wasm: the engine cannot be created");
    runtime->linker = wasmtime_linker_new(runtime->engine);
    if (runtime->linker == NULL) return error_set(error, STATUS_NO_MEMORY, "wasm: no memory");
    for (size_t i = 0; i < host_function_count; i++) {
        enum status status = define_host_function(runtime->linker, &host_functions[i], error);
        if (status != STATUS_OK) return status;
    }
    enum status status = ticker_new((uint64_t)runtime->options.host_budget_us * 1000, advance_epoch,
                                    runtime->engine, &runtime->ticker);
    if (status != STATUS_OK) return error_set(error, status, "wasm: the ticker cannot be started");
    return STATUS_OK;
}

enum status wasm_runtime_new(const struct wasm_options *options, struct wasm_runtime **ret,
                             struct error *error) {
    enum status status = options_check(options, error);
    if (status != STATUS_OK) return status;
    struct wasm_runtime *runtime = calloc(1, sizeof *runtime);
    if (runtime == NULL) return error_set(error, STATUS_NO_MEMORY, "wasm: no memory");
    runtime->options = *options;
    if (runtime->options.memory_bytes_total_max < options->memory_bytes_max)
        runtime->options.memory_bytes_total_max = options->memory_bytes_max; // one must fit
    status = runtime_start(runtime, error);
    if (status != STATUS_OK) {
        wasm_runtime_free(runtime);
        return status;
    }
    *ret = runtime;
    return STATUS_OK;
}

void wasm_runtime_free(struct wasm_runtime *runtime) {
    if (runtime == NULL) return;
    ticker_free(runtime->ticker); // first: it advances the engine's epoch
    if (runtime->linker != NULL) wasmtime_linker_delete(runtime->linker);
    if (runtime->engine != NULL) wasm_engine_delete(runtime->engine);
    free(runtime);
}

const struct wasm_options *runtime_options(const struct wasm_runtime *runtime) {
    return &runtime->options;
}

struct ticker *runtime_ticker(const struct wasm_runtime *runtime) {
    return runtime->ticker;
}

int64_t runtime_guests_max(const struct wasm_runtime *runtime) {
    const struct wasm_options *options = &runtime->options;
    return options->running_max + options->suspended_max +
           options->workers * (options->pool_min + 1) + GUESTS_MARGIN;
}

void runtime_memory_change(struct wasm_runtime *runtime, int64_t bytes) {
    atomic_fetch_add_explicit(&runtime->memory_bytes, bytes, memory_order_relaxed);
}

bool runtime_memory_exhausted(const struct wasm_runtime *runtime) {
    return atomic_load_explicit(&runtime->memory_bytes, memory_order_relaxed) >
           runtime->options.memory_bytes_total_max;
}

// ---- code ---------------------------------------------------------------------------------------

static enum status serialize(wasm_engine_t *engine, struct bytes module,
                             struct buffer *ret_artefact, struct error *error) {
    wasmtime_module_t *compiled = NULL;
    wasmtime_error_t *failure = wasmtime_module_new(engine, module.data, module.size, &compiled);
    if (failure != NULL) return take_error(failure, STATUS_INVALID, "module", error);
    wasm_byte_vec_t artefact;
    failure = wasmtime_module_serialize(compiled, &artefact);
    wasmtime_module_delete(compiled);
    if (failure != NULL) return take_error(failure, STATUS_INTERNAL, "module", error);
    enum status status = buffer_append(ret_artefact, artefact.data, artefact.size);
    wasm_byte_vec_delete(&artefact);
    return status == STATUS_OK ? STATUS_OK : error_set(error, status, "module: no memory");
}

enum status code_compile(struct bytes module, struct buffer *ret_artefact, struct error *error) {
    wasm_config_t *config = compile_config();
    wasm_engine_t *engine = config == NULL ? NULL : wasm_engine_new_with_config(config);
    if (engine == NULL) return error_set(error, STATUS_NO_MEMORY, "module: no memory");
    enum status status = serialize(engine, module, ret_artefact, error);
    wasm_engine_delete(engine);
    return status;
}

enum status code_load(struct wasm_runtime *runtime, struct bytes artefact, struct code **ret,
                      struct error *error) {
    struct code *code = calloc(1, sizeof *code);
    if (code == NULL) return error_set(error, STATUS_NO_MEMORY, "module: no memory");
    code->runtime = runtime;
    wasmtime_error_t *failure =
        wasmtime_module_deserialize(runtime->engine, artefact.data, artefact.size, &code->module);
    if (failure != NULL) {
        code_free(code);
        return take_error(failure, STATUS_VERSION, "compiled module", error);
    }
    *ret = code;
    return STATUS_OK;
}

void code_free(struct code *code) {
    if (code == NULL) return;
    if (code->linked != NULL) wasmtime_instance_pre_delete(code->linked);
    if (code->module != NULL) wasmtime_module_delete(code->module);
    free(code);
}

static size_t write_types(const wasm_valtype_vec_t *types, char *text, size_t size) {
    size_t count = 0;
    for (; count < types->size && count < size; count++) {
        wasm_valkind_t kind = wasm_valtype_kind(types->data[count]);
        text[count] = kind == WASM_I32   ? 'i'
                      : kind == WASM_I64 ? 'I'
                      : kind == WASM_F32 ? 'f'
                      : kind == WASM_F64 ? 'F'
                                         : '?';
    }
    return count;
}

// `text` has room for 64 bytes; a longer signature is cut, and so matches none of ours.
static void describe_type(const wasm_externtype_t *type, char text[64]) {
    const wasm_functype_t *function = wasm_externtype_as_functype_const(type);
    if (function != NULL) {
        size_t length = write_types(wasm_functype_params(function), text, 40);
        text[length++] = ':';
        length += write_types(wasm_functype_results(function), text + length, 20);
        text[length] = '\0';
        return;
    }
    switch (wasm_externtype_kind(type)) {
    case WASM_EXTERN_MEMORY:
        snprintf(text, 64, "memory");
        return;
    case WASM_EXTERN_TABLE:
        snprintf(text, 64, "table");
        return;
    case WASM_EXTERN_GLOBAL:
        snprintf(text, 64, "global");
        return;
    default:
        snprintf(text, 64, "tag");
        return;
    }
}

void code_each_import(const struct code *code, code_item_function *function, void *context) {
    wasm_importtype_vec_t imports;
    wasmtime_module_imports(code->module, &imports);
    for (size_t i = 0; i < imports.size; i++) {
        const wasm_name_t *module = wasm_importtype_module(imports.data[i]);
        const wasm_name_t *name = wasm_importtype_name(imports.data[i]);
        char type[64];
        describe_type(wasm_importtype_type(imports.data[i]), type);
        function(bytes_of(module->data, module->size), bytes_of(name->data, name->size), type,
                 context);
    }
    wasm_importtype_vec_delete(&imports);
}

void code_each_export(const struct code *code, code_item_function *function, void *context) {
    wasm_exporttype_vec_t exports;
    wasmtime_module_exports(code->module, &exports);
    for (size_t i = 0; i < exports.size; i++) {
        const wasm_name_t *name = wasm_exporttype_name(exports.data[i]);
        char type[64];
        describe_type(wasm_exporttype_type(exports.data[i]), type);
        function(bytes_of("", 0), bytes_of(name->data, name->size), type, context);
    }
    wasm_exporttype_vec_delete(&exports);
}

enum status code_link(struct code *code, struct error *error) {
    wasmtime_error_t *failure =
        wasmtime_linker_instantiate_pre(code->runtime->linker, code->module, &code->linked);
    return failure == NULL ? STATUS_OK : take_error(failure, STATUS_INVALID, "module", error);
}

// ---- guest --------------------------------------------------------------------------------------

static wasmtime_error_t *epoch_passed(wasmtime_context_t *context, void *data, uint64_t *ret_delta,
                                      wasmtime_update_deadline_kind_t *kind) {
    struct guest *guest = data;
    *ret_delta = 1;
    if (clock_monotonic_ns(clock_system()) >= guest->deadline_ns) {
        guest->expired = true;
        return wasmtime_error_new("deadline");
    }
    // A guest that has just been resumed may meet an epoch of before: it still has its slice.
    uint64_t tick = ticker_ticks(guest->code->runtime->ticker);
    *kind = tick <= guest->slice_tick ? WASMTIME_UPDATE_DEADLINE_CONTINUE
                                      : WASMTIME_UPDATE_DEADLINE_YIELD;
    return NULL;
}

enum status guest_new(struct code *code, struct instance *instance, struct presence *presence,
                      struct guest **ret) {
    ASSERT(code->linked != NULL);
    struct guest *guest = calloc(1, sizeof *guest);
    if (guest == NULL) return STATUS_NO_MEMORY;
    guest->code = code;
    guest->instance = instance;
    guest->presence = presence;
    guest->store = wasmtime_store_new(code->runtime->engine, guest, NULL);
    guest->context = wasmtime_store_context(guest->store);
    wasmtime_store_epoch_deadline_callback(guest->store, epoch_passed, guest, NULL);
    wasmtime_store_limiter(guest->store, code->runtime->options.memory_bytes_max, -1, 1, 1, 1);
    *ret = guest;
    return STATUS_OK;
}

static void drop_future(struct guest *guest) {
    if (guest->future != NULL) wasmtime_call_future_delete(guest->future);
    guest->future = NULL;
}

void guest_free(struct guest *guest) {
    if (guest == NULL) return;
    drop_future(guest);
    if (guest->trap != NULL) wasm_trap_delete(guest->trap);
    if (guest->error != NULL) wasmtime_error_delete(guest->error);
    wasmtime_store_delete(guest->store);
    free(guest);
}

static void begin(struct guest *guest, uint64_t deadline_ns) {
    ASSERT(guest->future == NULL);
    guest->deadline_ns = deadline_ns;
    guest->expired = false;
    wasmtime_context_set_epoch_deadline(guest->context, 2);
}

void guest_begin_instantiate(struct guest *guest, uint64_t deadline_ns) {
    begin(guest, deadline_ns);
    guest->instantiating = true;
    guest->future = wasmtime_instance_pre_instantiate_async(
        guest->code->linked, guest->context, &guest->handle, &guest->trap, &guest->error);
}

void guest_begin(struct guest *guest, enum guest_function function, uint32_t first, uint32_t second,
                 uint64_t deadline_ns) {
    static const struct {
        uint8_t arguments, results;
    } shapes[GUEST_FUNCTION_COUNT] = {
        [GUEST_INITIALIZE] = {0, 0}, [GUEST_ABI_VERSION] = {0, 1}, [GUEST_INIT] = {2, 1},
        [GUEST_ALLOC] = {1, 1},      [GUEST_PROCESS] = {2, 1},
    };
    ASSERT(guest->has[function]);
    begin(guest, deadline_ns);
    guest->arguments[0].kind = guest->arguments[1].kind = WASMTIME_I32;
    guest->arguments[0].of.i32 = (int32_t)first;
    guest->arguments[1].of.i32 = (int32_t)second;
    guest->result.of.i32 = 0;
    guest->future = wasmtime_func_call_async(
        guest->context, &guest->functions[function], guest->arguments, shapes[function].arguments,
        &guest->result, shapes[function].results, &guest->trap, &guest->error);
}

bool guest_poll(struct guest *guest) {
    presence_enter(guest->presence);
    guest->slice_tick = ticker_ticks(guest->code->runtime->ticker);
    bool ended = wasmtime_call_future_poll(guest->future);
    presence_leave(guest->presence);
    return ended;
}

// The exports have been checked when the module was loaded.
static void find_exports(struct guest *guest) {
    wasmtime_extern_t item;
    bool found = wasmtime_instance_export_get(guest->context, &guest->handle, "memory", 6, &item);
    ASSERT(found && item.kind == WASMTIME_EXTERN_MEMORY);
    guest->memory = item.of.memory;
    guest->memory_base = wasmtime_memory_data(guest->context, &guest->memory);
    for (size_t i = 0; i < GUEST_FUNCTION_COUNT; i++) {
        const char *name = guest_function_names[i];
        guest->has[i] =
            wasmtime_instance_export_get(guest->context, &guest->handle, name, strlen(name), &item);
        if (guest->has[i]) guest->functions[i] = item.of.func;
    }
}

static enum guest_end finish_trap(struct guest *guest, char *reason, size_t reason_size) {
    wasm_byte_vec_t text;
    wasm_trap_message(guest->trap, &text);
    take_text(&text, reason, reason_size);
    wasm_trap_delete(guest->trap);
    guest->trap = NULL;
    return GUEST_TRAPPED;
}

enum guest_end guest_finish(struct guest *guest, uint32_t *ret_result, char *reason,
                            size_t reason_size) {
    drop_future(guest);
    bool instantiating = guest->instantiating;
    guest->instantiating = false;
    if (guest->trap != NULL) return finish_trap(guest, reason, reason_size);
    if (guest->error != NULL) {
        take_error_text(guest->error, reason, reason_size);
        guest->error = NULL;
        if (guest->expired) return GUEST_EXPIRED;
        return instantiating ? GUEST_REFUSED : GUEST_TRAPPED;
    }
    if (instantiating) find_exports(guest);
    *ret_result = (uint32_t)guest->result.of.i32;
    return GUEST_RETURNED;
}

bool guest_has(const struct guest *guest, enum guest_function function) {
    return guest->has[function];
}

uint8_t *guest_memory(struct guest *guest, size_t *ret_size) {
    if (guest->memory_base != NULL) // a start function runs before there is a memory to see
        guest->memory_size = wasmtime_memory_data_size(guest->context, &guest->memory);
    *ret_size = guest->memory_size;
    return guest->memory_base;
}

uint8_t *guest_range(struct guest *guest, uint32_t pointer, uint32_t count) {
    uint64_t end = (uint64_t)pointer + count;
    size_t size;
    if (end > guest->memory_size) { // unless it has grown
        guest_memory(guest, &size);
        if (end > size) return NULL;
    }
    return guest->memory_base + pointer;
}
