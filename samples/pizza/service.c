// SPDX-License-Identifier: Apache-2.0
// What the service is made of: stores, indexes and routes.
#include "shop.h"

#define ROUTES(ROUTE)                                                                              \
    ROUTE(GET, "/", menu_page)                                                                     \
    ROUTE(GET, "/products/:id", product_page)                                                      \
    ROUTE(GET, "/images/:file", product_picture)                                                   \
    ROUTE(GET, "/style.css", style_sheet)                                                          \
    ROUTE(GET, "/basket.js", basket_script)                                                        \
    ROUTE(POST, "/orders", create_order)                                                           \
    ROUTE(GET, "/orders/:id", order_page)                                                          \
    ROUTE(GET, "/api/categories", api_categories)                                                  \
    ROUTE(GET, "/api/products", api_products)                                                      \
    ROUTE(GET, "/api/products/:id", api_product)                                                   \
    ROUTE(GET, "/api/orders/:id", api_order)

PK_SERVICE("pizza", "1.0.0")
PK_STORE("categories", "int64")
PK_STORE("products", "int64")
PK_STORE("orders", "uuid")
PK_STORE("line_items", "uuid")
PK_INDEX("products", "by_category", "category")
PK_INDEX("line_items", "by_order", "order_id")
PK_ROUTES(ROUTES)
