// SPDX-License-Identifier: Apache-2.0
// The menu, product pages, their style and the basket's script.
#include "shop.h"

#define MENU_LIMIT 300

void write_price(struct pk_out *out, int64_t cents) {
    pk_raw(out, "€&nbsp;");
    pk_write_cents(out, cents);
}

void page_begin(struct pk_out *out, struct pk_text title) {
    pk_raw(out, "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>");
    pk_escape(out, title);
    pk_raw(out, " · " SHOP_NAME "</title><link rel=\"stylesheet\" href=\"/style.css\">"
                "<link rel=\"icon\" href=\"/images/1.svg\" type=\"image/svg+xml\"></head><body>"
                "<header class=\"top\"><a class=\"brand\" href=\"/\"><img src=\"/images/1.svg\" "
                "alt=\"\" width=\"44\" height=\"44\">" SHOP_NAME "</a>"
                "<span class=\"muted\">Pages, code and data in one process</span></header><main>");
}

void page_end(struct pk_out *out) {
    pk_raw(out, "</main><footer class=\"muted\">Served by Planck.</footer></body></html>");
}

void page_problem(struct pk_request *request, int status, struct pk_text title,
                  struct pk_text message) {
    struct pk_out *out = pk_html(request);
    pk_set_status(request, status);
    page_begin(out, title);
    pk_raw(out, "<section class=\"receipt\"><h1>");
    pk_escape(out, title);
    pk_raw(out, "</h1><p>");
    pk_escape(out, message);
    pk_raw(out, "</p><p><a class=\"button\" href=\"/\">Back to the menu</a></p></section>");
    page_end(out);
}

// ---- menu -----------------------------------------------------------------------------------

void where_menu(struct pk_select *query, struct pk_text category, struct pk_text search) {
    if (category.size > 0) pk_where_text(query, "category", PK_EQ, category);
    search = pk_text_trim(search);
    if (search.size == 0) return;
    pk_any_begin(query);
    pk_where_text(query, "name", PK_CONTAINS_ANY_CASE, search);
    pk_where_text(query, "description", PK_CONTAINS_ANY_CASE, search);
    pk_where_text(query, "tags", PK_CONTAINS_ANY_CASE, search);
    pk_any_end(query);
}

static void write_chip(struct pk_out *out, struct pk_text slug, struct pk_text name, int64_t count,
                       struct pk_text search, bool current) {
    pk_raw(out, "<a class=\"chip\" href=\"/?category=");
    pk_escape_url(out, slug);
    if (search.size > 0) {
        pk_raw(out, "&amp;q=");
        pk_escape_url(out, search);
    }
    pk_raw_text(out, current ? PK_TEXT("\" aria-current=\"page\">") : PK_TEXT("\">"));
    pk_escape(out, name);
    if (count > 0) {
        pk_raw(out, " <small>");
        pk_write_int(out, count);
        pk_raw(out, "</small>");
    }
    pk_raw(out, "</a>");
}

static void write_categories(struct pk_out *out, struct pk_text current, struct pk_text search) {
    struct pk_result categories;
    struct pk_document category;
    pk_raw(out, "<nav class=\"chips\" aria-label=\"Categories\">");
    write_chip(out, PK_TEXT(""), PK_TEXT("Everything"), 0, search, current.size == 0);
    if (pk_run(pk_from("categories"), &categories) == PK_OK)
        while (pk_result_next(&categories, &category)) {
            struct pk_text slug = pk_get_text(category, "slug");
            write_chip(out, slug, pk_get_text(category, "name"),
                       pk_get_int(category, "products", 0), search, pk_text_equal(slug, current));
        }
    pk_raw(out, "</nav>");
}

static void write_search(struct pk_out *out, struct pk_text category, struct pk_text search) {
    pk_raw(out, "<form class=\"search\" role=\"search\" action=\"/\">");
    if (category.size > 0) {
        pk_raw(out, "<input type=\"hidden\" name=\"category\" value=\"");
        pk_escape(out, category);
        pk_raw(out, "\">");
    }
    pk_raw(out, "<input type=\"search\" name=\"q\" placeholder=\"Search the menu: basil, spicy, "
                "truffle …\" aria-label=\"Search the menu\" value=\"");
    pk_escape(out, search);
    pk_raw(out, "\"><button>Search</button></form>");
}

