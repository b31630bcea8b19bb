// SPDX-License-Identifier: Apache-2.0
// Tags. Classes and styles that are given in several attributes become one.
#include "zsx/emit.h"

static bool is_helper(const struct zsx_attribute *attribute, const char *prefix) {
    return attribute->name.size > 6 && memcmp(attribute->name.data, prefix, 6) == 0;
}

static struct bytes helper_name(const struct zsx_attribute *attribute) {
    return bytes_of(attribute->name.data + 6, attribute->name.size - 6);
}

static const struct zsx_attribute *find_helper(const struct zsx_node *node, const char *prefix) {
    for (const struct zsx_attribute *a = node->attributes; a != NULL; a = a->next)
        if (is_helper(a, prefix)) return a;
    return NULL;
}

static const struct zsx_attribute *find_named(const struct zsx_node *node, const char *name) {
    for (const struct zsx_attribute *a = node->attributes; a != NULL; a = a->next)
        if (bytes_equal_string(a->name, name)) return a;
    return NULL;
}

// Written between double quotes, whichever were used.
static void static_value(struct zsx_emitter *emitter, struct bytes text) {
    size_t start = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] != '"') continue;
        zsx_static(emitter, bytes_of(text.data + start, i - start));
        zsx_static_string(emitter, "&quot;");
        start = i + 1;
    }
    zsx_static(emitter, bytes_of(text.data + start, text.size - start));
}

static void emit_pieces(struct zsx_emitter *emitter, const struct zsx_piece *piece) {
    for (; piece != NULL; piece = piece->next) {
        if (piece->is_code)
            zsx_value(emitter, piece->escape, piece->text);
        else
            static_value(emitter, piece->text);
    }
}

static void emit_if(struct zsx_emitter *emitter, struct bytes code, const char *before,
                    struct bytes text) {
    zsx_ready(emitter);
    emitter->language->if_begin(emitter, code);
    zsx_static_string(emitter, before);
    zsx_static(emitter, text);
    zsx_ready(emitter);
    emitter->language->end(emitter);
}

static void emit_class(struct zsx_emitter *emitter, const struct zsx_node *node) {
    const struct zsx_attribute *plain = find_named(node, "class");
    zsx_static_string(emitter, " class=\"");
    if (plain != NULL) emit_pieces(emitter, plain->pieces);
    for (const struct zsx_attribute *a = node->attributes; a != NULL; a = a->next)
        if (is_helper(a, "class:")) emit_if(emitter, a->pieces->text, " ", helper_name(a));
    zsx_static_string(emitter, "\"");
}

static void emit_style(struct zsx_emitter *emitter, const struct zsx_node *node) {
    const struct zsx_attribute *plain = find_named(node, "style");
    bool first = true;
    zsx_static_string(emitter, " style=\"");
    if (plain != NULL && plain->pieces != NULL) {
        emit_pieces(emitter, plain->pieces);
        first = false;
    }
    for (const struct zsx_attribute *a = node->attributes; a != NULL; a = a->next) {
        if (!is_helper(a, "style:")) continue;
        zsx_static_string(emitter, first ? "" : ";");
        zsx_static(emitter, helper_name(a));
        zsx_static_string(emitter, ":");
        zsx_value(emitter, ZSX_ESCAPE_CSS, a->pieces->text);
        first = false;
    }
    zsx_static_string(emitter, "\"");
}

static void emit_spread(struct zsx_emitter *emitter, const struct zsx_node *node,
                        const struct zsx_attribute *spread) {
    struct buffer skip = {0};
    enum status status = STATUS_OK;
    for (const struct zsx_attribute *a = node->attributes; a != NULL && status == STATUS_OK;
         a = a->next) {
        if (a->form == ZSX_SPREAD) continue;
        struct bytes name =
            is_helper(a, "class:") || is_helper(a, "style:") ? bytes_of(a->name.data, 5) : a->name;
        status = buffer_append(&skip, name.data, name.size);
        if (status == STATUS_OK) status = buffer_append(&skip, " ", 1);
    }
    if (emitter->status == STATUS_OK) emitter->status = status;
    zsx_ready(emitter);
    emitter->language->spread(emitter, spread->pieces->text, buffer_bytes(&skip));
    buffer_done(&skip);
}

static void emit_code(struct zsx_emitter *emitter, const struct zsx_attribute *attribute) {
    const struct zsx_piece *piece = attribute->pieces;
    if (attribute->context == ZSX_BOOLEAN) {
        emit_if(emitter, piece->text, " ", attribute->name);
        return;
    }
    bool constant =
        piece->text.data[0] == '"' || (piece->text.data[0] >= '0' && piece->text.data[0] <= '9');
    if (!constant && (piece->escape == ZSX_ESCAPE_ATTRIBUTE || piece->escape == ZSX_ESCAPE_URL)) {
        zsx_ready(emitter);
        emitter->language->attribute(emitter, attribute->name, piece->escape, piece->text);
        return;
    }
    zsx_static_string(emitter, " ");
    zsx_static(emitter, attribute->name);
    zsx_static_string(emitter, "=\"");
    emit_pieces(emitter, piece);
    zsx_static_string(emitter, "\"");
}

static void emit_attribute(struct zsx_emitter *emitter, const struct zsx_attribute *attribute) {
    if (attribute->form == ZSX_CODE) {
        emit_code(emitter, attribute);
        return;
    }
    zsx_static_string(emitter, " ");
    zsx_static(emitter, attribute->name);
    if (attribute->form == ZSX_BARE) return;
    zsx_static_string(emitter, "=\"");
    emit_pieces(emitter, attribute->pieces);
    zsx_static_string(emitter, "\"");
}

void zsx_emit_opening(struct zsx_emitter *emitter, const struct zsx_node *node) {
    bool merges_class = find_helper(node, "class:") != NULL;
    bool merges_style = find_helper(node, "style:") != NULL;
    bool class_done = false, style_done = false;
    zsx_static_string(emitter, "<");
    zsx_static(emitter, node->name);
    for (const struct zsx_attribute *a = node->attributes; a != NULL; a = a->next) {
        bool is_class = bytes_equal_string(a->name, "class") || is_helper(a, "class:");
        bool is_style = bytes_equal_string(a->name, "style") || is_helper(a, "style:");
        if (is_class && merges_class) {
            if (!class_done) emit_class(emitter, node);
            class_done = true;
        } else if (is_style && merges_style) {
            if (!style_done) emit_style(emitter, node);
            style_done = true;
        } else if (a->form == ZSX_SPREAD) {
            emit_spread(emitter, node, a);
        } else {
            emit_attribute(emitter, a);
        }
    }
    zsx_static_string(emitter, ">");
    // Browsers drop one line break here: a value that begins with one would lose it.
    bool drops =
        bytes_equal_string(node->name, "pre") || bytes_equal_string(node->name, "textarea");
    if (drops && node->first != NULL && node->first->kind != ZSX_TEXT)
        zsx_static_string(emitter, "\n");
}

void zsx_emit_closing(struct zsx_emitter *emitter, const struct zsx_node *node) {
    const struct html_element *element = html_find(node->name);
    if (element != NULL && (element->flags & HTML_VOID) != 0) return;
    zsx_static_string(emitter, "</");
    zsx_static(emitter, node->name);
    zsx_static_string(emitter, ">");
}
