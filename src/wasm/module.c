// SPDX-License-Identifier: Apache-2.0
#include "wasm/module.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "wasm/cache.h"
#include "wasm/compile.h"

#define MANIFEST_SIZE_MAX (1 * MIB)

struct wasm_module {
    struct wasm_runtime *runtime;
    struct code *code;
    struct manifest *manifest;
    bool from_cache;
    _Atomic int references;
};

// ---- the binary ---------------------------------------------------------------------------------

// An unsigned LEB128 number of 32 bits, taken off `bytes`.
static bool take_number(struct bytes *bytes, uint32_t *ret) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 35 && bytes->size > 0; shift += 7) {
        uint8_t byte = bytes->data[0];
        bytes->data++;
        bytes->size--;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) != 0) continue;
        *ret = (uint32_t)value;
        return value <= UINT32_MAX;
    }
    return false;
}

static bool take_bytes(struct bytes *bytes, uint32_t count, struct bytes *ret) {
    if (count > bytes->size) return false;
    *ret = bytes_of(bytes->data, count);
    bytes->data += count;
    bytes->size -= count;
    return true;
}

static bool take_section(struct bytes *bytes, uint8_t *ret_id, struct bytes *ret_content) {
    struct bytes id;
    uint32_t size;
    if (!take_bytes(bytes, 1, &id) || !take_number(bytes, &size)) return false;
    *ret_id = id.data[0];
    return take_bytes(bytes, size, ret_content);
}

enum status module_custom_section(struct bytes binary, const char *name, struct buffer *buffer,
                                  struct error *error) {
    static const uint8_t header[8] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    struct bytes rest = binary, start;
    if (!take_bytes(&rest, 8, &start) || memcmp(start.data, header, 8) != 0)
        return error_set(error, STATUS_MALFORMED, "module: not a WebAssembly core module");
    while (rest.size > 0) {
        struct bytes content, section_name;
        uint8_t id;
        uint32_t length;
        int64_t offset = rest.data - binary.data;
        if (!take_section(&rest, &id, &content))
            return error_set_at(error, STATUS_MALFORMED, offset, "module: a section is cut off");
        if (id != 0) continue;
        if (!take_number(&content, &length) || !take_bytes(&content, length, &section_name))
            return error_set_at(error, STATUS_MALFORMED, offset,
                                "module: a custom section is cut off");
        if (!bytes_equal_string(section_name, name)) continue;
        enum status status = buffer_append(buffer, content.data, content.size);
        if (status == STATUS_OK) status = buffer_append_string(buffer, "\n");
        if (status != STATUS_OK)
            return error_set(error, status, "module: the section %s is too large", name);
    }
    return STATUS_OK;
}

// ---- imports and exports ------------------------------------------------------------------------

// Everything that is wrong, so that it can be mended in one go.
struct complaints {
    char text[200];
    size_t length;
    size_t count;
};

static void complain(struct complaints *complaints, const char *what, struct bytes module,
                     struct bytes name, const char *detail) {
    complaints->count++;
    size_t room = sizeof complaints->text - complaints->length;
    int written = snprintf(complaints->text + complaints->length, room, "%s%s %.*s%s%.*s%s",
                           complaints->length > 0 ? ", " : "", what, (int)module.size,
                           (const char *)module.data, module.size > 0 ? "." : "", (int)name.size,
                           (const char *)name.data, detail);
    ASSERT(written >= 0);
    complaints->length += (size_t)written < room ? (size_t)written : room - 1;
}

static void check_import(struct bytes module, struct bytes name, const char *type, void *context) {
    const struct host_function *function = host_function_find(module, name);
    if (function == NULL)
        complain(context, "unknown import", module, name, "");
    else if (strcmp(function->signature, type) != 0)
        complain(context, "import", module, name, " has another type");
}

struct export_check {
    struct complaints *complaints;
    unsigned found; // bit i: wanted_exports[i]
};

static const struct {
    const char *name, *type;
    bool required;
} wanted_exports[] = {
    {"memory", "memory", true}, {"planck_alloc", "i:i", true}, {"process", "ii:i", true},
    {"init", "ii:i", false},    {"_initialize", ":", false},   {"planck_abi_version", ":i", false},
};
#define WANTED_COUNT (sizeof wanted_exports / sizeof *wanted_exports)

static void check_export(struct bytes module, struct bytes name, const char *type, void *context) {
    struct export_check *check = context;
    for (size_t i = 0; i < WANTED_COUNT; i++) {
        if (!bytes_equal_string(name, wanted_exports[i].name)) continue;
        check->found |= 1u << i;
        if (strcmp(type, wanted_exports[i].type) != 0)
            complain(check->complaints, "export", module, name, " has another type");
    }
}

