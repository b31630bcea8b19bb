// SPDX-License-Identifier: Apache-2.0
// A tree of path segments. A node's children are its literals, one for a parameter and one for the
// rest; a search tries them in this order and comes back when a branch leads nowhere, so each node
// is visited at most once.
#include <stdio.h>
#include <stdlib.h>

#include "http/http.h"
#include "text.h"

enum { METHOD_COUNT = HTTP_OPTIONS + 1, SEGMENTS_MAX = 32 };

struct router_node {
    struct router_node *literals; // first child, by `next`
    struct router_node *next;
    struct router_node *parameter;
    struct router_node *rest;
    uint8_t *text; // of a literal, owned
    size_t size;
    bool has[METHOD_COUNT];
    uint32_t routes[METHOD_COUNT];
};

struct http_router {
    struct router_node root;
};

enum status http_router_new(struct http_router **ret) {
    struct http_router *router = calloc(1, sizeof *router);
    if (router == NULL) return STATUS_NO_MEMORY;
    *ret = router;
    return STATUS_OK;
}

// As deep as patterns have segments, which is bounded.
static void node_done(struct router_node *node) {
    struct router_node *children[] = {node->parameter, node->rest};
    for (int i = 0; i < 2; i++) {
        if (children[i] == NULL) continue;
        node_done(children[i]);
        free(children[i]);
    }
    for (struct router_node *child = node->literals, *next; child != NULL; child = next) {
        next = child->next;
        node_done(child);
        free(child);
    }
    free(node->text);
}

void http_router_free(struct http_router *router) {
    if (router == NULL) return;
    node_done(&router->root);
    free(router);
}

// Takes the next segment off `path`, which begins with '/'; false when nothing is left.
static bool next_segment(struct bytes *path, struct bytes *ret) {
    if (path->size == 0) return false;
    ASSERT(path->data[0] == '/');
    const uint8_t *begin = path->data + 1;
    const uint8_t *slash = memchr(begin, '/', path->size - 1);
    size_t size = slash == NULL ? path->size - 1 : (size_t)(slash - begin);
    *ret = bytes_of(begin, size);
    *path = bytes_of(begin + size, path->size - 1 - size);
    return true;
}

// ---- adding -----------------------------------------------------------------------------------

static bool is_name(struct bytes name) {
    if (name.size == 0 || (name.data[0] >= '0' && name.data[0] <= '9')) return false;
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && !(c >= '0' && c <= '9')) return false;
    }
    return true;
}

static bool is_literal(struct bytes segment) {
    for (size_t i = 0; i < segment.size; i++) {
        uint8_t c = segment.data[i];
        if (c < 0x20 || c == 0x7f || c == '%' || c == '?' || c == '#' || c == '*') return false;
    }
    return true;
}

struct pattern_check {
    struct bytes names[HTTP_PARAMS_MAX];
    size_t name_count, segment_count;
};

static const char *check_segment(struct pattern_check *check, struct bytes segment, bool last) {
    if (++check->segment_count > SEGMENTS_MAX) return "too many segments";
    bool rest = segment.size > 0 && segment.data[0] == '*';
    if (!rest && (segment.size == 0 || segment.data[0] != ':'))
        return is_literal(segment) ? NULL : "a literal has a character that is not allowed";
    struct bytes name = bytes_of(segment.data + 1, segment.size - 1);
    if (!is_name(name)) return "a parameter's name is letters, digits and underscores";
    if (rest && !last) return "the rest must come last";
    if (check->name_count == HTTP_PARAMS_MAX) return "too many parameters";
    for (size_t i = 0; i < check->name_count; i++)
        if (bytes_equal(check->names[i], name)) return "two parameters have the same name";
    check->names[check->name_count++] = name;
    return NULL;
}

// What is wrong with a pattern, or NULL.
static const char *check_pattern(struct bytes pattern) {
    if (pattern.size == 0 || pattern.data[0] != '/') return "it does not begin with '/'";
    struct pattern_check check = {0};
    struct bytes segment;
    while (next_segment(&pattern, &segment)) {
        const char *problem = check_segment(&check, segment, pattern.size == 0);
        if (problem != NULL) return problem;
    }
    return NULL;
}

static struct router_node *child_at(struct router_node **place) {
    if (*place == NULL) *place = calloc(1, sizeof **place);
    return *place;
}

static struct router_node *literal_child(struct router_node *node, struct bytes text) {
    struct router_node *child = node->literals;
    while (child != NULL && !bytes_equal(bytes_of(child->text, child->size), text))
        child = child->next;
    if (child != NULL) return child;
    child = calloc(1, sizeof *child);
    uint8_t *copy = malloc(text.size + 1);
    if (child == NULL || copy == NULL) {
        free(child);
        free(copy);
        return NULL;
    }
    memcpy(copy, text.data, text.size);
    child->text = copy;
    child->size = text.size;
    child->next = node->literals;
    node->literals = child;
    return child;
}

// Finds or makes the child for a segment of a pattern; NULL without memory.
static struct router_node *child_for(struct router_node *node, struct bytes segment) {
    if (segment.size > 0 && segment.data[0] == ':') return child_at(&node->parameter);
    if (segment.size > 0 && segment.data[0] == '*') return child_at(&node->rest);
    return literal_child(node, segment);
}

