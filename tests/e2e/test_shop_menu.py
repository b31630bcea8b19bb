# SPDX-License-Identifier: Apache-2.0
"""A visitor looks at the menu: pages, pictures and the product API."""
import html.parser
import xml.etree.ElementTree as ElementTree


class Page(html.parser.HTMLParser):
    VOID = {"meta", "link", "img", "input", "br", "hr"}

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.words = [], [], []
        self.feed(text)
        assert not self.open, f"unclosed: {self.open}"

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data):
        self.words.append(data)

    def count(self, tag, **wanted):
        return sum(1 for name, attributes in self.elements if name == tag and
                   all(attributes.get(key.rstrip("_")) == value for key, value in wanted.items()))


def test_menu_shows_every_category_and_product(shop):
    reply = shop.get("/")
    assert reply.status == 200
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    page = Page(reply.text)
    assert page.count("article", class_="card") == 201
    assert page.count("a", class_="chip") == 18
    assert "Margherita" in page.words


def test_menu_by_category_and_search(shop):
    page = Page(shop.get("/?category=dessert").text)
    assert page.count("article", class_="card") == 11
    page = Page(shop.get("/?q=TRUFFLE").text)
    assert 1 <= page.count("article", class_="card") <= 5
    page = Page(shop.get("/?q=xyzzy").text)
    assert page.count("article", class_="card") == 0
    assert any("Nothing on the menu" in words for words in page.words)


def test_search_text_is_escaped(shop):
    reply = shop.get("/?q=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    assert "<script>alert" not in reply.text
    Page(reply.text)


def test_product_page(shop):
    reply = shop.get("/products/17")
    assert reply.status == 200
    page = Page(reply.text)
    assert page.count("input", name="product_id", value="17") == 1
    for path in ("/products/0", "/products/999", "/products/x", "/products/99999999999999999999"):
        assert shop.get(path).status == 404


def test_every_picture_is_an_svg(shop):
    for identifier in range(1, 202):
        reply = shop.get(f"/images/{identifier}.svg")
        assert reply.status == 200 and reply.headers["content-type"] == "image/svg+xml"
        assert ElementTree.fromstring(reply.body).tag == "{http://www.w3.org/2000/svg}svg"
    assert shop.get("/images/202.svg").status == 404
    assert shop.get("/images/1.png").status == 404


def test_style_and_script(shop):
    assert shop.get("/style.css").headers["content-type"].startswith("text/css")
    assert shop.get("/basket.js").headers["content-type"].startswith("text/javascript")


def test_api_products_paging_visits_each_once(shop):
    seen, after = [], ""
    while True:
        reply = shop.get(f"/api/products?limit=25&after={after}").json()
        assert set(reply) == {"items", "next"}
        seen += [item["id"] for item in reply["items"]]
        if reply["next"] is None:
            break
        assert len(reply["items"]) == 25
        after = reply["next"]
    assert seen == list(range(1, 202))


def test_api_products_fields(shop):
    item = shop.get("/api/products?limit=1").json()["items"][0]
    assert {"id", "sku", "name", "description", "category", "price", "image", "tags"} <= set(item)
    assert 50 <= len(item["description"]) <= 120
    assert shop.get(item["image"]).status == 200


def test_api_products_filters(shop):
    items = shop.get("/api/products?category=dessert&limit=100").json()["items"]
    assert len(items) == 11 and {item["category"] for item in items} == {"dessert"}
    items = shop.get("/api/products?q=tiramis%C3%B9&limit=100").json()["items"]
    assert [item["name"] for item in items] == ["Tiramisù"]
    items = shop.get("/api/products?q=TIRAMIS%C3%99&limit=100").json()["items"]
    assert [item["name"] for item in items] == ["Tiramisù"]
    items = shop.get("/api/products?category=drink&q=lemon&limit=100").json()["items"]
    assert items and all(item["category"] == "drink" for item in items)
    assert shop.get("/api/products?category=none").json() == {"items": [], "next": None}
    filtered, after = [], ""
    while after is not None:
        reply = shop.get(f"/api/products?category=pasta&limit=5&after={after}").json()
        filtered, after = filtered + reply["items"], reply["next"]
    assert len(filtered) == 12


def test_api_products_refuses_bad_parameters(shop):
    for query in ("limit=0", "limit=101", "limit=x", "limit=-1", "after=%21%21", "after=AAAA"):
        reply = shop.get(f"/api/products?{query}")
        assert reply.status == 400, query
        assert set(reply.json()["error"]) >= {"code", "message"}


def test_api_single_product_and_categories(shop):
    assert shop.get("/api/products/17").json()["id"] == 17
    assert shop.get("/api/products/999").status == 404
    categories = shop.get("/api/categories").json()["items"]
    assert len(categories) == 17 and sum(category["products"] for category in categories) == 201


def test_unknown_pages_and_methods(shop):
    assert shop.get("/nowhere").status == 404
    reply = shop.request("DELETE", "/orders")
    assert reply.status == 405 and reply.headers["allow"] == "POST"
    reply = shop.request("HEAD", "/products/1")
    assert reply.status == 200 and reply.body == b"" and int(reply.headers["content-length"]) > 500
