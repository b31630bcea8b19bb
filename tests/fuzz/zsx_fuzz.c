// SPDX-License-Identifier: Apache-2.0
// Templates of arbitrary bytes: mistakes are reported within the text; what has none is formatted
// to something that means the same, formats to itself, and compiles.
#include "zsx/zsx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct zsx_file *parse(struct arena *arena, struct bytes text, enum zsx_target target) {
    struct zsx_options options = {.target = target, .path = "fuzz.zsx"};
    struct zsx_file *file = NULL;
    ASSERT(zsx_parse(arena, &options, text, &file) == STATUS_OK);
    return file;
}

static void check_diagnostics(const struct zsx_file *file, size_t size) {
    struct buffer buffer = {0};
    const struct zsx_diagnostic *diagnostic = zsx_diagnostics(file);
    for (; diagnostic != NULL; diagnostic = diagnostic->next) {
        ASSERT(diagnostic->offset <= size);
        ASSERT(zsx_explain(file, diagnostic, &buffer) == STATUS_OK);
    }
    buffer_done(&buffer);
}

static void check_format(struct arena *arena, struct zsx_file *file, enum zsx_target target) {
    struct buffer once = {0}, twice = {0}, before = {0}, after = {0};
    ASSERT(zsx_format(file, &once) == STATUS_OK);
    struct zsx_file *again = parse(arena, buffer_bytes(&once), target);
    ASSERT(zsx_diagnostics(again) == NULL);
    ASSERT(zsx_format(again, &twice) == STATUS_OK);
    ASSERT(bytes_equal(buffer_bytes(&once), buffer_bytes(&twice)));
    ASSERT(zsx_print(file, &before) == STATUS_OK && zsx_print(again, &after) == STATUS_OK);
    ASSERT(bytes_equal(buffer_bytes(&before), buffer_bytes(&after)));
    buffer_done(&once);
    buffer_done(&twice);
    buffer_done(&before);
    buffer_done(&after);
}

static void run(struct bytes text, enum zsx_target target) {
    struct arena arena = {0};
    struct buffer code = {0};
    struct zsx_file *file = parse(&arena, text, target);
    if (zsx_diagnostics(file) == NULL) check_format(&arena, file, target);
    ASSERT(zsx_check(file) == STATUS_OK);
    check_diagnostics(file, text.size);
    if (zsx_diagnostics(file) == NULL && target == ZSX_C) {
        enum status status = zsx_emit(file, &code);
        ASSERT(status == STATUS_OK || status == STATUS_TOO_LARGE);
        status = zsx_emit_header(file, "fuzz.zsx", &code);
        ASSERT(status == STATUS_OK || status == STATUS_TOO_LARGE);
    }
    buffer_done(&code);
    arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    run(bytes_of(data, size), ZSX_C);
    run(bytes_of(data, size), ZSX_ZIG);
    return 0;
}
