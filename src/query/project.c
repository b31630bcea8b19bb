// SPDX-License-Identifier: Apache-2.0
#include "query/project.h"

struct paths {
    struct bytes paths[PROJECTED_FIELDS_MAX + 1]; // and `_id`
    size_t count;
};

// What is left of `path` behind a first part that is `name`: empty when that is all of it. false
// when it begins with something else.
static bool strip_part(struct bytes path, struct bytes name, struct bytes *ret_rest) {
    if (path.size < name.size || memcmp(path.data, name.data, name.size) != 0) return false;
    *ret_rest = bytes_of(NULL, 0);
    if (path.size == name.size) return true;
    if (path.data[name.size] != '.') return false;
    *ret_rest = bytes_of(path.data + name.size + 1, path.size - name.size - 1);
    return true;
}

// The paths that go on behind `name`; true when one ends there, so that all of it is kept.
static bool select_paths(const struct paths *paths, struct bytes name, struct paths *ret) {
    ret->count = 0;
    for (size_t i = 0; i < paths->count; i++) {
        struct bytes rest;
        if (!strip_part(paths->paths[i], name, &rest)) continue;
        if (rest.size == 0) return true;
        ret->paths[ret->count++] = rest;
    }
    return false;
}

// Each level takes a part off every path, so that FIELD_PATH_PARTS_MAX bounds the recursion. Names
// end in a NUL where they stand in the document.
static void project_level(struct doc_builder *builder, struct bytes document,
                          const struct paths *paths) {
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value value;
    struct paths deeper;
    doc_iterate(&iterator, document);
    while (doc_next(&iterator, &name, &value)) {
        bool whole = select_paths(paths, name, &deeper);
        if (whole || (deeper.count > 0 && value.type == DOC_ARRAY)) {
            doc_add_value(builder, name, &value);
        } else if (deeper.count > 0 && value.type == DOC_DOCUMENT) {
            doc_begin_document(builder, (const char *)name.data);
            project_level(builder, value.payload, &deeper);
            doc_end(builder);
        }
    }
}

enum status project(struct buffer *buffer, const struct form *form, struct bytes document) {
    struct paths paths;
    struct doc_builder builder;
    ASSERT(form->field_count <= PROJECTED_FIELDS_MAX);
    paths.paths[0] = bytes_of("_id", 3);
    for (size_t i = 0; i < form->field_count; i++) paths.paths[i + 1] = form->fields[i];
    paths.count = form->field_count + 1;
    doc_builder_begin(&builder, buffer);
    project_level(&builder, document, &paths);
    return doc_builder_finish(&builder);
}
