// SPDX-License-Identifier: Apache-2.0
// What ZSX knows of HTML, as tables: elements with their nesting, and the one table that says what
// an attribute's value is and so what may be written into it. Private to zsx.
#pragma once

#include "base/bytes.h"

enum html_flags {
    HTML_VOID = 1,
    HTML_RAW = 2,            // script, style: text up to the closing tag, ${code}
    HTML_TEXT_ONLY = 4,      // title, textarea, option: no elements inside
    HTML_CLOSES_P = 8,       // its start tag ends an open p
    HTML_P_BOUNDARY = 16,    // a p outside does not see what is inside
    HTML_STRUCTURED = 32,    // takes the listed children only and no text
    HTML_NOT_IN_ITSELF = 64, // at any depth
    HTML_FOREIGN = 128,      // svg, math: names of their own inside
    HTML_HEADING = 256,
    HTML_KEEPS_SPACE = 512,
};

struct html_element {
    const char *name;
    uint32_t flags;
    const char *parents;  // " a b ": the only parents it may have; NULL: any
    const char *children; // of STRUCTURED ones
};

// NULL for a name that HTML does not have. Custom elements (with a hyphen) are not in the table.
const struct html_element *html_find(struct bytes name);
// Whether the blank-separated list " a b " has the word.
bool html_list_has(const char *list, struct bytes word);

enum zsx_context {
    ZSX_PLAIN,
    ZSX_BOOLEAN,  // there or not
    ZSX_URL,      // something that is followed or shown
    ZSX_RESOURCE, // a URL whose content gets the page's rights: its origin must be static
    ZSX_SRCSET,
    ZSX_STYLE,
    ZSX_SCRIPT, // evaluated as code: values only as JSON, and only outside of its strings
    ZSX_DATA,   // evaluated, and may be one JSON value as a whole
    ZSX_STATIC, // nothing computed is safe here
};

// The context of an attribute on an element.
enum zsx_context html_context(struct bytes element, struct bytes attribute);
