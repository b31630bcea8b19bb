#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the bench service's seed data, the same on every run: generate.py CATEGORIES_FILE DOCUMENTS_FILE

10,000 documents of about 200 bytes as BSON, and 17 categories."""
import json
import random
import sys

WORDS = ("stone oven basil tomato olive garlic pepper smoke thyme lemon honey walnut sage fennel saffron "
         "rocket chilli oregano mint caper").split()
NAMES = ("Classic pizzas", "Pizza bianca", "Vegetarian pizzas", "Vegan pizzas", "Seafood pizzas", "Hot & spicy",
         "Meat lovers", "Calzone & folded", "Pizza al taglio", "For children", "Pasta", "Risotto & bakes", "Salads",
         "Antipasti", "Desserts", "Soft drinks", "Wine & beer")


def categories():
    for number, name in enumerate(NAMES, 1):
        slug = name.lower().replace(" & ", "-").replace(" ", "-")
        yield {"_id": number, "slug": slug, "name": name, "products": number * 7 % 19 + 3}


def documents(source):
    for number in range(1, 10001):
        text = " ".join(source.choice(WORDS) for _ in range(24))
        yield {"_id": number, "name": f"Document {number}", "category": source.choice(NAMES),
               "amount": source.randrange(100, 100000), "text": text[:100]}


def main():
    for path, rows in zip(sys.argv[1:], (categories(), documents(random.Random(1)))):
        with open(path, "w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
