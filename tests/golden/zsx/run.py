#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden tests of the template compiler: run.py PLANCTL SDK_DIRECTORY COMPILER…

Each .zsx here is compiled; the C must be that of expected/NAME.c.txt, must compile without warnings, and
what it renders must be expected/NAME.html. Formatting it must be stable, and mean the same. Where
Python's html5lib is installed (Debian: python3-html5lib), a real HTML parser must see the elements
nested as they are written; where Chromium is, no hostile value may run in it. UPDATE=1 writes the expected files anew."""
import difflib
import html.parser
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wno-unused-function"]
VOID = set("area base br col embed hr img input link meta source track wbr".split())
try:
    import html5lib
except ImportError:
    html5lib = None
failures = []


def run(*command, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, **options)


def compare(name, actual):
    path = HERE / "expected" / name
    if os.environ.get("UPDATE"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(actual)
        return
    expected = path.read_bytes() if path.exists() else b""
    if expected != actual:
        diff = difflib.unified_diff(expected.decode().splitlines(), actual.decode().splitlines(),
                                    "expected/" + name, "actual", lineterm="")
        failures.append("\n".join(diff))


class Written(html.parser.HTMLParser):
    """The tree as the tags say it, without any of HTML's corrections."""

    def __init__(self):
        super().__init__()
        self.root = ("", [])
        self.open = [self.root]

    def handle_starttag(self, tag, attributes):
        node = (tag, [])
        self.open[-1][1].append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_endtag(self, tag):
        if self.open[-1][0] != tag:
            failures.append(f"</{tag}> closes <{self.open[-1][0]}>")
        elif len(self.open) > 1:
            self.open.pop()


def parsed(element):
    """The same shape from html5lib's tree."""
    name = element.tag.split("}")[-1].lower() if isinstance(element.tag, str) else None
    children = [parsed(child) for child in element]
    return (name, [child for child in children if child[0] is not None])


def check_structure(name, text):
    for part in re.split(r"\n(?:<!-- [a-z ]+ -->\n)?", text) if name == "page" else [text]:
        written = Written()
        written.feed(part)
        written.close()
        parser = html5lib.HTMLParser(namespaceHTMLElements=False)
        if part.startswith("<!doctype"):
            tree = [parsed(parser.parse(part))]
        else:
            tree = parsed(parser.parseFragment(part))[1]
        if written.root[1] != tree:
            failures.append(f"{name}: a browser reads another structure:\n{written.root[1]}\n{tree}")


def check_format(planctl, source, code, directory):
    """format(format(x)) = format(x), and the formatted file compiles to the same statements."""
    texts = []
    for _ in range(2):
        done = run(planctl, "zsx", "format", source)
        if done.returncode != 0:
            failures.append(done.stderr.decode())
        texts.append(source.read_bytes())
    if texts[0] != texts[1]:
        failures.append(f"{source.name}: formatting twice changes it twice")
    run(planctl, "zsx", "compile", source, "-o", directory / "formatted.c")
    without_lines = lambda text: re.sub(rb"\s+", b"", re.sub(rb"#line.*\n", b"", text))
    if without_lines((directory / "formatted.c").read_bytes()) != without_lines(code):
        failures.append(f"{source.name}: formatting changes what it means")


def check(planctl, sdk, compilers, name, directory):
    for path in HERE.glob("*.zsx"):
        (directory / path.name).write_bytes(path.read_bytes())
    done = run(planctl, "zsx", "compile", f"{name}.zsx", "-o", ".", cwd=directory)
    if done.returncode != 0:
        failures.append(done.stderr.decode())
        return
    code = (directory / f"{name}.c").read_bytes()
    compare(f"{name}.c.txt", code)
    compare(f"{name}.h.txt", (directory / f"{name}.zsx.h").read_bytes())
    run(planctl, "zsx", "compile", "layout.zsx", "-o", ".", cwd=directory)
    (directory / "layout_all.c").write_text('#include "planck.h"\n#include "zsx/pk_zsx.h"\n#include "layout.c"\n')
    for compiler in compilers:
        sources = [f"{name}.c", HERE / "host.c"] + (["layout_all.c"] if name == "page" else [])
        built = run(*compiler.split(), "-std=gnu17", "-O1", *WARNINGS, "-I", sdk, *sources, "-o", "program",
                    cwd=directory)
        if built.returncode != 0:
            failures.append(built.stderr.decode())
            continue
        rendered = run(directory / "program").stdout
        compare(f"{name}.html", rendered)
    if html5lib:
        check_structure(name, rendered.decode())
    check_format(planctl, directory / f"{name}.zsx", code, directory)