enum status http_router_add(struct http_router *router, enum http_method method,
                            struct bytes pattern, uint32_t route, struct error *error) {
    ASSERT(method >= HTTP_GET && method <= HTTP_OPTIONS);
    int shown = pattern.size < 120 ? (int)pattern.size : 120;
    const char *problem = check_pattern(pattern);
    if (problem != NULL)
        return error_set(error, STATUS_INVALID, "route \"%.*s\": %s", shown,
                         (const char *)pattern.data, problem);
    struct router_node *node = &router->root;
    struct bytes left = pattern, segment;
    while (next_segment(&left, &segment)) {
        node = child_for(node, segment);
        if (node == NULL) return error_set(error, STATUS_NO_MEMORY, "no memory");
    }
    if (node->has[method])
        return error_set(error, STATUS_EXISTS, "route %s \"%.*s\": another one has this shape",
                         http_method_name(method), shown, (const char *)pattern.data);
    node->has[method] = true;
    node->routes[method] = route;
    return STATUS_OK;
}

// ---- matching ---------------------------------------------------------------------------------

struct search {
    enum http_method method;
    struct arena *arena;
    struct http_match *match;
    bool encoded; // the path holds percent-encoding
    bool no_memory;
    bool allowed[METHOD_COUNT]; // by nodes that fit but for the method
};

static bool encoding_is_valid(struct bytes path) {
    for (size_t i = 0; i < path.size; i++) {
        if (path.data[i] != '%') continue;
        if (path.size - i < 3) return false;
        int high = text_hex_value(path.data[i + 1]), low = text_hex_value(path.data[i + 2]);
        if (high < 0 || low < 0 || (high == 0 && low == 0)) return false;
        i += 2;
    }
    return true;
}

// Decodes into the arena what needs it.
static bool decode(struct search *search, struct bytes encoded, struct bytes *ret) {
    *ret = encoded;
    if (!search->encoded || memchr(encoded.data, '%', encoded.size) == NULL) return true;
    uint8_t *decoded = arena_allocate(search->arena, encoded.size, 1);
    if (decoded == NULL) {
        search->no_memory = true;
        return false;
    }
    size_t size = 0;
    for (size_t i = 0; i < encoded.size; i++) {
        uint8_t c = encoded.data[i];
        if (c == '%') {
            c = (uint8_t)(text_hex_value(encoded.data[i + 1]) * 16 +
                          text_hex_value(encoded.data[i + 2]));
            i += 2;
        }
        decoded[size++] = c;
    }
    *ret = bytes_of(decoded, size);
    return true;
}

static bool accept_node(struct search *search, const struct router_node *node) {
    enum http_method method = search->method;
    if (method == HTTP_HEAD && !node->has[HTTP_HEAD]) method = HTTP_GET;
    if (node->has[method]) {
        search->match->route = node->routes[method];
        return true;
    }
    for (int i = HTTP_GET; i < METHOD_COUNT; i++) search->allowed[i] |= node->has[i];
    return false;
}

static bool visit(struct search *search, const struct router_node *node, struct bytes path,
                  size_t param_count);

static bool visit_rest(struct search *search, const struct router_node *node, struct bytes path,
                       size_t param_count) {
    struct http_match *match = search->match;
    struct bytes rest = bytes_of(path.data + 1, path.size - 1);
    if (!decode(search, rest, &match->params[param_count])) return false;
    match->param_count = param_count + 1;
    return accept_node(search, node);
}

static bool visit_children(struct search *search, const struct router_node *node, struct bytes path,
                           size_t param_count) {
    struct bytes encoded, segment, left = path;
    if (!next_segment(&left, &encoded) || !decode(search, encoded, &segment)) return false;
    for (const struct router_node *child = node->literals; child != NULL; child = child->next) {
        if (!bytes_equal(bytes_of(child->text, child->size), segment)) continue;
        if (visit(search, child, left, param_count)) return true;
        break;
    }
    if (node->parameter != NULL && segment.size > 0) {
        search->match->params[param_count] = segment;
        if (visit(search, node->parameter, left, param_count + 1)) return true;
    }
    return node->rest != NULL && visit_rest(search, node->rest, path, param_count);
}

// Whether `path` (what is left of it) leads from `node` to a route of the method.
static bool visit(struct search *search, const struct router_node *node, struct bytes path,
                  size_t param_count) {
    if (path.size > 0) return visit_children(search, node, path, param_count);
    search->match->param_count = param_count;
    return accept_node(search, node);
}

// "GET, HEAD, POST"; false when no method is.
static bool list_allowed(struct search *search) {
    bool *allowed = search->allowed;
    allowed[HTTP_HEAD] |= allowed[HTTP_GET];
    char *place = search->match->allow, *end = place + sizeof search->match->allow;
    *place = '\0';
    for (int i = HTTP_GET; i < METHOD_COUNT; i++) {
        if (!allowed[i]) continue;
        const char *separator = place == search->match->allow ? "" : ", ";
        place += snprintf(place, (size_t)(end - place), "%s%s", separator,
                          http_method_name((enum http_method)i));
        ASSERT(place < end);
    }
    return place > search->match->allow;
}

enum status http_router_match(const struct http_router *router, enum http_method method,
                              struct bytes path, struct arena *arena, struct http_match *ret) {
    struct search search = {.method = method, .arena = arena, .match = ret};
    if (path.size == 0 || path.data[0] != '/') return STATUS_NOT_FOUND;
    search.encoded = memchr(path.data, '%', path.size) != NULL;
    if (search.encoded && !encoding_is_valid(path)) return STATUS_MALFORMED;
    if (visit(&search, &router->root, path, 0)) return STATUS_OK;
    if (search.no_memory) return STATUS_NO_MEMORY;
    return list_allowed(&search) ? STATUS_FORBIDDEN : STATUS_NOT_FOUND;
}
