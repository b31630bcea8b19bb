# SPDX-License-Identifier: Apache-2.0
"""A shop of customers, products and orders, in PQL and in SQLite: the same questions get the same answers,
whichever indexes there are and whether the documents are in memory or on disk."""
import json
import math
import os
import pathlib
import random
import sqlite3
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("PLANCK_BUILD", ROOT / "build"))
RUN = BUILD / "tests" / "unit" / "engine" / "pql_run"

CITIES = ["Bern", "Genova", "Lyon", "Porto", "Wien", "Zürich"]
CATEGORIES = ["bikes", "clothing", "components", "accessories"]


def generate():
    """Documents by store. Prices are quarters, so that sums of doubles are exact in any order."""
    dice = random.Random(7)
    customers = [{"_id": i, "name": f"Customer {i:03}", "city": dice.choice(CITIES),
                  **({"phone": f"+41 {dice.randrange(10**6)}"} if dice.random() < 0.7 else {}),
                  "address": {"zip": dice.randrange(1000, 1020)}} for i in range(600)]
    products = [{"_id": i, "name": f"Product {i:03}", "category": dice.choice(CATEGORIES),
                 "price": dice.randrange(4, 4000) / 4, "stock": dice.randrange(100)} for i in range(300)]
    orders = []
    for i in range(4000):
        lines = [{"product": dice.randrange(305), "qty": dice.randrange(1, 9)} for _ in range(dice.randrange(1, 5))]
        orders.append({"_id": i, "customer": dice.randrange(600), "day": dice.randrange(365),
                       "status": dice.choice(["open", "paid", "sent"]), "lines": lines})
    return {"customers": customers, "products": products, "orders": orders}


def fill_sqlite(data):
    database = sqlite3.connect(":memory:")
    database.executescript("""
        create table customers (_id integer primary key, name text, city text, phone text, zip integer);
        create table products (_id integer primary key, name text, category text, price real, stock integer);
        create table orders (_id integer primary key, customer integer, day integer, status text, line_count integer);
        create table lines ("order" integer, product integer, qty integer);""")
    database.executemany("insert into customers values (?, ?, ?, ?, ?)", [
        (c["_id"], c["name"], c["city"], c.get("phone"), c["address"]["zip"]) for c in data["customers"]])
    database.executemany("insert into products values (?, ?, ?, ?, ?)", [
        (p["_id"], p["name"], p["category"], p["price"], p["stock"]) for p in data["products"]])
    for order in data["orders"]:
        database.execute("insert into orders values (?, ?, ?, ?, ?)", (
            order["_id"], order["customer"], order["day"], order["status"], len(order["lines"])))
        database.executemany("insert into lines values (?, ?, ?)", [
            (order["_id"], line["product"], line["qty"]) for line in order["lines"]])
    return database