def check_errors(planctl, compilers, sdk, directory):
    """The compiler's own errors name the line of the .zsx."""
    text = '#include "planck.h"\n#include "zsx/pk_zsx.h"\nmarkup page(int n) {\n    return <p>\n        {n}\n' \
           '        {unknown}\n    </p>;\n}\nint wrong = other;\n'
    (directory / "bad.zsx").write_text(text)
    run(planctl, "zsx", "compile", "bad.zsx", "-o", ".", cwd=directory)
    for compiler in compilers:
        built = run(*compiler.split(), "-std=gnu17", "-I", sdk, "-c", "bad.c", "-o", "bad.o", cwd=directory)
        for line in (6, 9):
            if f"bad.zsx:{line}:".encode() not in built.stderr:
                failures.append(f"{compiler} names other lines than {line}:\n{built.stderr.decode()}")


def check_command_line(planctl, directory):
    """Exit codes, what is printed where, and which files are written."""
    (directory / "good.zsx").write_text("markup f() { return <p>x</p>; }\n")
    (directory / "bad.zsx").write_text("markup f() {\n    return <p>x;\n}\n")
    (directory / "loose.zsx").write_text("markup f() { return <p >x</p>; }\n")
    bad = b"bad.zsx:2:12: error: <p> is not closed\n    2 |     return <p>x;\n      |            ^\n"
    for arguments, code, output, errors in [
            (["--help"], 0, b"usage: planctl VERB", b""), (["--version"], 0, b"planctl ", b""), ([], 2, b"", b"usage"),
            (["none"], 2, b"", b"no verb none"), (["zsx", "--help"], 0, b"usage: planctl zsx", b""),
            (["zsx"], 2, b"", b"usage"), (["zsx", "none"], 2, b"", b"no such command: none"),
            (["zsx", "compile"], 2, b"", b"which file"), (["zsx", "compile", "a.c"], 1, b"", b"a.c: "),
            (["zsx", "compile", "none.zsx"], 1, b"", b"none.zsx"), (["zsx", "compile", "x.zsx", "-o"], 2, b"", b"-o"),
            (["zsx", "compile", "bad.zsx"], 1, b"", bad), (["zsx", "compile", "good.zsx", "-o", "out.c"], 0, b"", b""),
            (["zsx", "compile", "good.zsx", "-o", "new/place"], 0, b"", b""),
            (["zsx", "compile", ".", "-o", "x.c"], 2, b"", b"needs a directory"), (["zsx", "compile", "."], 1, b"", bad), (["zsx", "format", "--check", "good.zsx"], 0, b"", b""),
            (["zsx", "format", "--check", "loose.zsx"], 1, b"loose.zsx\n", b""),
            (["zsx", "format", "bad.zsx"], 1, b"", bad), (["zsx", "format", "--target", "go", "x.zsx"], 2, b"", b"c or zig")]:
        done = run(planctl, *arguments, cwd=directory)
        if done.returncode != code or not done.stdout.startswith(output) or errors not in done.stderr:
            failures.append(f"planctl {arguments}: {done}")
    for name in ["out.c", "out.zsx.h", "good.c", "good.zsx.h", "loose.c", "new/place/good.c"]:
        if not (directory / name).exists():
            failures.append(f"{name} is not written")
    if (directory / "bad.c").exists():
        failures.append("something was written for a file with mistakes")


