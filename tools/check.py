#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The tree's own rules: format, layering, who may include which library, banned calls, licence lines.
Long functions and files are listed, not refused. Exit code 1 when a rule is broken."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LEVELS = {"base": 0, "doc": 1, "net": 1, "storage": 2, "wire": 2, "http": 2, "zsx": 2, "query": 3,
          "engine": 4, "wasm": 5, "planck": 6, "workbench": 6, "planctl": 6}
# Each big dependency is seen by one place only.
LIBRARY_HEADERS = {
    "lmdb.h": "src/storage/index", "wasmtime.h": "src/wasm/runtime", "wasm.h": "src/wasm/runtime",
    "uv.h": "src/net/", "yaml.h": "src/base/yaml", "bson/bson.h": "src/doc/json",
    "sodium.h": "src/wasm/", "pcre2.h": "src/query/regex", "nghttp2/nghttp2.h": "src/http/http2",
    **{f"openssl/{name}.h": "src/net/tls" for name in ("err", "evp", "pem", "rand", "ssl", "x509", "x509v3")},
}
BANNED = ["strcpy", "strcat", "sprintf", "vsprintf", "gets", "strtok", "atoi", "atol", "atof", "alloca",
          "system", "popen", "rand", "srand", "signal", "setjmp", "longjmp", "strncpy", "strerror"]
# Calls of the operating system that have a seam in base/. LMDB stands outside of the file seam, and so
# does the directory that index.c makes for it.
SEAMS = {"clock_gettime": ["src/base/"], "gettimeofday": [], "time": [], "getrandom": ["src/base/"],
         "fopen": [], "open": ["src/base/", "src/wasm/", "src/planck/", "src/storage/index.c"], "mmap": ["src/base/", "src/wasm/"],
         "pthread_create": ["src/base/"], "fdatasync": ["src/base/"], "fsync": ["src/base/", "src/wasm/", "src/storage/index.c"]}
LONG_FUNCTION, LONG_FILE = 70, 500


def sources():
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.c", "*.h"],
                            cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return [name for name in listed if (ROOT / name).exists()]


def strip(text):
    """Comments and strings become blanks; the line structure stays."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def check_includes(name, text, problems):
    parts = name.split("/")
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r'\s*#\s*include\s+[<"]([^">]+)[">]', line)
        if not found:
            continue
        header = found.group(1)
        if parts[0] == "src":
            owner = LIBRARY_HEADERS.get(header)
            if owner and not name.startswith(owner):
                problems.append(f"{name}:{number}: {header} may be included by {owner}* only")
            folder = header.split("/")[0]
            if "/" in header and folder in LEVELS and folder != parts[1]:
                facade = folder == "base" or header == f"{folder}/{folder}.h"
                if LEVELS[folder] >= LEVELS[parts[1]]:
                    problems.append(f"{name}:{number}: {parts[1]}/ must not include {header} (level "
                                    f"{LEVELS[folder]} is not below {LEVELS[parts[1]]})")
                elif not facade:
                    problems.append(f"{name}:{number}: only {folder}/{folder}.h may be included from outside")


def check_calls(name, code, problems):
    if not name.startswith("src/"):
        return
    for number, line in enumerate(code.splitlines(), 1):
        for call in re.findall(r"(?<![\w.>])([a-z_][a-z0-9_]*)\s*\(", line):
            if call in BANNED:
                problems.append(f"{name}:{number}: {call}() is banned")
            elif call in SEAMS and not any(name.startswith(place) for place in SEAMS[call]):
                problems.append(f"{name}:{number}: {call}() has a seam in src/base")


def long_functions(name, code):
    start, title = None, ""
    for number, line in enumerate(code.splitlines(), 1):
        if re.match(r"^[a-zA-Z_].*\)\s*\{\s*$|^\s{4,}.*\)\s*\{\s*$", line) and start is None and not line.startswith("    "):
            start, title = number, line.strip()
        elif line.startswith("}") and start is not None:
            if number - start > LONG_FUNCTION:
                yield f"{name}:{start}: {number - start} lines: {title}"
            start = None


def check_format(names, problems):
    run = subprocess.run(["clang-format-19", "--dry-run", "--Werror", *names], cwd=ROOT, capture_output=True, text=True)
    for line in run.stderr.splitlines():
        if "error:" in line:
            problems.append(line)


def main():
    names, problems, listed = sources(), [], []
    for name in names:
        text = (ROOT / name).read_text()
        code = strip(text)
        if "SPDX-License-Identifier: Apache-2.0" not in text.split("\n", 1)[0]:
            problems.append(f"{name}:1: no SPDX line")
        check_includes(name, text, problems)
        check_calls(name, code, problems)
        listed += long_functions(name, code)
        if text.count("\n") > LONG_FILE:
            listed.append(f"{name}: {text.count(chr(10))} lines")
    check_format(names, problems)
    for line in listed:
        print("long:", line)
    for line in problems:
        print(line, file=sys.stderr)
    print(f"check: {len(names)} files, {len(problems)} problems, {len(listed)} long functions or files")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
