// SPDX-License-Identifier: Apache-2.0
#include "query/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define MATCH_LIMIT 100000
#define DEPTH_LIMIT 2000
#define HEAP_LIMIT_KIB 1024

struct regex {
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *context;
};

static void *allocate(size_t size, void *arena) {
    return arena_allocate(arena, size, 16);
}
static void release(void *memory, void *arena) { // goes with the arena
    (void)memory;
    (void)arena;
}

static enum status read_flags(struct bytes flags, uint32_t *ret, struct error *error) {
    static const struct {
        char letter;
        uint32_t option;
    } known[] = {
        {'i', PCRE2_CASELESS}, {'m', PCRE2_MULTILINE}, {'s', PCRE2_DOTALL}, {'x', PCRE2_EXTENDED}};
    *ret = PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C;
    for (size_t i = 0; i < flags.size; i++) {
        size_t k = 0;
        while (k < 4 && flags.data[i] != known[k].letter) k++;
        if (k == 4)
            return error_set(error, STATUS_INVALID,
                             "the flags of a regular expression are i, m, s and x");
        *ret |= known[k].option;
    }
    return STATUS_OK;
}

enum status regex_compile(struct bytes pattern, struct bytes flags, struct arena *arena,
                          const struct regex **ret, struct error *error) {
    uint32_t options;
    int code;
    size_t offset;
    if (pattern.size > REGEX_PATTERN_MAX)
        return error_set(error, STATUS_INVALID, "a regular expression of more than %d bytes",
                         REGEX_PATTERN_MAX);
    enum status status = read_flags(flags, &options, error);
    if (status != STATUS_OK) return status;
    struct regex *regex = arena_zalloc(arena, sizeof *regex);
    pcre2_general_context *general = pcre2_general_context_create(allocate, release, arena);
    pcre2_compile_context *compile = general == NULL ? NULL : pcre2_compile_context_create(general);
    if (regex == NULL || compile == NULL)
        return error_set(error, STATUS_NO_MEMORY, "no memory for the regular expression");
    PCRE2_SPTR text = pattern.size == 0 ? (PCRE2_SPTR) "" : pattern.data;
    regex->code = pcre2_compile(text, pattern.size, options, &code, &offset, compile);
    if (regex->code == NULL) {
        char message[120] = "";
        pcre2_get_error_message(code, (PCRE2_UCHAR *)message, sizeof message);
        return error_set(error, STATUS_INVALID, "regular expression, at %zu: %s", offset, message);
    }
    regex->context = pcre2_match_context_create(general);
    regex->match = pcre2_match_data_create(1, general);
    if (regex->context == NULL || regex->match == NULL)
        return error_set(error, STATUS_NO_MEMORY, "no memory for the regular expression");
    pcre2_set_match_limit(regex->context, MATCH_LIMIT);
    pcre2_set_depth_limit(regex->context, DEPTH_LIMIT);
    pcre2_set_heap_limit(regex->context, HEAP_LIMIT_KIB);
    *ret = regex;
    return STATUS_OK;
}

enum status regex_matches(const struct regex *regex, struct bytes text, bool *ret) {
    PCRE2_SPTR subject = text.size == 0 ? (PCRE2_SPTR) "" : text.data;
    int found = pcre2_match(regex->code, subject, text.size, 0, PCRE2_NO_UTF_CHECK, regex->match,
                            regex->context);
    if (found < 0 && found != PCRE2_ERROR_NOMATCH) return STATUS_LIMIT;
    *ret = found >= 0;
    return STATUS_OK;
}
