// SPDX-License-Identifier: Apache-2.0
#include "fixture.h"

// Of the whole process: a test is one.
static struct arena arena;

static const char *text_of(struct buffer *buffer) {
    const char *text = arena_string(&arena, buffer_bytes(buffer));
    CHECK(text != NULL);
    buffer_done(buffer);
    return text;
}

struct zsx_file *fixture_parse(const char *text, enum zsx_target target) {
    struct zsx_options options = {.target = target, .path = "test.zsx"};
    struct zsx_file *file = NULL;
    // Memory of its own and exact size, so that reading past the end is seen.
    static char *copies[1024];
    static size_t copy_count;
    size_t size = strlen(text);
    char *copy = malloc(size > 0 ? size : 1);
    CHECK(copy != NULL && copy_count < sizeof copies / sizeof copies[0]);
    copies[copy_count++] = copy;
    memcpy(copy, text, size);
    CHECK_OK(zsx_parse(&arena, &options, bytes_of(copy, size), &file));
    return file;
}

struct zsx_file *fixture_markup(const char *markup) {
    struct buffer buffer = {0};
    CHECK_OK(buffer_append_format(&buffer, "markup f(int n) {\nreturn %s;\n}\n", markup));
    return fixture_parse(text_of(&buffer), ZSX_C);
}

const char *fixture_errors(struct zsx_file *file) {
    struct buffer buffer = {0};
    CHECK_OK(zsx_check(file));
    const struct zsx_diagnostic *diagnostic = zsx_diagnostics(file);
    for (; diagnostic != NULL; diagnostic = diagnostic->next)
        CHECK_OK(buffer_append_format(&buffer, "%u:%u %s\n", diagnostic->line, diagnostic->column,
                                      diagnostic->message));
    return text_of(&buffer);
}

const char *fixture_tree(struct zsx_file *file) {
    struct buffer buffer = {0};
    CHECK_OK(zsx_print(file, &buffer));
    return text_of(&buffer);
}

const char *fixture_format(struct zsx_file *file) {
    struct buffer buffer = {0};
    CHECK_OK(zsx_format(file, &buffer));
    return text_of(&buffer);
}

const char *fixture_code(struct zsx_file *file) {
    struct buffer buffer = {0};
    const char *errors = fixture_errors(file);
    if (*errors != '\0') test_fail(__FILE__, __LINE__, "%s", errors);
    CHECK_OK(zsx_emit(file, &buffer));
    return text_of(&buffer);
}
