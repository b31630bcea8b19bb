#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks a module built with sdk/c: its imports are of module "planck" and in the ABI, its exports
are those that the host calls, and it has a manifest. Usage: check_module.py MODULE"""
import sys

ABI = {
    "host_request", "host_reply_read", "host_wait", "host_body_read", "host_respond", "host_log",
    "host_now_ns", "host_random", "host_abort",
}
EXPORTS = {"memory", "planck_abi_version", "planck_alloc", "init", "process"}
CUSTOM, IMPORT, EXPORT = 0, 2, 7


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def number(self):
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def take(self, size):
        self.at += size
        return self.data[self.at - size:self.at]

    def name(self):
        return self.take(self.number()).decode()


def sections(data):
    assert data[:8] == b"\0asm\1\0\0\0", "not a WebAssembly module"
    reader = Reader(data)
    reader.at = 8
    while reader.at < len(data):
        kind = reader.number()
        yield kind, Reader(reader.take(reader.number()))


def imports(section):
    for _ in range(section.number()):
        module, name = section.name(), section.name()
        assert section.number() == 0, f"{module}.{name} is not a function"
        section.number()
        yield module, name


def exports(section):
    for _ in range(section.number()):
        yield section.name()
        section.take(1)
        section.number()


def main():
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    imported, exported, custom = [], [], set()
    for kind, section in sections(data):
        if kind == IMPORT:
            imported = list(imports(section))
        elif kind == EXPORT:
            exported = list(exports(section))
        elif kind == CUSTOM:
            custom.add(section.name())
    foreign = [f"{module}.{name}" for module, name in imported
               if module != "planck" or name not in ABI]
    assert not foreign, f"foreign imports: {foreign}"
    assert ("planck", "host_respond") in imported, f"imports: {imported}"
    assert set(exported) == EXPORTS, f"exports: {exported}"
    assert "planck.manifest" in custom, f"custom sections: {custom}"


main()