static void write_tags(struct pk_out *out, struct pk_document product) {
    struct pk_iterator tags = pk_iterate(pk_get_document(product, "tags"));
    struct pk_text name;
    struct pk_value tag;
    pk_raw(out, "<p class=\"tags\">");
    while (pk_next(&tags, &name, &tag)) {
        pk_raw(out, "<span>");
        pk_escape(out, tag.text);
        pk_raw(out, "</span>");
    }
    pk_raw(out, "</p>");
}

static void write_card(struct pk_out *out, struct pk_document product) {
    int64_t id = pk_get_int(product, "_id", 0);
    pk_raw(out, "<article class=\"card\"><a href=\"/products/");
    pk_write_int(out, id);
    pk_raw(out, "\"><img loading=\"lazy\" width=\"240\" height=\"240\" alt=\"\" src=\"");
    pk_escape(out, pk_get_text(product, "image"));
    pk_raw(out, "\"><h2>");
    pk_escape(out, pk_get_text(product, "name"));
    pk_raw(out, "</h2></a><p>");
    pk_escape(out, pk_get_text(product, "description"));
    pk_raw(out, "</p>");
    write_tags(out, product);
    pk_raw(out, "<div class=\"buy\"><strong>");
    write_price(out, pk_get_int(product, "price", 0));
    pk_raw(out, "</strong><label><span class=\"hidden\">Quantity of ");
    pk_escape(out, pk_get_text(product, "name"));
    pk_raw(out, "</span><input type=\"number\" min=\"0\" max=\"99\" placeholder=\"0\" "
                "data-price=\"");
    pk_write_int(out, pk_get_int(product, "price", 0));
    pk_raw(out, "\" name=\"quantity_");
    pk_write_int(out, id);
    pk_raw(out, "\"></label></div></article>");
}

static void write_basket_bar(struct pk_out *out) {
    pk_raw(out, "<div class=\"bar\"><label>Your name <input name=\"customer\" required "
                "maxlength=\"80\" autocomplete=\"name\"></label><output id=\"total\"></output>"
                "<button>Order now</button></div>");
}

void menu_page(struct pk_request *request) {
    struct pk_text category = pk_query(request, "category"), search = pk_query(request, "q");
    struct pk_select *query = pk_from("products");
    where_menu(query, category, search);
    pk_limit(query, MENU_LIMIT);
    struct pk_result products;
    struct pk_document product;
    if (pk_run(query, &products) != PK_OK) {
        page_problem(request, 400, PK_TEXT("We cannot search for that"), pk_error_message());
        return;
    }
    struct pk_out *out = pk_html(request);
    page_begin(out, PK_TEXT("Menu"));
    write_search(out, category, search);
    write_categories(out, category, search);
    if (products.count == 0) pk_raw(out, "<p class=\"empty\">Nothing on the menu matches.</p>");
    pk_raw(out, "<form method=\"post\" action=\"/orders\"><div class=\"grid\">");
    while (pk_result_next(&products, &product)) write_card(out, product);
    pk_raw(out, "</div>");
    write_basket_bar(out);
    pk_raw(out, "</form><script src=\"/basket.js\" defer></script>");
    page_end(out);
}

// ---- product --------------------------------------------------------------------------------

void product_page(struct pk_request *request) {
    int64_t id;
    struct pk_document product;
    if (!pk_text_to_int(pk_param(request, "id"), &id) ||
        pk_find("products", pk_key_int(id), &product) != PK_OK) {
        page_problem(request, 404, PK_TEXT("That dish is not on the menu"),
                     PK_TEXT("There are many others."));
        return;
    }
    struct pk_out *out = pk_html(request);
    page_begin(out, pk_get_text(product, "name"));
    pk_raw(out, "<section class=\"product\"><img width=\"480\" height=\"480\" alt=\"\" src=\"");
    pk_escape(out, pk_get_text(product, "image"));
    pk_raw(out, "\"><div><p><a href=\"/?category=");
    pk_escape_url(out, pk_get_text(product, "category"));
    pk_raw(out, "\">More of this kind</a></p><h1>");
    pk_escape(out, pk_get_text(product, "name"));
    pk_raw(out, "</h1><p class=\"lead\">");
    pk_escape(out, pk_get_text(product, "description"));
    pk_raw(out, "</p>");
    write_tags(out, product);
    pk_raw(out, "<p class=\"price\">");
    write_price(out, pk_get_int(product, "price", 0));
    pk_raw(out, "</p><form class=\"order\" method=\"post\" action=\"/orders\">"
                "<input type=\"hidden\" name=\"product_id\" value=\"");
    pk_write_int(out, id);
    pk_raw(out, "\"><label>How many <input type=\"number\" name=\"quantity\" value=\"1\" min=\"1\" "
                "max=\"99\" required></label><label>Your name <input name=\"customer\" required "
                "maxlength=\"80\" autocomplete=\"name\"></label><button>Order now</button></form>"
                "<p class=\"muted\">");
    pk_escape(out, pk_get_text(product, "sku"));
    pk_raw(out, "</p></div></section>");
    page_end(out);
}

