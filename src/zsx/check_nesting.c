// SPDX-License-Identifier: Apache-2.0
// Nesting that a browser would read differently from what is written, by the table in html.c. What
// a component puts around its children is not known here, so the search ends at its tag.
#include "zsx/tree.h"

static uint32_t flags_of(const struct zsx_node *node) {
    const struct html_element *element = node->kind == ZSX_ELEMENT ? html_find(node->name) : NULL;
    return element != NULL ? element->flags : 0;
}

static bool is_foreign(const struct zsx_node *node) {
    for (node = zsx_enclosing(node); node != NULL; node = zsx_enclosing(node)) {
        if (bytes_equal_string(node->name, "foreignObject")) return false;
        if ((flags_of(node) & HTML_FOREIGN) != 0) return true;
    }
    return false;
}

static uint32_t line_of(const struct zsx_file *file, const struct zsx_node *node) {
    uint32_t line, column;
    zsx_position(file->text, node->start, &line, &column);
    return line;
}

static void check_parent(struct zsx_file *file, const struct zsx_node *node,
                         const struct html_element *element) {
    const struct zsx_node *parent = zsx_enclosing(node);
    if (parent == NULL || parent->kind != ZSX_ELEMENT) return;
    if (element != NULL && element->parents != NULL &&
        !html_list_has(element->parents, parent->name)) {
        if (element->parents[0] == '\0')
            zsx_error(file, node->start, "<%s> stands in nothing else", element->name);
        else
            zsx_error(file, node->start, "<%s> cannot stand in <%.*s>, only in:%s", element->name,
                      ZSX_PRINT(parent->name), element->parents);
        return;
    }
    const struct html_element *outer = html_find(parent->name);
    if (outer == NULL) return;
    if ((outer->flags & HTML_STRUCTURED) != 0 && !html_list_has(outer->children, node->name))
        zsx_error(file, node->start, "<%.*s> cannot stand in <%s>, which takes only:%s",
                  ZSX_PRINT(node->name), outer->name, outer->children);
    if ((outer->flags & HTML_TEXT_ONLY) != 0)
        zsx_error(file, node->start, "<%s> takes text only", outer->name);
    if ((outer->flags & HTML_HEADING) != 0 && element != NULL &&
        (element->flags & HTML_HEADING) != 0)
        zsx_error(file, node->start, "a heading ends the <%s> around it", outer->name);
}

static void check_ancestors(struct zsx_file *file, const struct zsx_node *node,
                            const struct html_element *element) {
    bool p_is_seen = (element->flags & HTML_CLOSES_P) != 0;
    for (const struct zsx_node *outer = zsx_enclosing(node); outer != NULL;
         outer = zsx_enclosing(outer)) {
        if (outer->kind != ZSX_ELEMENT) return;
        if (p_is_seen && bytes_equal_string(outer->name, "p")) {
            zsx_error(file, node->start, "<%s> ends the <p> of line %u: it cannot stand in it",
                      element->name, line_of(file, outer));
            return;
        }
        if ((flags_of(outer) & HTML_P_BOUNDARY) != 0) p_is_seen = false;
        if ((element->flags & HTML_NOT_IN_ITSELF) != 0 && bytes_equal(outer->name, node->name)) {
            zsx_error(file, node->start, "<%s> cannot stand in the <%s> of line %u", element->name,
                      element->name, line_of(file, outer));
            return;
        }
    }
}

static void check_element(struct zsx_file *file, const struct zsx_node *node) {
    const struct html_element *element = html_find(node->name);
    if (is_foreign(node)) {
        // The names that SVG has as well; any other ends the drawing for a browser.
        static const char shared[] = " a title svg math audio video canvas iframe ";
        if (element != NULL && !html_list_has(shared, node->name))
            zsx_error(file, node->start, "<%s> is read differently inside of <svg>: put it outside",
                      element->name);
        return;
    }
    if (element == NULL && memchr(node->name.data, '-', node->name.size) == NULL) {
        zsx_error(file, node->start, "HTML has no element %.*s", ZSX_PRINT(node->name));
        return;
    }
    check_parent(file, node, element);
    if (element != NULL) check_ancestors(file, node, element);
}

// Text and expressions.
static void check_content(struct zsx_file *file, const struct zsx_node *node) {
    const struct zsx_node *parent = zsx_enclosing(node);
    if (parent == NULL || parent->kind != ZSX_ELEMENT || is_foreign(node)) return;
    if ((flags_of(parent) & HTML_STRUCTURED) == 0) return;
    if (node->kind == ZSX_TEXT && zsx_trim(zsx_slice(file, node->start, node->end)).size == 0)
        return;
    if (node->kind == ZSX_RAW) return; // the author's word
    zsx_error(file, node->start, "text cannot stand in <%.*s>", ZSX_PRINT(parent->name));
}

void zsx_check_nesting(struct zsx_file *file, struct zsx_node *node) {
    if (node->kind == ZSX_ELEMENT)
        check_element(file, node);
    else
        check_content(file, node);
}
