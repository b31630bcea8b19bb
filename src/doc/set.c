// SPDX-License-Identifier: Apache-2.0
// Copies of documents with fields changed.
//
// The changes are sorted by path with the dot below every other byte, so that all changes under
// one field stand together behind the change of the field itself. A level of the document is then
// written in one pass with a binary search per element, however many changes there are.
#include "base/limits.h"
#include "doc/element.h"
#include "doc/path.h"

#include <stdio.h>
#include <stdlib.h>

struct change {
    struct bytes path;
    struct doc_value value;
    size_t order; // place among the changes as given
    bool done;    // written; of the first of a group: the whole group is
};

// The changes [first, end) share the path's first `prefix_size` bytes.
struct range {
    size_t first;
    size_t end;
    size_t prefix_size;
};

struct rewrite {
    struct buffer *buffer;
    struct change *changes;
    struct error *error;
};

static int path_order(struct bytes a, struct bytes b) {
    size_t shared = a.size < b.size ? a.size : b.size;
    for (size_t i = 0; i < shared; i++) {
        if (a.data[i] == b.data[i]) continue;
        if (a.data[i] == '.') return -1;
        if (b.data[i] == '.') return 1;
        return a.data[i] < b.data[i] ? -1 : 1;
    }
    return (a.size > b.size) - (a.size < b.size);
}

static int change_order(const void *a, const void *b) {
    const struct change *left = a, *right = b;
    return path_order(left->path, right->path);
}

// ---- groups of changes ----------------------------------------------------------------------

static struct bytes part_at(const struct rewrite *rewrite, size_t index, size_t prefix_size) {
    struct bytes path = rewrite->changes[index].path;
    return path_first_part(bytes_of(path.data + prefix_size, path.size - prefix_size));
}

// The changes from `first` on, within `range`, whose next part is that of `first`.
static struct range group_at(const struct rewrite *rewrite, const struct range *range,
                             size_t first) {
    struct bytes part = part_at(rewrite, first, range->prefix_size);
    size_t end = first + 1;
    while (end < range->end && bytes_equal(part_at(rewrite, end, range->prefix_size), part)) end++;
    return (struct range){first, end, range->prefix_size + part.size + 1};
}

// Whether the group sets the field itself, not something inside it.
static bool is_leaf(const struct rewrite *rewrite, const struct range *group) {
    return rewrite->changes[group->first].path.size < group->prefix_size;
}