class Pql:
    def __init__(self, directory):
        self.process = subprocess.Popen([RUN, directory], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def send(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        rows = []
        while (line := self.process.stdout.readline().rstrip("\n")) != "ok":
            assert line and not line.startswith("error: "), f"{command}: {line}"
            rows.append(json.loads(line))
        return rows

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(60) == 0


INDEXES = {"without indexes": [], "with indexes": [
    ("customers", "city"), ("customers", "address.zip"), ("products", "price"), ("products", "category"),
    ("orders", "customer"), ("orders", "day"), ("orders", "status")]}


@pytest.fixture(scope="module")
def data():
    return generate()


@pytest.fixture(scope="module")
def sqlite(data):
    return fill_sqlite(data)


@pytest.fixture(scope="module", params=[(name, reopened) for name in INDEXES for reopened in (False, True)],
                ids=lambda value: f"{value[0]}, {'on disk' if value[1] else 'in memory'}")
def pql(request, data, tmp_path_factory):
    name, reopened = request.param
    directory = tmp_path_factory.mktemp("pql")
    program = Pql(directory)
    for store, documents in data.items():
        program.send(f"store {store}")
        for document in documents:
            program.send(f"put {store} {json.dumps(document)}")
    for store, field in INDEXES[name]:
        program.send(f"index {store} {field}")
    if reopened:
        program.close()
        program = Pql(directory)
    yield program
    program.close()


# Rows of both have the same names; those of SQL that are null are left out of the comparison when PQL left
# the field out, as it does with missing ones.
QUESTIONS = [
    ('customers.filter(city = "Bern").orderBy(name desc).limit(7).select(_id, name)',
     "select _id, name from customers where city = 'Bern' order by name desc limit 7"),
    ('customers.filter(phone is null and address.zip between 1003 and 1007).select(_id, address.zip as z)',
     "select _id, zip as z from customers where phone is null and zip between 1003 and 1007 order by _id"),
    ('customers.filter(city in ["Wien", "Zürich"] or name endsWith "7").count()',
     "select count(*) as count from customers where city in ('Wien', 'Zürich') or name like '%7'"),
    ('customers.groupBy(city, count() as n, count(phone) as phones, min(name) as first, max(address.zip) as z)',
     "select city, count(*) as n, count(phone) as phones, min(name) as first, max(zip) as z from customers "
     "group by city order by city"),
    ('products.filter(price > 500 and not (category = "bikes")).orderBy(price desc, name).skip(3).limit(20)'
     '.select(name, price * 2 as double, price / 4 as quarter)',
     "select name, price * 2 as double, price / 4 as quarter from products where price > 500 and category != 'bikes' "
     "order by price desc, name, _id limit 20 offset 3"),
    ('products.groupBy(category, sum(stock) as stock, avg(price) as mean, sum(price * stock) as value)'
     '.having(stock > 10).orderBy(value desc)',
     "select category, sum(stock) as stock, avg(price) as mean, sum(price * stock) as value from products "
     "group by category having sum(stock) > 10 order by value desc"),
    ('products.filter(stock % 7 = 3 and stock / 2 > 20).select(_id, -stock as less, abs(3 - stock) as far)',
     "select _id, -stock as less, abs(3 - stock) as far from products where stock % 7 = 3 and stock / 2 > 20 "
     "order by _id"),
    ('products.filter(stock > price).select(_id, upper(category) as c, length(name) as n, substr(name, 8, 2) as s)',
     "select _id, upper(category) as c, length(name) as n, substr(name, 9, 2) as s from products where stock > price "
     "order by _id"),
    ("orders.distinct(status).orderBy(status)", "select distinct status from orders order by status"),
    ("orders.distinct(customer).count()", "select count(distinct customer) as count from orders"),
    ("orders.groupBy(countDistinct(customer) as customers, count() as n, max(day) as last)",
     "select count(distinct customer) as customers, count(*) as n, max(day) as last from orders"),
    ('orders.filter(status = "open" and day < 100).groupBy(day / 30 as month, count() as n)',
     "select day / 30 as month, count(*) as n from orders where status = 'open' and day < 100 group by month "
     "order by month"),
    ("orders.filter(size(lines) = 4 and day < 20).select(_id, customer)",
     "select _id, customer from orders where line_count = 4 and day < 20 order by _id"),
    ("orders.filter(lines[any].product = 42).orderBy(day desc).select(_id, day)",
     'select _id, day from orders where exists (select 1 from lines where "order" = _id and product = 42) '
     "order by day desc, _id desc"),
    ("orders.unwind(lines).groupBy(lines.product as product, sum(lines.qty) as qty).orderBy(qty desc, product)"
     ".limit(12)",
     "select product, sum(qty) as qty from lines group by product order by qty desc, product limit 12"),
    ("orders.unwind(lines).join(products on lines.product = _id as p)"
     ".groupBy(p.category as category, sum(lines.qty * p.price) as revenue, count() as n)",
     "select category, sum(qty * price) as revenue, count(*) as n from lines join products on product = products._id "
     "group by category order by category"),
    ("orders.unwind(lines).leftJoin(products on lines.product = _id as p).filter(p._id is null)"
     ".groupBy(lines.product as product, count() as n)",
     "select product, count(*) as n from lines left join products on product = products._id "
     "where products._id is null group by product order by product"),
    ("orders.join(customers on customer = _id as c).filter(c.city = \"Lyon\").groupBy(status, count() as n)",
     "select status, count(*) as n from orders join customers on customer = customers._id where city = 'Lyon' "
     "group by status order by status"),
    ("customers.filter(_id < 40).join(orders on _id = customer as o).groupBy(_id, count() as n, sum(o.day) as days)",
     "select customers._id as _id, count(*) as n, sum(day) as days from customers join orders on customers._id = "
     "customer where customers._id < 40 group by customers._id order by customers._id"),
    ("orders.unwind(lines).join(products on lines.product = _id as p).join(customers on customer = _id as c)"
     ".groupBy(c.name as name, sum(lines.qty * p.price) as spent).orderBy(spent desc, name).skip(2).limit(10)",
     'select name, spent from (select customers.name as name, sum(qty * price) as spent from lines '
     'join orders on "order" = orders._id join products on product = products._id '
     "join customers on customer = customers._id group by customers.name) order by spent desc, name limit 10 offset 2"),
    ("customers.orderBy(city, name desc).groupBy(city, first(name) as first, last(name) as last)",
     "select city, max(name) as first, min(name) as last from customers group by city order by city"),
    ('orders.filter(day >= 180).orderBy(day).limit(50).groupBy(status, avg(day) as mean)',
     "select status, avg(day) as mean from (select * from orders where day >= 180 order by day, _id limit 50) "
     "group by status order by status"),
]


def alike(mine, theirs):
    if isinstance(mine, dict) and "$numberDouble" in mine:
        mine = float(mine["$numberDouble"])
    if isinstance(mine, float) or isinstance(theirs, float):
        return isinstance(mine, (int, float)) and math.isclose(mine, theirs, rel_tol=1e-12)
    return mine == theirs


@pytest.mark.parametrize("question, sql", QUESTIONS, ids=[f"question {i + 1}" for i in range(len(QUESTIONS))])
def test_the_same_answer(pql, sqlite, question, sql):
    cursor = sqlite.execute(sql)
    names = [column[0] for column in cursor.description]
    expected = [dict(zip(names, row)) for row in cursor.fetchall()]
    rows = pql.send(f"query {question}")
    assert len(rows) == len(expected) > 0
    for row, wanted in zip(rows, expected):
        assert list(row) == [name for name in wanted if wanted[name] is not None or name in row]
        for name, value in row.items():
            assert alike(value, wanted[name]), (name, row, wanted)
