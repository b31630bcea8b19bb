#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the shop's seed data, the same on every run: generate.py CATEGORIES_FILE PRODUCTS_FILE"""
import json
import sys

# key, name, motif of the picture, tags, base price in cents, what a description ends with, products
CATEGORIES = [
    ("classic", "Classic pizzas", "pizza", ["pizza"], 890, "baked on stone until the rim is leopard-spotted", [
        ("Margherita", "San Marzano tomato, fior di latte and basil"), ("Marinara", "Tomato, sliced garlic, wild oregano and olive oil"),
        ("Salame", "Tomato, mozzarella and Milano salami"), ("Prosciutto", "Tomato, mozzarella and slow-cooked ham"),
        ("Funghi", "Tomato, mozzarella and chestnut mushrooms"), ("Capricciosa", "Ham, mushrooms, artichokes and olives"),
        ("Quattro Stagioni", "Four quarters: ham, artichoke, mushroom, olive"), ("Hawaii", "Cooked ham, sweet pineapple and mozzarella"),
        ("Tonno", "Tuna in olive oil, red onion and capers"), ("Napoli", "Anchovies, capers and black olives"),
        ("Romana", "Tomato, mozzarella, anchovies and oregano"), ("Bufalina", "Tomato and buffalo mozzarella from Campania")]),
    ("bianca", "Pizza bianca", "pizza", ["pizza", "white"], 1090, "without tomato, on a thin and airy base", [
        ("Quattro Formaggi", "Gorgonzola, taleggio, fontina and parmesan"), ("Carbonara", "Guanciale, egg yolk, pecorino and pepper"),
        ("Tartufo", "Truffle cream, mozzarella and porcini"), ("Patate e Rosmarino", "Sliced potatoes, rosemary and sea salt"),
        ("Mortadella e Pistacchio", "Mortadella, burrata and pistachio pesto"), ("Speck e Brie", "Smoked speck, melting brie and thyme"),
        ("Pere e Gorgonzola", "Pears, gorgonzola and toasted walnuts"), ("Salsiccia e Friarielli", "Fennel sausage and bitter greens"),
        ("Zucca e Salvia", "Roasted pumpkin, sage and scamorza"), ("Asparagi", "Green asparagus, ricotta and lemon zest"),
        ("Cipolla Dolce", "Slowly cooked sweet onions and fontina"), ("Ricotta e Limone", "Ricotta, lemon, mint and black pepper")]),
    ("vegetarian", "Vegetarian pizzas", "pizza", ["pizza", "vegetarian"], 990, "with tomato sauce cooked in our kitchen", [
        ("Ortolana", "Grilled courgette, aubergine and peppers"), ("Parmigiana", "Fried aubergine, parmesan and basil"),
        ("Spinaci e Ricotta", "Baby spinach, ricotta and garlic"), ("Caprese", "Cherry tomatoes, mozzarella and fresh basil"),
        ("Carciofi", "Roman artichokes, olives and mint"), ("Peperonata", "Sweet peppers, onions and mozzarella"),
        ("Fichi e Feta", "Figs, feta, honey and rocket"), ("Barbabietola", "Beetroot, goat cheese and dill"),
        ("Cavolo Nero", "Black kale, smoked scamorza and chilli oil"), ("Zucchine e Fiori", "Courgettes and their blossoms"),
        ("Pomodorini Gialli", "Yellow tomatoes, stracciatella and basil"), ("Funghi Misti", "Oyster, king and chestnut mushrooms")]),
    ("vegan", "Vegan pizzas", "pizza", ["pizza", "vegan", "vegetarian"], 1050, "entirely from plants, and nobody misses a thing", [
        ("Vegan Margherita", "Tomato, cashew mozzarella and basil"), ("Hummus Verde", "Hummus, broccoli, courgette and seeds"),
        ("Smoky Tofu", "Smoked tofu, peppers and red onion"), ("Chickpea Masala", "Spiced chickpeas, spinach and coriander"),
        ("Avocado Lime", "Avocado, sweetcorn, lime and coriander"), ("Seitan Gyros", "Seitan strips, onion and garlic sauce"),
        ("Green Garden", "Peas, asparagus, spinach and pesto"), ("Roasted Cauliflower", "Cauliflower, tahini and pomegranate"),
        ("Sweet Potato", "Sweet potato, black beans and chilli"), ("Olive Tapenade", "Tapenade, artichokes and capers"),
        ("Aubergine Miso", "Miso aubergine, sesame and spring onion"), ("Nduja Vegana", "Spicy sun-dried tomato spread and olives")]),
    ("seafood", "Seafood pizzas", "pizza", ["pizza", "fish"], 1290, "with fish that came this morning", [
        ("Frutti di Mare", "Mussels, clams, squid and prawns"), ("Gamberi e Rucola", "Prawns, rocket and cherry tomatoes"),
        ("Salmone", "Smoked salmon, crème fraîche and dill"), ("Polpo", "Octopus, potatoes and smoked paprika"),
        ("Acciughe e Burrata", "Cantabrian anchovies, burrata and lemon"), ("Vongole", "Clams, garlic, parsley and white wine"),
        ("Tonno Fresco", "Seared tuna, capers and red onion"), ("Baccalà", "Salt cod, potatoes and black olives"),
        ("Calamari", "Squid rings, garlic and parsley"), ("Sarde", "Sardines, fennel, raisins and pine nuts"),
        ("Capesante", "Scallops, leek cream and lemon"), ("Pesce Spada", "Swordfish, aubergine and mint")]),
    ("spicy", "Hot and spicy", "pizza", ["pizza", "hot"], 1050, "hot enough to call for a second drink", [
        ("Diavola", "Spicy salami, chilli and mozzarella"), ("Nduja", "Calabrian nduja, honey and stracciatella"),
        ("Arrabbiata", "Garlic, chilli and San Marzano tomato"), ("Inferno", "Habanero, jalapeños and hot salami"),
        ("Pepperoni Picante", "Pepperoni, chilli oil and oregano"), ("Jalapeño Cheddar", "Jalapeños, cheddar and sweetcorn"),
        ("Chorizo", "Chorizo, peppers and manchego"), ("Harissa Chicken", "Harissa chicken, yoghurt and mint"),
        ("Kimchi", "Kimchi, pork belly and sesame"), ("Sichuan", "Beef, Sichuan pepper and spring onion"),
        ("Peri Peri", "Peri peri chicken, peppers and lime"), ("Calabrese", "Soppressata, chilli and red onion")]),
    ("meat", "Meat lovers", "pizza", ["pizza", "meat"], 1190, "for those who came hungry", [
        ("Carnivora", "Ham, salami, bacon and sausage"), ("Bolognese", "Slow ragù of beef and pork"),
        ("Pulled Pork", "Pulled pork, red onion and barbecue sauce"), ("Bresaola", "Bresaola, rocket and shaved parmesan"),
        ("Pollo Barbecue", "Chicken, sweetcorn and barbecue sauce"), ("Salsiccia", "Fennel sausage, onions and mozzarella"),
        ("Porchetta", "Herbed porchetta, potatoes and mustard"), ("Crudo", "San Daniele ham, rocket and parmesan"),
        ("Kebab", "Döner, onions, tomatoes and garlic sauce"), ("Anatra", "Duck confit, oranges and spring onion"),
        ("Agnello", "Lamb, feta, mint and pine nuts"), ("Steakhouse", "Beef strips, peppers and pepper cream")]),
    ("calzone", "Calzone and folded", "calzone", ["folded"], 1090, "folded over, sealed by hand and baked crisp", [
        ("Calzone Classico", "Ham, ricotta and mozzarella inside"), ("Calzone Verde", "Spinach, ricotta and nutmeg inside"),
        ("Calzone Diavolo", "Spicy salami, chilli and mozzarella inside"), ("Calzone Funghi", "Mushrooms, thyme and fontina inside"),
        ("Panzerotto", "Tomato and mozzarella, fried golden"), ("Saltimbocca", "Folded bread with ham and sage"),
        ("Calzone Tonno", "Tuna, onions and capers inside"), ("Calzone Vegano", "Peppers, tofu and basil inside"),
        ("Calzone Norma", "Aubergine, tomato and salted ricotta"), ("Piadina Prosciutto", "Flatbread with ham and rocket"),
        ("Piadina Squacquerone", "Flatbread with soft cheese and figs"), ("Stromboli", "Rolled dough, salami and provolone")]),
    ("taglio", "Pizza al taglio", "slice", ["pizza", "slice"], 420, "sold as a generous Roman slice", [
        ("Taglio Rosso", "Tomato, garlic and olive oil"), ("Taglio Patate", "Potatoes, rosemary and sea salt"),
        ("Taglio Margherita", "Tomato, mozzarella and basil"), ("Taglio Zucchine", "Courgettes, mint and ricotta"),
        ("Taglio Mortadella", "Split open and filled with mortadella"), ("Taglio Funghi", "Mushrooms, garlic and parsley"),
        ("Taglio Cipolle", "Sweet onions and thyme"), ("Taglio Salsiccia", "Sausage, broccoli and chilli"),
        ("Taglio Acciughe", "Tomato, anchovies and capers"), ("Taglio Pesto", "Green beans, potatoes and pesto"),
        ("Taglio Quattro", "Four cheeses, melted and browned"), ("Taglio Fichi", "Figs and San Daniele ham")]),
    ("kids", "For children", "pizza", ["pizza", "kids"], 690, "small, mild and shaped for small hands", [
        ("Little Margherita", "Tomato and a lot of mozzarella"), ("Little Salami", "Tomato, mozzarella and mild salami"),
        ("Smiley", "Ham, olives and a tomato smile"), ("Pizza Bear", "Two ears, a nose and mozzarella"),
        ("Corn Star", "Sweetcorn, ham and mozzarella"), ("Mini Calzone", "A small pocket with ham and cheese"),
        ("Noodles Red", "Short pasta with tomato sauce"), ("Noodles Butter", "Short pasta with butter and cheese"),
        ("Chicken Bites", "Baked chicken pieces with ketchup"), ("Pizza Fingers", "Strips of pizza with tomato dip"),
        ("Veggie Boat", "Courgette boat with cheese"), ("Sweet Pizza", "Chocolate cream and banana")]),
    ("pasta", "Pasta", "bowl", ["pasta"], 1090, "cooked to order and tossed in the pan", [
        ("Spaghetti Carbonara", "Guanciale, egg yolk and pecorino"), ("Cacio e Pepe", "Tonnarelli, pecorino and black pepper"),
        ("Amatriciana", "Bucatini, guanciale and tomato"), ("Penne Arrabbiata", "Tomato, garlic and chilli"),
        ("Tagliatelle al Ragù", "Beef and pork ragù, four hours"), ("Linguine alle Vongole", "Clams, garlic and parsley"),
        ("Trofie al Pesto", "Basil pesto, potatoes and green beans"), ("Pasta alla Norma", "Aubergine, tomato and ricotta salata"),
        ("Lasagne", "Ragù, béchamel and parmesan"), ("Gnocchi Sorrentina", "Potato gnocchi, tomato and mozzarella"),
        ("Ravioli Burro e Salvia", "Ricotta ravioli, butter and sage"), ("Orecchiette", "Broccoli, anchovies and chilli")]),
    ("risotto", "Risotto and bakes", "bowl", ["rice"], 1250, "stirred patiently and served at once", [
        ("Risotto Milanese", "Saffron, butter and parmesan"), ("Risotto Funghi", "Porcini, thyme and parmesan"),
        ("Risotto Zucca", "Pumpkin, sage and amaretti"), ("Risotto Limone", "Lemon, mascarpone and basil"),
        ("Risotto Frutti di Mare", "Mussels, prawns and squid"), ("Risotto Radicchio", "Radicchio, red wine and gorgonzola"),
        ("Risotto Asparagi", "Asparagus, peas and mint"), ("Risotto Nero", "Cuttlefish ink, lemon and parsley"),
        ("Melanzane Parmigiana", "Aubergine, tomato and parmesan, baked"), ("Cannelloni", "Spinach and ricotta in tomato sauce"),
        ("Timballo", "Baked pasta with ragù and peas"), ("Polenta Gratinata", "Polenta with mushrooms and taleggio")]),
    ("salad", "Salads", "bowl", ["salad", "cold"], 790, "dressed with lemon and green olive oil", [
        ("Insalata Mista", "Leaves, cucumber, tomatoes and carrots"), ("Insalata Caprese", "Tomatoes, buffalo mozzarella and basil"),
        ("Insalata Cesare", "Romaine, croutons and parmesan"), ("Insalata di Tonno", "Tuna, beans and red onion"),
        ("Panzanella", "Bread, tomatoes, cucumber and basil"), ("Rucola e Parmigiano", "Rocket, parmesan and pine nuts"),
        ("Finocchi e Arance", "Fennel, oranges and olives"), ("Insalata Greca", "Feta, cucumber, olives and oregano"),
        ("Farro", "Spelt, roasted vegetables and mint"), ("Lenticchie", "Lentils, beetroot and goat cheese"),
        ("Pollo e Avocado", "Chicken, avocado and sweetcorn"), ("Burrata e Pesche", "Burrata, peaches and basil")]),
    ("antipasti", "Antipasti", "plate", ["starter", "share"], 750, "made for the middle of the table", [
        ("Bruschetta", "Toasted bread, tomatoes and basil"), ("Arancini", "Rice balls with ragù and peas"),
        ("Supplì", "Roman rice croquettes with mozzarella"), ("Vitello Tonnato", "Cold veal, tuna sauce and capers"),
        ("Carpaccio", "Raw beef, rocket and parmesan"), ("Olive Ascolane", "Stuffed and fried green olives"),
        ("Focaccia", "Olive oil, rosemary and sea salt"), ("Burrata", "Burrata, tomatoes and basil oil"),
        ("Fritto Misto", "Fried squid, prawns and courgettes"), ("Tagliere", "Ham, salami, cheese and pickles"),
        ("Caponata", "Aubergine, celery, raisins and pine nuts"), ("Polpette", "Meatballs in tomato sauce")]),
    ("dessert", "Desserts", "dessert", ["sweet"], 590, "made in our kitchen every morning", [
        ("Tiramisù", "Mascarpone, coffee and cocoa"), ("Panna Cotta", "Vanilla cream with raspberries"),
        ("Cannoli", "Crisp shells, ricotta and pistachio"), ("Affogato", "Vanilla ice cream and espresso"),
        ("Torta Caprese", "Chocolate and almond cake"), ("Gelato Misto", "Three scoops of the day"),
        ("Sorbetto Limone", "Lemon sorbet with mint"), ("Crostata", "Apricot tart with almond crust"),
        ("Zabaione", "Warm egg cream with marsala"), ("Semifreddo", "Frozen hazelnut cream and caramel"),
        ("Torta della Nonna", "Custard tart with pine nuts")]),
    ("drink", "Soft drinks", "drink", ["drink", "cold", "vegan"], 320, "served ice cold, in a glass with lemon", [
        ("Sparkling Water", "From the mountains, half a litre"), ("Still Water", "From the mountains, half a litre"),
        ("Lemonade", "Pressed lemons, cane sugar and mint"), ("Orange Soda", "Sicilian blood oranges and bubbles"),
        ("Chinotto", "Bittersweet citrus soda from Liguria"), ("Cola", "The classic, in a glass bottle"),
        ("Cola Zero", "The classic without sugar"), ("Iced Tea", "Black tea, peach and lemon"),
        ("Apple Spritzer", "Cloudy apple juice and soda"), ("Ginger Beer", "Fresh ginger, lime and spice"),
        ("Tomato Juice", "Spiced, with celery salt")]),
    ("wine", "Wine and beer", "drink", ["drink", "alcohol"], 490, "poured by the glass or the bottle", [
        ("Montepulciano", "Red from Abruzzo, plums and spice"), ("Chianti", "Red from Tuscany, cherries and leather"),
        ("Primitivo", "Red from Apulia, dark and soft"), ("Pinot Grigio", "White from Veneto, pears and almonds"),
        ("Vermentino", "White from Sardinia, salty and fresh"), ("Rosato", "Rosé from Salento, strawberries"),
        ("Prosecco", "Sparkling from Valdobbiadene"), ("Lambrusco", "Sparkling red from Emilia"),
        ("Lager", "Blond and crisp, from the tap"), ("Ambrata", "Amber ale from a small brewery"),
        ("Analcolica", "Wheat beer without alcohol")]),
]


def description(what, ending):
    text = f"{what}, {ending}."
    if not 50 <= len(text) <= 120:
        raise SystemExit(f"description of {len(text)} characters: {text}")
    return text


def main():
    categories, products = [], []
    for position, (key, name, motif, tags, base, ending, items) in enumerate(CATEGORIES, 1):
        categories.append({"_id": position, "slug": key, "name": name, "motif": motif, "position": position,
                           "products": len(items)})
        for number, (title, what) in enumerate(items, 1):
            identifier = len(products) + 1
            price = base + (identifier * 37 % 9) * 50
            extra = ["new"] if identifier % 13 == 0 else ["favourite"] if identifier % 9 == 0 else []
            products.append({"_id": identifier, "sku": f"{key[:3].upper()}-{number:03d}", "name": title,
                             "description": description(what, ending), "category": key, "price": price,
                             "image": f"/images/{identifier}.svg", "motif": motif, "tags": tags + extra})
    if len(categories) != 17 or len(products) != 201:
        raise SystemExit(f"{len(categories)} categories and {len(products)} products")
    if len({product["name"] for product in products}) != len(products):
        raise SystemExit("two products have the same name")
    for path, rows in zip(sys.argv[1:], (categories, products)):
        with open(path, "w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