// The first change in `range` for the field `name`; range->end when there is none.
static size_t find_group(const struct rewrite *rewrite, const struct range *range,
                         struct bytes name) {
    size_t low = range->first, high = range->end;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (bytes_compare(part_at(rewrite, middle, range->prefix_size), name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < range->end && bytes_equal(part_at(rewrite, low, range->prefix_size), name))
        return low;
    return range->end;
}

// ---- writing --------------------------------------------------------------------------------

static enum status write_head(struct buffer *buffer, uint8_t type, struct bytes name) {
    static const uint8_t nul = 0;
    enum status status = buffer_append(buffer, &type, 1);
    if (status == STATUS_OK && name.size > 0) status = buffer_append(buffer, name.data, name.size);
    if (status == STATUS_OK) status = buffer_append(buffer, &nul, 1);
    return status;
}

static enum status write_value(struct buffer *buffer, struct bytes name,
                               const struct doc_value *value) {
    size_t size = value_payload_size(value);
    enum status status = write_head(buffer, (uint8_t)value->type, name);
    if (status == STATUS_OK) status = buffer_reserve(buffer, size);
    if (status != STATUS_OK) return status;
    value_write_payload(value, buffer->data + buffer->size);
    buffer->size += size;
    return STATUS_OK;
}

// Opens a document of unknown length; close_document() fills it in.
static enum status open_document(struct buffer *buffer, size_t *ret_start) {
    static const uint8_t length[4];
    *ret_start = buffer->size;
    return buffer_append(buffer, length, sizeof length);
}

static enum status close_document(struct buffer *buffer, size_t start) {
    static const uint8_t nul = 0;
    enum status status = buffer_append(buffer, &nul, 1);
    if (status != STATUS_OK) return status;
    if (buffer->size - start > INT32_MAX) return STATUS_TOO_LARGE;
    store_le32(buffer->data + start, (uint32_t)(buffer->size - start));
    return STATUS_OK;
}

static enum status write_level(const struct rewrite *rewrite, const struct doc_value *level,
                               const struct range *range);

// Writes the field that `group` changes; `old` is its value so far, or missing.
static enum status write_group(const struct rewrite *rewrite, struct bytes name,
                               const struct doc_value *old, const struct range *group) {
    struct change *first = &rewrite->changes[group->first];
    if (is_leaf(rewrite, group)) {
        first->done = true;
        return write_value(rewrite->buffer, name, &first->value);
    }
    struct doc_value inner = *old;
    if (inner.type == DOC_MISSING)
        inner = (struct doc_value){.type = DOC_DOCUMENT};
    else if (inner.type != DOC_DOCUMENT && inner.type != DOC_ARRAY)
        return error_set(rewrite->error, STATUS_INVALID,
                         "cannot set '%.*s': '%.*s' is a value of type %s, not a document",
                         (int)first->path.size, (const char *)first->path.data,
                         (int)group->prefix_size - 1, (const char *)first->path.data,
                         doc_type_name(inner.type));
    enum status status = write_head(rewrite->buffer, (uint8_t)inner.type, name);
    if (status != STATUS_OK) return status;
    return write_level(rewrite, &inner, group);
}

// Copies the elements of `level`, changed where a change names them.
static enum status write_elements(const struct rewrite *rewrite, const struct doc_value *level,
                                  const struct range *range) {
    if (level->payload.size < DOC_EMPTY_SIZE) return STATUS_OK;
    const uint8_t *next = level->payload.data + 4;
    const uint8_t *end = level->payload.data + level->payload.size - 1;
    const uint8_t *start = next; // of what is to be copied unchanged
    struct element element;
    char digits[16];
    for (uint32_t position = 0; element_next(&next, end, &element); position++) {
        struct bytes name = element.name;
        if (level->type == DOC_ARRAY)
            name = bytes_of(digits, (size_t)snprintf(digits, sizeof digits, "%u", position));
        size_t first = find_group(rewrite, range, name);
        if (first == range->end || rewrite->changes[first].done) continue;
        const uint8_t *place = element.name.data - 1;
        enum status status = buffer_append(rewrite->buffer, start, (size_t)(place - start));
        if (status != STATUS_OK) return status;
        struct range group = group_at(rewrite, range, first);
        struct doc_value old = element_value(element.type, element.payload, element.payload_size);
        status = write_group(rewrite, element.name, &old, &group);
        if (status != STATUS_OK) return status;
        start = next;
    }
    return buffer_append(rewrite->buffer, start, (size_t)(next - start));
}

struct pending {
    size_t order;
    struct range group;
};

static int pending_order(const void *a, const void *b) {
    const struct pending *left = a, *right = b;
    return (left->order > right->order) - (left->order < right->order);
}

// Collects the groups of `range` that no element has taken, in the order in which they were given.
static size_t collect_pending(const struct rewrite *rewrite, const struct range *range,
                              struct pending *pending) {
    size_t count = 0;
    struct range group;
    for (size_t first = range->first; first < range->end; first = group.end) {
        group = group_at(rewrite, range, first);
        if (rewrite->changes[first].done) continue;
        size_t order = SIZE_MAX;
        for (size_t i = group.first; i < group.end; i++)
            if (rewrite->changes[i].order < order) order = rewrite->changes[i].order;
        pending[count++] = (struct pending){.order = order, .group = group};
    }
    qsort(pending, count, sizeof pending[0], pending_order);
    return count;
}

static enum status write_new_fields(const struct rewrite *rewrite, const struct doc_value *level,
                                    const struct range *range) {
    static const struct doc_value missing = {.type = DOC_MISSING};
    struct pending *pending = calloc(range->end - range->first, sizeof pending[0]);
    if (pending == NULL) return STATUS_NO_MEMORY;
    size_t count = collect_pending(rewrite, range, pending);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct bytes path = rewrite->changes[pending[i].group.first].path;
        if (level->type == DOC_ARRAY)
            status = error_set(rewrite->error, STATUS_INVALID,
                               "cannot set '%.*s': not a position in the array", (int)path.size,
                               (const char *)path.data);
        else
            status =
                write_group(rewrite, part_at(rewrite, pending[i].group.first, range->prefix_size),
                            &missing, &pending[i].group);
    }
    free(pending);
    return status;
}

// Recursion is bounded by FIELD_PATH_PARTS_MAX.
static enum status write_level(const struct rewrite *rewrite, const struct doc_value *level,
                               const struct range *range) {
    size_t start;
    enum status status = open_document(rewrite->buffer, &start);
    if (status == STATUS_OK) status = write_elements(rewrite, level, range);
    if (status == STATUS_OK) status = write_new_fields(rewrite, level, range);
    if (status == STATUS_OK) status = close_document(rewrite->buffer, start);
    return status;
}

