// SPDX-License-Identifier: Apache-2.0
// The pizza shop's parts: pages (HTML), api (JSON), orders (both), pictures (SVG).
#ifndef SHOP_H
#define SHOP_H

#include "planck.h"

#define SHOP_NAME "Planck Pizza"
#define CURRENCY "EUR" // prices are integers: cents
#define QUANTITY_MAX 99
#define ORDER_LINES_MAX 100

// pages.c
void page_begin(struct pk_out *out, struct pk_text title);
void page_end(struct pk_out *out);
// A whole page with that status that says what went wrong.
void page_problem(struct pk_request *request, int status, struct pk_text title,
                  struct pk_text message);
void write_price(struct pk_out *out, int64_t cents); // "€ 12.50"
// Conditions of the menu's search: both may be absent or empty.
void where_menu(struct pk_select *query, struct pk_text category, struct pk_text search);
pk_handler menu_page, product_page, style_sheet, basket_script;

// api.c
pk_handler api_categories, api_products, api_product;

// orders.c
pk_handler create_order, order_page, api_order;

// pictures.c
pk_handler product_picture;

#endif
