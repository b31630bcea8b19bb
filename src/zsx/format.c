// SPDX-License-Identifier: Apache-2.0
// Layout of markup. The author decides where lines break; the formatter decides how lines are
// indented, how tags and braces are spaced and quoted. White space that the page gets stays white
// space, and what the page does not get stays a line break, so the tree is the same afterwards.
#include "zsx/host.h"
#include "zsx/tree.h"

enum gap { GAP_NONE, GAP_SPACE, GAP_LINE, GAP_BLANK_LINE };

struct formatter {
    const struct zsx_file *file;
    struct buffer *out;
    enum status status;
    struct bytes margin; // white space before the line of the `return`
    enum gap gap;        // what stands before the next thing
};

static void put(struct formatter *f, struct bytes text) {
    if (f->status == STATUS_OK && text.size > 0)
        f->status = buffer_append(f->out, text.data, text.size);
}

static void put_string(struct formatter *f, const char *text) {
    put(f, bytes_of_string(text));
}

static void new_line(struct formatter *f, size_t indent) {
    put_string(f, "\n");
    put(f, f->margin);
    for (size_t i = 0; i < indent; i++) put_string(f, "    ");
}

static void put_gap(struct formatter *f, size_t indent) {
    if (f->gap == GAP_SPACE) put_string(f, " ");
    if (f->gap == GAP_BLANK_LINE) put_string(f, "\n");
    if (f->gap >= GAP_LINE) new_line(f, indent);
    f->gap = GAP_NONE;
}

// A comment to the end of its line would swallow the brace behind it.
static void put_code(struct formatter *f, struct bytes code) {
    put(f, code);
    if (host_ends_lines(f->file->options.target, code)) put_string(f, "\n");
}

static void put_braced(struct formatter *f, const char *begin, struct bytes code) {
    put_string(f, begin);
    put_code(f, code);
    put_string(f, "}");
}

// ---- tags -----------------------------------------------------------------------------------

static const char *quote_of(const struct zsx_attribute *attribute) {
    for (const struct zsx_piece *piece = attribute->pieces; piece != NULL; piece = piece->next)
        if (!piece->is_code && memchr(piece->text.data, '"', piece->text.size) != NULL) return "'";
    return "\"";
}

static void put_attribute(struct formatter *f, const struct zsx_attribute *attribute) {
    put(f, attribute->name);
    if (attribute->form == ZSX_BARE) return;
    if (attribute->form == ZSX_SPREAD) {
        put_braced(f, "{...", attribute->pieces->text);
    } else if (attribute->form == ZSX_CODE) {
        put_braced(f, "={", attribute->pieces->text);
    } else {
        const char *quote = quote_of(attribute);
        put_string(f, "=");
        put_string(f, quote);
        for (const struct zsx_piece *piece = attribute->pieces; piece != NULL;
             piece = piece->next) {
            if (piece->is_code)
                put_braced(f, "${", piece->text);
            else
                put(f, piece->text);
        }
        put_string(f, quote);
    }
}

static bool is_void(const struct zsx_node *node) {
    const struct html_element *element = node->kind == ZSX_ELEMENT ? html_find(node->name) : NULL;
    return element != NULL && (element->flags & HTML_VOID) != 0;
}

static void put_opening(struct formatter *f, const struct zsx_node *node, size_t indent) {
    put_string(f, node->kind == ZSX_FILL ? "<:" : "<");
    put(f, node->name);
    for (const struct zsx_attribute *a = node->attributes; a != NULL; a = a->next) {
        if (a->breaks)
            new_line(f, indent + 1);
        else
            put_string(f, " ");
        put_attribute(f, a);
    }
    if (node->tag_breaks && node->attributes != NULL) new_line(f, indent);
    put_string(f, node->self_closing && !is_void(node) ? "/>" : ">");
}

static void put_closing(struct formatter *f, const struct zsx_node *node) {
    put_string(f, node->kind == ZSX_FILL ? "</:" : "</");
    put(f, node->name);
    put_string(f, ">");
}