// ---- the changes ----------------------------------------------------------------------------

static size_t count_fields(struct bytes document) {
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value value;
    size_t count = 0;
    for (doc_iterate(&iterator, document); doc_next(&iterator, &name, &value);) count++;
    return count;
}

static enum status collect_changes(struct change *list, struct bytes changes, bool *ret_may_deepen,
                                   struct error *error) {
    struct doc_iterator iterator;
    struct bytes path;
    struct doc_value value;
    size_t count = 0;
    *ret_may_deepen = false;
    for (doc_iterate(&iterator, changes); doc_next(&iterator, &path, &value); count++) {
        if (!doc_path_valid(path))
            return error_set(error, STATUS_INVALID, "'%.*s' is not a field path",
                             (int)(path.size < 100 ? path.size : 100), (const char *)path.data);
        if (value.type == DOC_DOCUMENT || value.type == DOC_ARRAY) *ret_may_deepen = true;
        list[count] = (struct change){.path = path, .value = value, .order = count};
    }
    qsort(list, count, sizeof list[0], change_order);
    for (size_t i = 1; i < count; i++) {
        struct bytes upper = list[i - 1].path, lower = list[i].path;
        if (upper.size > lower.size || memcmp(upper.data, lower.data, upper.size) != 0) continue;
        if (upper.size == lower.size || lower.data[upper.size] == '.')
            return error_set(error, STATUS_INVALID, "'%.*s' is set twice", (int)upper.size,
                             (const char *)upper.data);
    }
    return STATUS_OK;
}

static enum status set_fields(struct rewrite *rewrite, struct bytes document, struct bytes changes,
                              size_t count) {
    size_t start = rewrite->buffer->size;
    bool may_deepen;
    enum status status = collect_changes(rewrite->changes, changes, &may_deepen, rewrite->error);
    if (status != STATUS_OK) return status;
    struct doc_value level = {.type = DOC_DOCUMENT, .payload = document};
    struct range all = {.end = count};
    status = write_level(rewrite, &level, &all);
    if (status != STATUS_OK) return status;
    struct bytes result = bytes_of(rewrite->buffer->data + start, rewrite->buffer->size - start);
    if (result.size > DOCUMENT_SIZE_MAX)
        return error_set(rewrite->error, STATUS_TOO_LARGE, "the document would have %zu bytes",
                         result.size);
    // Nested values set deep inside may exceed the depth; scalars cannot.
    if (may_deepen && doc_validate(result, NULL) != STATUS_OK)
        return error_set(rewrite->error, STATUS_INVALID, "the document would nest too deeply");
    return STATUS_OK;
}

enum status doc_set_fields(struct buffer *buffer, struct bytes document, struct bytes changes,
                           struct error *error) {
    struct change few[16];
    size_t count = count_fields(changes);
    if (count == 0) return buffer_append(buffer, document.data, document.size);
    struct change *list = few;
    if (count > sizeof few / sizeof few[0]) {
        list = calloc(count, sizeof list[0]);
        if (list == NULL) return STATUS_NO_MEMORY;
    }
    size_t start = buffer->size;
    struct rewrite rewrite = {.buffer = buffer, .changes = list, .error = error};
    enum status status = set_fields(&rewrite, document, changes, count);
    if (status != STATUS_OK) buffer->size = start;
    if (list != few) free(list);
    return status;
}

enum status doc_with_id(struct buffer *buffer, struct bytes document, const struct doc_value *id) {
    static const char name_text[] = "_id";
    struct bytes name = bytes_of(name_text, 3);
    struct doc_value own = doc_get(document, name);
    size_t start, reset = buffer->size;
    enum status status = open_document(buffer, &start);
    if (status == STATUS_OK)
        status = write_value(buffer, name, own.type == DOC_MISSING ? id : &own);
    if (status == STATUS_OK && document.size >= DOC_EMPTY_SIZE) {
        const uint8_t *first = document.data + 4;
        const uint8_t *end = document.data + document.size - 1;
        const uint8_t *next = first, *place = first;
        struct element element;
        bool found = false;
        while (!found && element_next(&next, end, &element)) {
            found = bytes_equal(element.name, name);
            if (!found) place = next;
        }
        status = buffer_append(buffer, first, (size_t)(place - first));
        if (status == STATUS_OK) status = buffer_append(buffer, next, (size_t)(end - next));
    }
    if (status == STATUS_OK) status = close_document(buffer, start);
    if (status != STATUS_OK) buffer->size = reset;
    return status;
}
