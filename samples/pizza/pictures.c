// SPDX-License-Identifier: Apache-2.0
// A picture for each product, drawn as SVG from its number: the same number, the same picture.
#include "shop.h"

struct brush {
    struct pk_out *out;
    uint32_t state; // of the generator that places toppings
};

static uint32_t next(struct brush *brush, uint32_t bound) {
    brush->state = brush->state * 1664525 + 1013904223;
    return (brush->state >> 16) % bound;
}

static void attribute(struct pk_out *out, const char *name, int64_t value) {
    pk_raw(out, " ");
    pk_raw_text(out, pk_text_of(name));
    pk_raw(out, "=\"");
    pk_write_int(out, value);
    pk_raw(out, "\"");
}

static void circle(struct pk_out *out, int64_t x, int64_t y, int64_t radius, const char *fill) {
    pk_raw(out, "<circle");
    attribute(out, "cx", x);
    attribute(out, "cy", y);
    attribute(out, "r", radius);
    pk_raw(out, " fill=\"");
    pk_raw_text(out, pk_text_of(fill));
    pk_raw(out, "\"/>");
}

static void leaf(struct pk_out *out, int64_t x, int64_t y, int64_t angle, const char *fill) {
    pk_raw(out, "<ellipse rx=\"13\" ry=\"6\" fill=\"");
    pk_raw_text(out, pk_text_of(fill));
    pk_raw(out, "\" transform=\"translate(");
    pk_write_int(out, x);
    pk_raw(out, " ");
    pk_write_int(out, y);
    pk_raw(out, ") rotate(");
    pk_write_int(out, angle);
    pk_raw(out, ")\"/>");
}

static void topping(struct brush *brush, uint32_t kind, int64_t x, int64_t y) {
    struct pk_out *out = brush->out;
    switch (kind) {
    case 0:
        circle(out, x, y, 13, "#b5301f");
        circle(out, x - 4, y - 3, 3, "#d8604f");
        circle(out, x + 5, y + 4, 2, "#d8604f");
        break;
    case 1:
        leaf(out, x, y, next(brush, 180), "#3f8a3a");
        break;
    case 2:
        circle(out, x, y, 8, "#33302b");
        circle(out, x, y, 3, "#e9b44c");
        break;
    case 3:
        circle(out, x, y, 11, "#fff6df");
        circle(out, x - 3, y - 2, 4, "#fffdf6");
        break;
    case 4:
        circle(out, x, y, 9, "#e2472f");
        circle(out, x - 2, y - 3, 2, "#f7b0a2");
        break;
    default:
        leaf(out, x, y, next(brush, 180), "#8a5a83");
        break;
    }
}

// Toppings on a jittered grid inside a disc, so that they neither overlap nor look arranged.
static void toppings(struct brush *brush, uint32_t seed) {
    uint32_t first = seed % 6, second = (seed / 6 + 1) % 6;
    for (int row = 0; row < 5; row++)
        for (int column = 0; column < 5; column++) {
            int64_t x = 120 + (column - 2) * 34 + (int64_t)next(brush, 15) - 7;
            int64_t y = 120 + (row - 2) * 34 + (int64_t)next(brush, 15) - 7;
            if ((x - 120) * (x - 120) + (y - 120) * (y - 120) > 72 * 72) continue;
            topping(brush, next(brush, 2) == 0 ? first : second, x, y);
        }
}

// A dark spot somewhere on the rim: a point of the circle of radius 97, one in twenty-four.
static void char_spot(struct brush *brush) {
    static const int8_t points[][2] = {{97, 0}, {94, 25}, {84, 48}, {69, 69}, {48, 84}, {25, 94}};
    const int8_t *point = points[next(brush, 6)];
    int64_t x = point[0], y = point[1];
    for (uint32_t turns = next(brush, 4); turns > 0; turns--) {
        int64_t turned = -y;
        y = x;
        x = turned;
    }
    circle(brush->out, 120 + x, 120 + y, 3 + next(brush, 2), "#c27f38");
}

static void draw_pizza(struct brush *brush, uint32_t seed, bool white) {
    struct pk_out *out = brush->out;
    circle(out, 120, 126, 108, "#00000014");
    circle(out, 120, 120, 108, "#d99a4e");
    circle(out, 120, 120, 104, "#e8b368");
    for (int i = 0; i < 9; i++) char_spot(brush);
    circle(out, 120, 120, 90, white ? "#f3dfae" : "#c9452c");
    circle(out, 120, 120, 84, white ? "#fbeec9" : "#f4cf78");
    toppings(brush, seed);
}

static void draw_calzone(struct brush *brush) {
    struct pk_out *out = brush->out;
    pk_raw(out, "<path d=\"M20 150a100 92 0 0 1 200 0q0 22-100 22T20 150z\" fill=\"#d99a4e\"/>"
                "<path d=\"M30 146a90 80 0 0 1 180 0q0 14-90 14t-90-14z\" fill=\"#e8b368\"/>"
                "<path d=\"M28 158q92 22 184 0\" stroke=\"#b9793a\" stroke-width=\"7\" "
                "stroke-dasharray=\"9 7\" fill=\"none\"/>");
    for (int i = 0; i < 7; i++)
        circle(out, 65 + (int64_t)next(brush, 110), 90 + (int64_t)next(brush, 50), 5, "#c98f4a");
}

