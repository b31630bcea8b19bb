// SPDX-License-Identifier: Apache-2.0
// What can be known before the host language's compiler sees anything: names, props, duplicates;
// nesting and attributes are in files of their own.
#include "zsx/tree.h"

static bool is_blank(struct bytes text) {
    return zsx_trim(text).size == 0;
}

static bool equal_any_case(struct bytes a, struct bytes b) {
    if (a.size != b.size) return false;
    for (size_t i = 0; i < a.size; i++) {
        uint8_t x = a.data[i], y = b.data[i];
        if (x >= 'A' && x <= 'Z') x = (uint8_t)(x + 32);
        if (y >= 'A' && y <= 'Z') y = (uint8_t)(y + 32);
        if (x != y) return false;
    }
    return true;
}

static void check_duplicates(struct zsx_file *file, const struct zsx_node *node) {
    for (const struct zsx_attribute *a = node->attributes; a != NULL; a = a->next) {
        if (a->form == ZSX_SPREAD) continue;
        for (const struct zsx_attribute *b = node->attributes; b != a; b = b->next)
            if (equal_any_case(a->name, b->name))
                zsx_error(file, a->start, "%.*s is given twice", ZSX_PRINT(a->name));
    }
}

static const struct zsx_attribute *find_attribute(const struct zsx_node *node, struct bytes name) {
    for (const struct zsx_attribute *a = node->attributes; a != NULL; a = a->next)
        if (bytes_equal(a->name, name)) return a;
    return NULL;
}

static const struct zsx_parameter *find_parameter(const struct zsx_function *function,
                                                  struct bytes name) {
    for (const struct zsx_parameter *p = function->parameters; p != NULL; p = p->next)
        if (bytes_equal(p->name, name)) return p;
    return NULL;
}

static void check_props(struct zsx_file *file, struct zsx_node *node) {
    const struct zsx_function *function = node->function;
    for (struct zsx_attribute *a = node->attributes; a != NULL; a = a->next) {
        if (a->form == ZSX_SPREAD)
            zsx_error(file, a->start, "a component takes its props by name, not by {...}");
        else if (find_parameter(function, a->name) == NULL)
            zsx_error(file, a->start, "<%.*s> has no prop %.*s", ZSX_PRINT(node->name),
                      ZSX_PRINT(a->name));
        else if (a->form == ZSX_QUOTED && a->pieces != NULL &&
                 (a->pieces->is_code || a->pieces->next != NULL))
            zsx_error(file, a->start, "a prop is one text or one {expression}");
    }
    for (const struct zsx_parameter *p = function->parameters; p != NULL; p = p->next)
        if (p->fallback.size == 0 && find_attribute(node, p->name) == NULL)
            zsx_error(file, node->start, "<%.*s> needs the prop %.*s", ZSX_PRINT(node->name),
                      ZSX_PRINT(p->name));
}

static bool has_slot(const struct zsx_function *function, struct bytes name) {
    for (uint32_t i = 0; i < function->slot_count; i++)
        if (bytes_equal(function->slots[i]->name, name)) return true;
    return false;
}

static void check_fills(struct zsx_file *file, struct zsx_node *node) {
    bool told = false;
    for (struct zsx_node *child = node->first; child != NULL; child = child->next) {
        if (child->kind == ZSX_FILL) {
            if (bytes_equal_string(child->name, "children"))
                zsx_error(file, child->start, "what stands in no <:slot> are the children");
            if (!has_slot(node->function, child->name))
                zsx_error(file, child->start, "<%.*s> has no slot %.*s", ZSX_PRINT(node->name),
                          ZSX_PRINT(child->name));
            for (struct zsx_node *other = node->first; other != child; other = other->next)
                if (other->kind == ZSX_FILL && bytes_equal(other->name, child->name))
                    zsx_error(file, child->start, "the slot %.*s is filled twice",
                              ZSX_PRINT(child->name));
        } else if (!told && child->kind != ZSX_COMMENT &&
                   !(child->kind == ZSX_TEXT &&
                     is_blank(zsx_slice(file, child->start, child->end))) &&
                   !has_slot(node->function, bytes_of_string("children"))) {
            zsx_error(file, child->start, "<%.*s> takes no children", ZSX_PRINT(node->name));
            told = true;
        }
    }
}

void zsx_check_call(struct zsx_file *file, struct zsx_node *node) {
    node->function = zsx_function_find(file, node->name);
    if (node->function == NULL) {
        zsx_error(file, node->start, "there is no component %.*s", ZSX_PRINT(node->name));
        return;
    }
    check_duplicates(file, node);
    check_props(file, node);
    check_fills(file, node);
}

static void check_element(struct zsx_file *file, struct zsx_node *node) {
    check_duplicates(file, node);
    zsx_check_nesting(file, node);
    for (struct zsx_attribute *a = node->attributes; a != NULL; a = a->next)
        zsx_check_attribute(file, node, a);
    zsx_check_raw_element(file, node);
}

static void check_switch(struct zsx_file *file, struct zsx_node *node) {
    for (struct zsx_node *child = node->first->first; child != NULL; child = child->next) {
        if (child->kind == ZSX_COMMENT ||
            (child->kind == ZSX_TEXT && is_blank(zsx_slice(file, child->start, child->end))))
            continue;
        zsx_error(file, child->start, "in {switch} everything stands below a {case} or {default}");
        return;
    }
}

static void check_node(struct zsx_file *file, struct zsx_node *node) {
    switch (node->kind) {
    case ZSX_ELEMENT:
        check_element(file, node);
        break;
    case ZSX_CALL:
        zsx_check_call(file, node);
        break;
    case ZSX_FILL:
        if (node->parent->kind != ZSX_CALL)
            zsx_error(file, node->start, "a slot is filled directly inside of a component's tag");
        if (node->attributes != NULL)
            zsx_error(file, node->attributes->start, "what fills a slot has no attributes");
        break;
    case ZSX_SWITCH:
        check_switch(file, node);
        break;
    case ZSX_TEXT:
    case ZSX_EXPRESSION:
    case ZSX_RAW:
        zsx_check_nesting(file, node);
        break;
    default:
        break;
    }
}

static void check_tree(struct zsx_file *file, struct zsx_node *node) {
    check_node(file, node);
    for (struct zsx_node *child = node->first; child != NULL && !file->out_of_memory;
         child = child->next)
        check_tree(file, child);
}

enum status zsx_check(struct zsx_file *file) {
    check_tree(file, &file->root);
    return file->out_of_memory ? STATUS_NO_MEMORY : STATUS_OK;
}