// ---- nodes ----------------------------------------------------------------------------------

static void format_node(struct formatter *f, const struct zsx_node *node, size_t indent);

// `start` is where the output stood when the parent's children began: no blank line stands there.
static void format_text(struct formatter *f, struct bytes text, size_t indent, size_t start) {
    for (size_t i = 0; i < text.size;) {
        size_t blank = i, line_breaks = 0;
        for (; i < text.size && zsx_is_space(text.data[i]); i++)
            line_breaks += text.data[i] == '\n';
        if (line_breaks > 1 && f->out->size != start)
            f->gap = GAP_BLANK_LINE;
        else if (i > blank)
            f->gap = line_breaks > 0 ? GAP_LINE : GAP_SPACE;
        size_t word = i;
        while (i < text.size && !zsx_is_space(text.data[i])) i++;
        if (i == word) continue;
        put_gap(f, indent);
        put(f, bytes_of(text.data + word, i - word));
    }
}

// What is in `node`, at `indent`; the gap before what closes it is left to be put.
static void format_children(struct formatter *f, const struct zsx_node *node, size_t indent) {
    size_t start = f->out->size;
    f->gap = GAP_NONE;
    for (const struct zsx_node *child = node->first; child != NULL; child = child->next) {
        if (child->kind == ZSX_TEXT) {
            format_text(f, zsx_slice(f->file, child->start, child->end), indent, start);
        } else {
            put_gap(f, indent);
            format_node(f, child, indent);
            f->gap = GAP_NONE;
        }
    }
}

static void put_end_gap(struct formatter *f, size_t indent) {
    if (f->gap == GAP_BLANK_LINE) f->gap = GAP_LINE;
    put_gap(f, indent);
}

static void format_tag(struct formatter *f, const struct zsx_node *node, size_t indent) {
    put_opening(f, node, indent);
    if (node->self_closing || is_void(node)) return;
    const struct html_element *element = node->kind == ZSX_ELEMENT ? html_find(node->name) : NULL;
    if (element != NULL && (element->flags & HTML_KEEPS_SPACE) != 0) {
        if (node->first != NULL) put(f, zsx_slice(f->file, node->first->start, node->last->end));
    } else {
        format_children(f, node, indent + 1);
        put_end_gap(f, indent);
    }
    put_closing(f, node);
}

static void format_if(struct formatter *f, const struct zsx_node *node, size_t indent) {
    for (const struct zsx_node *branch = node->first; branch != NULL; branch = branch->next) {
        if (branch == node->first)
            put_braced(f, "{if ", branch->code);
        else if (branch->code.size > 0)
            put_braced(f, "{else if ", branch->code);
        else
            put_string(f, "{else}");
        format_children(f, branch, indent + 1);
        put_end_gap(f, indent);
    }
    put_string(f, "{/if}");
}

static void format_for(struct formatter *f, const struct zsx_node *node, size_t indent) {
    put_string(f, "{for ");
    put(f, node->name);
    put_string(f, node->index.size > 0 ? ", " : "");
    put(f, node->index);
    put_braced(f, " in ", node->code);
    format_children(f, node->first, indent + 1);
    put_end_gap(f, indent);
    if (node->first->next != NULL) {
        put_string(f, "{else}");
        format_children(f, node->first->next, indent + 1);
        put_end_gap(f, indent);
    }
    put_string(f, "{/for}");
}

static void format_switch(struct formatter *f, const struct zsx_node *node, size_t indent) {
    put_braced(f, "{switch ", node->code);
    for (const struct zsx_node *branch = node->first; branch != NULL; branch = branch->next) {
        if (branch != node->first && branch->code.size > 0) put_braced(f, "{case ", branch->code);
        if (branch != node->first && branch->code.size == 0) put_string(f, "{default}");
        format_children(f, branch, indent + (branch == node->first ? 1 : 2));
        put_end_gap(f, indent + (branch->next != NULL ? 1 : 0));
    }
    put_string(f, "{/switch}");
}