static enum status check_code(const struct code *code, struct error *error) {
    struct complaints complaints = {.count = 0};
    struct export_check exports = {.complaints = &complaints};
    code_each_import(code, check_import, &complaints);
    code_each_export(code, check_export, &exports);
    for (size_t i = 0; i < WANTED_COUNT; i++) {
        if (wanted_exports[i].required && (exports.found & (1u << i)) == 0)
            complain(&complaints, "missing export", bytes_of("", 0),
                     bytes_of_string(wanted_exports[i].name), "");
    }
    if (complaints.count == 0) return STATUS_OK;
    return error_set(error, STATUS_INVALID, "module: %zu wrong: %s", complaints.count,
                     complaints.text);
}

// ---- loading ------------------------------------------------------------------------------------

static enum status load_manifest(struct wasm_module *module, struct bytes binary,
                                 struct error *error) {
    struct buffer text = {.limit = MANIFEST_SIZE_MAX};
    enum status status = module_custom_section(binary, "planck.manifest", &text, error);
    if (status == STATUS_OK) status = manifest_parse(buffer_bytes(&text), &module->manifest, error);
    buffer_done(&text);
    return status;
}

static enum status load_cached(struct wasm_module *module, struct cache *cache,
                               struct bytes binary) {
    struct buffer artefact = {0};
    struct error error;
    enum status status = cache_get(cache, binary, &artefact);
    if (status == STATUS_CORRUPT)
        log_warn("wasm", "the cached code was not what was stored; compiling again");
    if (status == STATUS_OK)
        status = code_load(module->runtime, buffer_bytes(&artefact), &module->code, &error);
    buffer_done(&artefact);
    module->from_cache = status == STATUS_OK;
    return status;
}

static enum status load_compiled(struct wasm_module *module, struct cache *cache,
                                 struct bytes binary, struct error *error) {
    struct buffer artefact = {0};
    enum status status =
        compile_module(runtime_options(module->runtime)->compiler, binary, &artefact, error);
    if (status == STATUS_OK)
        status = code_load(module->runtime, buffer_bytes(&artefact), &module->code, error);
    if (status == STATUS_OK && cache != NULL) {
        enum status stored = cache_put(cache, binary, buffer_bytes(&artefact));
        if (stored != STATUS_OK)
            log_warn("wasm", "compiled code could not be cached: %s", status_text(stored));
    }
    buffer_done(&artefact);
    return status;
}

// Without a usable cache the module is compiled at every start: slower, never less safe.
static enum status load_code(struct wasm_module *module, struct bytes binary, struct error *error) {
    struct cache *cache = NULL;
    struct error reason;
    enum status status =
        cache_open(runtime_options(module->runtime)->cache_directory, &cache, &reason);
    if (status != STATUS_OK) log_warn("wasm", "%s", reason.message);
    status = cache == NULL ? STATUS_NOT_FOUND : load_cached(module, cache, binary);
    if (status != STATUS_OK) status = load_compiled(module, cache, binary, error);
    cache_close(cache);
    return status;
}

static enum status load(struct wasm_module *module, struct bytes binary, struct error *error) {
    enum status status = load_manifest(module, binary, error);
    if (status == STATUS_OK) status = load_code(module, binary, error);
    if (status == STATUS_OK) status = check_code(module->code, error);
    if (status == STATUS_OK) status = code_link(module->code, error);
    return status;
}

enum status wasm_module_load(struct wasm_runtime *runtime, const char *path,
                             struct wasm_module **ret, struct error *error) {
    struct buffer binary = {0};
    struct wasm_module *module = calloc(1, sizeof *module);
    if (module == NULL) return error_set(error, STATUS_NO_MEMORY, "module: no memory");
    module->runtime = runtime;
    module->references = 1;
    enum status status = file_read_all(file_system_posix(), path, MODULE_SIZE_MAX, &binary, error);
    if (status == STATUS_OK) status = load(module, buffer_bytes(&binary), error);
    buffer_done(&binary);
    if (status != STATUS_OK) {
        wasm_module_unref(module);
        return status;
    }
    *ret = module;
    return STATUS_OK;
}

struct wasm_module *module_ref(struct wasm_module *module) {
    atomic_fetch_add(&module->references, 1);
    return module;
}

void wasm_module_unref(struct wasm_module *module) {
    if (module == NULL || atomic_fetch_sub(&module->references, 1) != 1) return;
    code_free(module->code);
    manifest_free(module->manifest);
    free(module);
}

const struct manifest *wasm_module_manifest(const struct wasm_module *module) {
    return module->manifest;
}

bool wasm_module_from_cache(const struct wasm_module *module) {
    return module->from_cache;
}

struct code *module_code(const struct wasm_module *module) {
    return module->code;
}

struct wasm_runtime *module_runtime(const struct wasm_module *module) {
    return module->runtime;
}