def check_documentation(planctl, compilers, sdk, directory):
    """The examples of docs/ZSX.md compile, all in one file, and are laid out as the formatter does."""
    text = (HERE.parents[2] / "docs" / "ZSX.md").read_text()
    examples = [block for block in re.findall(r"```c\n(.*?)```", text, re.S) if "markup " in block]
    source = examples[0].replace("…", "pk_find(\"products\", pk_key_int(1), &product);") + \
        "struct line { struct pk_text name; };\n" + "".join(examples[1:])
    (directory / "examples.zsx").write_text(source)
    for arguments in [["compile"], ["format", "--check"]]:
        done = run(planctl, "zsx", *arguments, "examples.zsx", cwd=directory)
        if len(examples) < 3 or done.returncode != 0:
            failures.append(f"docs/ZSX.md: {done.stdout.decode()}{done.stderr.decode()}")
    for compiler in compilers:
        built = run(*compiler.split(), "-std=gnu17", *WARNINGS, "-I", sdk, "-fsyntax-only", "examples.c",
                    cwd=directory)
        if built.returncode != 0:
            failures.append(built.stderr.decode())


def browser_sees(chromium, body, directory):
    """Loads, clicks everything, and says which of alert, unsafe links and the end were met."""
    page = directory / "browser.html"
    page.write_text("""<!doctype html><meta charset=utf-8><script>
        const met = (name) => document.documentElement.setAttribute("data-" + name, "yes");
        window.alert = () => met("alert");
        window.go = () => 0;
        </script><body>""" + body + """<script>
        for (const element of document.querySelectorAll("[onclick]")) element.click();
        for (const link of document.querySelectorAll("a[href]"))
            if (!["http:", "https:", "file:", "about:"].includes(link.protocol)) met("link");
        met("end");
        </script>""")
    run_arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND",
                     f"--user-data-dir={directory / 'profile'}", "--dump-dom", page.as_uri()]
    try:
        dom = run(chromium, *run_arguments, timeout=60).stdout.decode(errors="replace")
    except subprocess.TimeoutExpired:
        return None
    return set(re.findall(r'data-(alert|link|end)="yes"', dom.split(">", 3)[1] + ">" + dom.split(">", 3)[2]))


def check_browser(chromium, directory):
    """No hostile value runs; and that would be seen."""
    rendered = (HERE / "expected" / "contexts.html").read_text()
    seen = browser_sees(chromium, rendered, directory)
    if seen != {"end"}:
        failures.append(f"a browser sees in contexts.html: {seen}")
    control = '<button onclick="alert(1)">x</button><a href="javascript:1">y</a>'
    seen = browser_sees(chromium, control, directory)
    if seen != {"end", "alert", "link"}:
        failures.append(f"a browser does not see what it should: {seen}")


def check_safe_names(planctl, sdk, directory):
    """What {...attributes} may write is what the table of attributes takes for plain text."""
    header = (pathlib.Path(sdk) / "zsx" / "pk_zsx.h").read_text()
    definition = re.search(r"#define PK_ZSX_SAFE_NAMES((?:.*\\\n)+.*)", header).group(1)
    names = " ".join(re.findall(r'"([^"]*)"', definition)).split() + ["aria-label"]
    markup = "".join(f"<b {name}={{x}}></b>" for name in names)
    (directory / "names.zsx").write_text("markup f(int x) { return <>" + markup + "</>; }\n")
    done = run(planctl, "zsx", "compile", "names.zsx", cwd=directory)
    count = (directory / "names.c").read_bytes().count(b"pk_zsx_attribute_text(") if not done.stderr else 0
    if len(names) < 20 or count != len(names):
        failures.append(f"{count} of {len(names)} names are plain: {done.stderr.decode()}")


def main():
    planctl, sdk, compilers = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), sys.argv[3:]
    for name in ["page", "contexts", "language"]:
        with tempfile.TemporaryDirectory() as directory:
            check(planctl, sdk, compilers, name, pathlib.Path(directory))
    with tempfile.TemporaryDirectory() as directory:
        check_errors(planctl, compilers, sdk, pathlib.Path(directory))
    with tempfile.TemporaryDirectory() as directory:
        check_command_line(planctl, pathlib.Path(directory))
        check_safe_names(planctl, sdk, pathlib.Path(directory))
        check_documentation(planctl, compilers, sdk, pathlib.Path(directory))
    chromium = shutil.which("chromium")
    if chromium:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
            check_browser(chromium, pathlib.Path(directory))
    for failure in failures:
        print(failure)
    print("chromium: " + ("tried" if chromium else "not installed, no page was loaded"))
    print("html5lib: " + ("compared" if html5lib else "not installed, structure not compared"))
    print(f"{len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