static void draw_slice(struct brush *brush, uint32_t seed) {
    struct pk_out *out = brush->out;
    pk_raw(out,
           "<rect x=\"30\" y=\"52\" width=\"180\" height=\"136\" rx=\"18\" fill=\"#d99a4e\"/>"
           "<rect x=\"40\" y=\"62\" width=\"160\" height=\"116\" rx=\"12\" fill=\"#c9452c\"/>"
           "<rect x=\"46\" y=\"68\" width=\"148\" height=\"104\" rx=\"10\" fill=\"#f4cf78\"/>");
    for (int column = 0; column < 4; column++)
        for (int row = 0; row < 3; row++)
            topping(brush, (seed + (uint32_t)(row * column)) % 6, 66 + column * 36, 90 + row * 30);
}

static void draw_bowl(struct brush *brush, uint32_t seed) {
    static const char *const fills[] = {"#f2c14e", "#e06c4f", "#7fb069", "#f6e3a1", "#d8a47f"};
    struct pk_out *out = brush->out;
    circle(out, 120, 126, 104, "#00000014");
    circle(out, 120, 120, 104, "#f5f1ea");
    circle(out, 120, 120, 82, "#e4dccf");
    circle(out, 120, 120, 76, fills[seed % 5]);
    for (int i = 0; i < 12; i++)
        leaf(out, 75 + (int64_t)next(brush, 90), 75 + (int64_t)next(brush, 90), next(brush, 180),
             fills[(seed + 1 + (uint32_t)i % 3) % 5]);
    toppings(brush, seed * 7);
}

static void draw_dessert(struct brush *brush, uint32_t seed) {
    static const char *const fills[] = {"#6b4226", "#f3d9b1", "#e58f9c", "#f7e9c6"};
    struct pk_out *out = brush->out;
    pk_raw(out, "<ellipse cx=\"120\" cy=\"186\" rx=\"96\" ry=\"22\" fill=\"#ece4d8\"/>");
    for (int layer = 0; layer < 4; layer++) {
        pk_raw(out, "<rect x=\"58\" width=\"124\" height=\"28\" rx=\"9\"");
        attribute(out, "y", 152 - layer * 25);
        pk_raw(out, " fill=\"");
        pk_raw_text(out, pk_text_of(fills[(seed + (uint32_t)layer) % 4]));
        pk_raw(out, "\"/>");
    }
    circle(out, 120, 66, 13, "#c8321f");
    leaf(out, 134, 56, 330, "#3f8a3a");
}

static void draw_drink(struct brush *brush, uint32_t seed) {
    static const char *const fills[] = {"#f4a259", "#8cb369", "#bc4b51", "#f6d55c", "#7a2e3a"};
    struct pk_out *out = brush->out;
    pk_raw(out, "<path d=\"M70 40h100l-14 160q-2 12-14 12H98q-12 0-14-12z\" fill=\"#dfeaf0\"/>"
                "<path d=\"M75 84h90l-10 112q-1 8-10 8H95q-9 0-10-8z\" fill=\"");
    pk_raw_text(out, pk_text_of(fills[seed % 5]));
    pk_raw(out, "\"/>");
    for (int i = 0; i < 8; i++)
        circle(out, 95 + (int64_t)next(brush, 50), 100 + (int64_t)next(brush, 90), 3, "#ffffffa0");
    pk_raw(out, "<path d=\"M132 20l-16 90\" stroke=\"#c8321f\" stroke-width=\"7\" "
                "stroke-linecap=\"round\"/>");
    circle(out, 166, 46, 19, "#f6d55c");
    circle(out, 166, 46, 14, "#fbf0b2");
}

static void draw(struct brush *brush, struct pk_document product, uint32_t seed) {
    struct pk_text motif = pk_get_text(product, "motif");
    if (pk_text_is(motif, "calzone"))
        draw_calzone(brush);
    else if (pk_text_is(motif, "slice"))
        draw_slice(brush, seed);
    else if (pk_text_is(motif, "bowl") || pk_text_is(motif, "plate"))
        draw_bowl(brush, seed);
    else if (pk_text_is(motif, "dessert"))
        draw_dessert(brush, seed);
    else if (pk_text_is(motif, "drink"))
        draw_drink(brush, seed);
    else
        draw_pizza(brush, seed, pk_text_is(pk_get_text(product, "category"), "bianca"));
}

// "17.svg" -> 17.
static bool picture_number(struct pk_text file, int64_t *ret) {
    struct pk_text suffix = PK_TEXT(".svg");
    if (file.size <= suffix.size) return false;
    struct pk_text number = {file.data, file.size - suffix.size};
    struct pk_text ending = {file.data + number.size, suffix.size};
    return pk_text_equal(ending, suffix) && pk_text_to_int(number, ret);
}

void product_picture(struct pk_request *request) {
    int64_t id;
    struct pk_document product;
    if (!picture_number(pk_param(request, "file"), &id) ||
        pk_find("products", pk_key_int(id), &product) != PK_OK) {
        pk_fail(request, 404, "not_found", PK_TEXT("there is no such picture"));
        return;
    }
    pk_set_header(request, "cache-control", PK_TEXT("public, max-age=86400"));
    struct brush brush = {.out = pk_body(request, "image/svg+xml"),
                          .state = (uint32_t)id * 2654435761U};
    pk_raw(brush.out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 240 240\">");
    draw(&brush, product, (uint32_t)id);
    pk_raw(brush.out, "</svg>");
}