// ---- style and script -----------------------------------------------------------------------

static const char style[] =
    ":root{--ink:#2b1d14;--soft:#7a6556;--line:#eadfd3;--paper:#fffaf3;--card:#fff;--red:#c8321f;"
    "--green:#3b7a3f}*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink)"
    ";"
    "font:16px/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,sans-serif}a{color:inherit}"
    ".muted{color:var(--soft);font-size:.875rem}.hidden{position:absolute;clip-path:inset(50%);"
    "width:1px;height:1px;overflow:hidden}.top{display:flex;align-items:center;justify-content:"
    "space-between;gap:1rem;padding:.75rem clamp(1rem,4vw,3rem);background:var(--card);"
    "border-bottom:1px solid var(--line)}.brand{display:flex;align-items:center;gap:.75rem;"
    "font-weight:800;font-size:1.35rem;text-decoration:none;letter-spacing:-.02em}"
    "main{max-width:1240px;margin:0 auto;padding:1.5rem clamp(1rem,4vw,3rem) 7rem}"
    "footer{padding:0 0 6rem;text-align:center}.search{display:flex;gap:.5rem;margin-bottom:1rem}"
    "input{font:inherit;padding:.55rem .75rem;border:1px solid var(--line);border-radius:.6rem;"
    "background:#fff;color:inherit}input:focus-visible,button:focus-visible,a:focus-visible{"
    "outline:3px solid #f0a35e;outline-offset:1px}.search input[type=search]{flex:1;min-width:0}"
    "button,.button{font:inherit;font-weight:700;padding:.55rem "
    "1.2rem;border:0;border-radius:.6rem;"
    "background:var(--red);color:#fff;cursor:pointer;text-decoration:none;display:inline-block}"
    "button:hover,.button:hover{filter:brightness(1.08)}.chips{display:flex;flex-wrap:wrap;gap:."
    "5rem;"
    "margin-bottom:1.5rem}.chip{padding:.3rem .8rem;border:1px solid "
    "var(--line);border-radius:2rem;"
    "background:var(--card);text-decoration:none;font-size:.9rem}.chip small{color:var(--soft)}"
    ".chip[aria-current]{background:var(--ink);color:#fff;border-color:var(--ink)}.chip[aria-"
    "current] "
    "small{color:#d8c9bb}.grid{display:grid;gap:1.1rem;grid-template-columns:repeat(auto-fill,"
    "minmax(225px,1fr))}.card{background:var(--card);border:1px solid "
    "var(--line);border-radius:1rem;"
    "padding:1rem;display:flex;flex-direction:column;transition:box-shadow .15s,transform .15s}"
    ".card:hover{box-shadow:0 8px 24px #5a381b1f;transform:translateY(-2px)}.card "
    "a{text-decoration:"
    "none}.card img{display:block;margin:0 auto .5rem;width:78%;height:auto;aspect-ratio:1}.card "
    "h2{"
    "font-size:1.1rem;margin:.25rem 0;line-height:1.25}.card p{margin:.15rem 0 "
    ".5rem;font-size:.9rem;"
    "color:var(--soft);flex:1}.card .tags{flex:none}.tags span{display:inline-block;margin:0 .3rem "
    ".3rem 0;padding:.05rem .55rem;border-radius:1rem;background:#eef4e8;color:var(--green);"
    "font-size:.75rem}.buy{display:flex;justify-content:space-between;align-items:center}"
    ".buy input{width:4.6rem;text-align:right}.buy "
    "strong{font-size:1.1rem}.bar{position:fixed;left:0;"
    "right:0;bottom:0;display:flex;gap:1rem;align-items:center;justify-content:flex-end;flex-wrap:"
    "wrap;"
    "padding:.75rem clamp(1rem,4vw,3rem);background:#fffffff0;border-top:1px solid var(--line);"
    "backdrop-filter:blur(6px)}.bar output{font-weight:800;min-width:9rem;text-align:right}.empty{"
    "padding:3rem;text-align:center;color:var(--soft)}.product{display:grid;gap:2rem;"
    "grid-template-columns:repeat(auto-fit,minmax(min(320px,100%),1fr));align-items:center}."
    "product img{"
    "width:100%;height:auto}.product h1{font-size:2.4rem;line-height:1.1;margin:.2rem 0 "
    ".6rem}.lead{"
    "font-size:1.15rem;color:var(--soft)}.price{font-size:1.8rem;font-weight:800;margin:.5rem 0}"
    ".order{display:flex;flex-wrap:wrap;gap:.75rem;align-items:end}.order label{display:grid;"
    "font-size:.85rem;color:var(--soft)}.receipt{max-width:720px;margin:2rem auto;background:"
    "var(--card);border:1px solid var(--line);border-radius:1rem;padding:clamp(1rem,4vw,2.5rem)}"
    ".receipt h1{margin-top:0}table{width:100%;border-collapse:collapse;margin:1.25rem 0}th,td{"
    "text-align:right;padding:.5rem .25rem;border-bottom:1px solid "
    "var(--line);font-variant-numeric:"
    "tabular-nums}th:first-child,td:first-child{text-align:left}tfoot "
    "th{border:0;font-size:1.1rem}";