static void format_slot(struct formatter *f, const struct zsx_node *node, size_t indent) {
    if (node->kind == ZSX_SLOT && node->self_closing) {
        bool is_children = bytes_equal_string(node->name, "children");
        put_string(f, is_children ? "{" : "{slot ");
        put(f, node->name);
        put_string(f, is_children ? "}" : "/}");
        return;
    }
    put_braced(f, node->kind == ZSX_SLOT ? "{slot " : "{fragment ", node->name);
    format_children(f, node, indent + 1);
    put_end_gap(f, indent);
    put_string(f, node->kind == ZSX_SLOT ? "{/slot}" : "{/fragment}");
}

static void format_node(struct formatter *f, const struct zsx_node *node, size_t indent) {
    switch (node->kind) {
    case ZSX_ELEMENT:
    case ZSX_CALL:
    case ZSX_FILL:
    case ZSX_GROUP:
        format_tag(f, node, indent);
        break;
    case ZSX_EXPRESSION:
        put_braced(f, "{", node->code);
        break;
    case ZSX_RAW:
        put_braced(f, "{raw ", node->code);
        break;
    case ZSX_LET:
        put_string(f, "{let ");
        put(f, node->index);
        put_braced(f, " = ", node->code);
        break;
    case ZSX_IF:
        format_if(f, node, indent);
        break;
    case ZSX_FOR:
        format_for(f, node, indent);
        break;
    case ZSX_SWITCH:
        format_switch(f, node, indent);
        break;
    case ZSX_SLOT:
    case ZSX_PART:
        format_slot(f, node, indent);
        break;
    case ZSX_DOCTYPE:
        put_string(f, "<!doctype html>");
        break;
    default:
        put(f, zsx_slice(f->file, node->start, node->end));
        break;
    }
}

// The white space before the line on which `offset` is.
static struct bytes margin_of(const struct zsx_file *file, size_t offset) {
    size_t start = offset, end;
    while (start > 0 && file->text.data[start - 1] != '\n') start--;
    for (end = start; end < offset; end++)
        if (file->text.data[end] != ' ' && file->text.data[end] != '\t') break;
    return zsx_slice(file, start, end);
}

// Between `return` and the markup, and behind it, there may be comments: then nothing changes.
static void put_between(struct formatter *f, size_t start, size_t end, const char *usual) {
    struct bytes text = zsx_slice(f->file, start, end);
    if (zsx_trim(text).size == strlen(zsx_trim(bytes_of_string(usual)).size > 0 ? ";" : ""))
        put_string(f, usual);
    else
        put(f, text);
}

static void format_return(struct formatter *f, const struct zsx_node *node) {
    enum { RETURN_SIZE = 6 };
    f->margin = margin_of(f->file, node->start);
    put_string(f, "return");
    put_between(f, node->start + RETURN_SIZE, node->first->start, " ");
    for (const struct zsx_node *child = node->first; child != NULL; child = child->next) {
        if (child != node->first) new_line(f, 0);
        format_node(f, child, 0);
        f->gap = GAP_NONE;
    }
    put_between(f, node->last->end, node->end, ";");
}

static void format_function(struct formatter *f, const struct zsx_node *node) {
    put(f, zsx_slice(f->file, node->start, node->code_start));
    for (const struct zsx_node *child = node->first; child != NULL; child = child->next) {
        if (child->kind == ZSX_RETURN)
            format_return(f, child);
        else
            put(f, zsx_slice(f->file, child->start, child->end));
    }
}

enum status zsx_format(struct zsx_file *file, struct buffer *text) {
    struct formatter formatter = {.file = file, .out = text};
    for (const struct zsx_node *node = file->root.first; node != NULL; node = node->next) {
        if (node->kind == ZSX_FUNCTION)
            format_function(&formatter, node);
        else
            put(&formatter, zsx_slice(file, node->start, node->end));
    }
    return formatter.status;
}
