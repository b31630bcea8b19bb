# SPDX-License-Identifier: Apache-2.0
"""A customer orders: as JSON, by a form, and wrongly."""
import json
import re
import signal
import subprocess
import threading
import urllib.parse

from conftest import BUILD

UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html,*/*;q=0.8"}


def price(shop, product):
    return shop.get(f"/api/products/{product}").json()["price"]


def test_order_as_json(shop):
    body = {"customer": "Ada", "lines": [{"product_id": 17, "quantity": 2}, {"product_id": 201, "quantity": 1}]}
    reply = shop.post("/orders", body)
    assert reply.status == 201
    order = reply.json()
    assert UUID.match(order["id"]) and order["customer"] == "Ada"
    assert [(line["product_id"], line["quantity"]) for line in order["lines"]] == [(17, 2), (201, 1)]
    assert order["total"] == 2 * price(shop, 17) + price(shop, 201)
    again = shop.get(f"/api/orders/{order['id']}")
    assert again.status == 200 and again.body == reply.body
    page = shop.get(f"/orders/{order['id']}")
    assert page.status == 200 and "Ada" in page.text


def test_order_without_content_type_is_json(shop):
    reply = shop.post("/orders", '{"customer": "B", "lines": [{"product_id": 1, "quantity": 1}]}')
    assert reply.status == 201


def test_json_that_is_called_a_form_is_json(shop):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    reply = shop.post("/orders", '{"customer": "B", "lines": [{"product_id": 1, "quantity": 1}]}', headers=headers)
    assert reply.status == 201
    reply = shop.post("/orders", "not json", headers=headers)
    assert reply.status == 400 and set(reply.json()["error"]) >= {"code", "message"}


def test_order_by_form(shop):
    reply = shop.post("/orders", "customer=Ada+L%C3%B6ve&product_id=3&quantity=2&quantity_5=1&quantity_6=", headers=FORM)
    assert reply.status == 303
    location = reply.headers["location"]
    order = shop.get("/api" + location).json()
    assert order["customer"] == "Ada Löve"
    assert [(line["product_id"], line["quantity"]) for line in order["lines"]] == [(3, 2), (5, 1)]
    assert order["total"] == 2 * price(shop, 3) + price(shop, 5)
    assert "Ada Löve" in shop.get(location).text


def test_names_are_escaped_everywhere(shop):
    name = "</title><script>alert('x')</script>\"&"
    reply = shop.post("/orders", {"customer": name, "lines": [{"product_id": 1, "quantity": 1}]})
    assert reply.status == 201 and reply.json()["customer"] == name
    assert "<script>alert" not in shop.get(f"/orders/{reply.json()['id']}").text


BAD = [
    ('{"customer": "Ada"', "malformed"),
    ("", "malformed"),
    ("[]", None),
    ('"text"', None),
    ('{"customer": "Ada"}', "invalid_lines"),
    ('{"customer": "Ada", "lines": {}}', "invalid_lines"),
    ('{"customer": "Ada", "lines": []}', "no_lines"),
    ('{"customer": "Ada", "lines": [1]}', "invalid_lines"),
    ('{"customer": "Ada", "lines": [{"product_id": 0, "quantity": 1}]}', "unknown_product"),
    ('{"customer": "Ada", "lines": [{"product_id": 202, "quantity": 1}]}', "unknown_product"),
    ('{"customer": "Ada", "lines": [{"product_id": "17", "quantity": 1}]}', "unknown_product"),
    ('{"customer": "Ada", "lines": [{"product_id": 17, "quantity": 0}]}', "invalid_quantity"),
    ('{"customer": "Ada", "lines": [{"product_id": 17, "quantity": -1}]}', "invalid_quantity"),
    ('{"customer": "Ada", "lines": [{"product_id": 17, "quantity": 1.5}]}', "invalid_quantity"),
    ('{"customer": "Ada", "lines": [{"product_id": 17}]}', "invalid_quantity"),
    ('{"customer": "Ada", "lines": [{"product_id": 17, "quantity": 1}, {"product_id": 999, "quantity": 1}]}',
     "unknown_product"),
    ('{"customer": "", "lines": [{"product_id": 17, "quantity": 1}]}', "invalid_customer"),
    ('{"customer": "' + "x" * 81 + '", "lines": [{"product_id": 17, "quantity": 1}]}', "invalid_customer"),
    ('{"lines": [{"product_id": 17, "quantity": 1}]}', "invalid_customer"),
    ('{"customer": "Ada", "lines": ' + "[" * 100 + "]" * 100 + "}", None),
]


def test_bad_orders_are_refused(shop):
    for body, code in BAD:
        reply = shop.post("/orders", body, headers={"Content-Type": "application/json"})
        assert reply.status == 400, body
        error = reply.json()["error"]
        assert error["message"] and (code is None or error["code"] == code), (body, error)


def test_bad_forms_are_refused_with_a_page(shop):
    for body in ("", "customer=Ada", "customer=Ada&product_id=17&quantity=0", "product_id=17&quantity=1",
                 "customer=Ada&product_id=999&quantity=1", "customer=Ada&quantity_17=x"):
        reply = shop.post("/orders", body, headers=FORM)
        assert reply.status == 400 and reply.headers["content-type"].startswith("text/html"), body


def test_unknown_orders(shop):
    for identifier in ("0198c0de-0000-7000-8000-000000000000", "x", "0198c0de"):
        assert shop.get(f"/api/orders/{identifier}").status == 404
        assert shop.get(f"/orders/{identifier}").status == 404


def order(shop, quantity=1):
    return shop.post("/orders", {"customer": "C", "lines": [{"product_id": 1, "quantity": quantity}]}).json()


def test_orders_survive_stop_and_kill(start, pizza):
    shop = start(pizza)
    first = order(shop)
    assert shop.stop() == 0
    shop = start(pizza)
    assert shop.get(f"/api/orders/{first['id']}").json() == first
    second = order(shop, 2)
    shop.process.send_signal(signal.SIGKILL)
    shop.process.wait()
    shop = start(pizza)
    for known in (first, second):
        assert shop.get(f"/api/orders/{known['id']}").json() == known
    assert len(shop.get("/api/products?limit=100").json()["items"]) == 100
    assert shop.stop() == 0


def test_durable_mode_answers_after_the_sync(start, pizza):
    shop = start(pizza, {"db.yaml": "durability:\n  flush_interval_in_ms: 0\n"})
    made, lock = [], threading.Lock()

    def customer():
        for _ in range(20):
            known = order(shop)
            with lock:
                made.append(known)

    threads = [threading.Thread(target=customer) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({known["id"] for known in made}) == 160
    shop.kill()
    shop = start(pizza)
    for known in made:
        assert shop.get(f"/api/orders/{known['id']}").json() == known


def test_form_encoding_corner_cases(shop):
    body = urllib.parse.urlencode({"customer": "a+b&c=d %00é", "product_id": 1, "quantity": 1})
    reply = shop.post("/orders", body, headers=FORM)
    assert reply.status in (303, 400)
    if reply.status == 303:
        assert shop.get("/api" + reply.headers["location"]).json()["customer"].startswith("a+b&c=d ")


def test_refused_orders_write_nothing(start, pizza):
    shop = start(pizza)
    for body, _ in BAD:
        assert shop.post("/orders", body, headers={"Content-Type": "application/json"}).status == 400
    known = order(shop)
    assert shop.stop() == 0
    dump = subprocess.run([BUILD / "tests" / "crash" / "dump", shop.directory / "data"], capture_output=True,
                          text=True, check=True, timeout=60)
    rows = [json.loads(line) for line in dump.stdout.splitlines()]
    written = [row["store"] for row in rows if "document" in row and row["store"] in ("orders", "line_items")]
    assert sorted(written) == ["line_items", "orders"], known