void style_sheet(struct pk_request *request) {
    pk_set_header(request, "cache-control", PK_TEXT("public, max-age=3600"));
    pk_raw_text(pk_body(request, "text/css; charset=utf-8"),
                (struct pk_text){style, sizeof style - 1});
}

// The basket works without this script; with it, quantities survive searching, and the sum is
// shown.
static const char script[] =
    "(() => {\n"
    "  const key = 'basket', empty = document.currentScript.hasAttribute('data-empty');\n"
    "  if (empty) { localStorage.removeItem(key); return; }\n"
    "  const basket = JSON.parse(localStorage.getItem(key) || '{}');\n"
    "  const form = document.querySelector('form[action=\"/orders\"]');\n"
    "  const total = document.getElementById('total');\n"
    "  const show = () => {\n"
    "    let count = 0, cents = 0;\n"
    "    for (const item of Object.values(basket)) { count += item.n; cents += item.n * "
    "item.price; }\n"
    "    total.textContent = count ? `${count} × · € ${(cents / 100).toFixed(2)}` : '';\n"
    "  };\n"
    "  for (const input of form.querySelectorAll('input[data-price]')) {\n"
    "    if (basket[input.name]) input.value = basket[input.name].n;\n"
    "    input.addEventListener('input', () => {\n"
    "      const n = Math.max(0, Math.min(99, parseInt(input.value, 10) || 0));\n"
    "      if (n) basket[input.name] = { n, price: Number(input.dataset.price) };\n"
    "      else delete basket[input.name];\n"
    "      localStorage.setItem(key, JSON.stringify(basket));\n"
    "      show();\n"
    "    });\n"
    "  }\n"
    "  form.addEventListener('submit', () => {\n"
    "    for (const [name, item] of Object.entries(basket)) {\n"
    "      if (form.elements[name]) continue;\n"
    "      const hidden = document.createElement('input');\n"
    "      Object.assign(hidden, { type: 'hidden', name, value: item.n });\n"
    "      form.append(hidden);\n"
    "    }\n"
    "  });\n"
    "  show();\n"
    "})();\n";

void basket_script(struct pk_request *request) {
    pk_set_header(request, "cache-control", PK_TEXT("public, max-age=3600"));
    pk_raw_text(pk_body(request, "text/javascript; charset=utf-8"),
                (struct pk_text){script, sizeof script - 1});
}
