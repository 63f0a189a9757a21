#!/usr/bin/env python3
"""convert.py SUITE DEFERRED FOLDER OUT: the official suite as one binary pack.

A pack is "WHELKSPC" and then one script per .wast file of the groups in groups.NAMES:
  str name, u8 group, u32 size of the commands, commands.
A command is u8 kind, u32 line, and what KINDS says. All numbers are
little-endian; str is u16 length and bytes; blob is u32 length and bytes;
action is u8 (0 invoke, 1 get), str module name or "", str field, u8 count and
values; a value is u8 pattern, u64 bits; a v128 has after its low bits u64 high,
u8 bytes of a lane (0: compare all) and for each of four lanes u8 0 exact, 1
canonical NaN, 2 arithmetic NaN; "either" has in bits how many values follow. Texts assert only text parsers
(assert_malformed of quoted modules) are left out: there is none here.
"""
import glob
import os
import struct
import sys

import groups
import literals
from assemble import assemble
from sexpr import Node, parse

KINDS = {
    "module": 1,              # u8 flags, str name, blob
    "register": 2,            # str as, str name
    "action": 3,              # action
    "assert_return": 4,       # action, u8 count, values
    "assert_trap": 5,         # action, str text
    "assert_exhaustion": 6,   # action, str text
    "assert_invalid": 7,      # u8 flags, blob, str text
    "assert_malformed": 8,    # u8 flags, blob, str text
    "assert_unlinkable": 9,   # u8 flags, blob, str text
    "assert_uninstantiable": 10,  # u8 flags, blob, str text
    "instance": 11,           # str name, str name of the definition
    "assert_exception": 12,   # action
}
DEFERRED, DEFINITION, MISSING = 1, 2, 4
PATTERNS = {"i32": 1, "i64": 2, "f32": 3, "f64": 4, "canonical32": 5, "arithmetic32": 6,
            "canonical64": 7, "arithmetic64": 8, "null": 9, "extern": 10, "func": 11,
            "extern-any": 12, "other": 13, "v128": 14, "either": 15}


class Unsupported(Exception):
    pass


def u8(n):
    return struct.pack("<B", n)


def u32(n):
    return struct.pack("<I", n)


def text16(s):
    b = s if isinstance(s, bytes) else s.encode()
    return struct.pack("<H", len(b)) + b


def blob(b):
    return u32(len(b)) + b


def pattern(kind, bits=0):
    return struct.pack("<BQ", PATTERNS[kind], bits)


LANES = {"i8x16": 8, "i16x8": 16, "i32x4": 32, "i64x2": 64, "f32x4": 32, "f64x2": 64}


def vector(shape, lanes):
    """(v128.const f32x4 1 nan:canonical 3 4), ..."""
    bits, low, kinds = LANES[shape], 0, [0, 0, 0, 0]
    for i, text in enumerate(lanes):
        if text in ("nan:canonical", "nan:arithmetic"):
            kinds[i] = 1 if text == "nan:canonical" else 2
        elif shape[0] == "f":
            low |= literals.floating(text, bits) << i * bits
        else:
            low |= literals.integer(text, bits) << i * bits
    width = bits // 8 if any(kinds) else 0
    return struct.pack("<BQQB4B", PATTERNS["v128"], low & (1 << 64) - 1, low >> 64, width, *kinds)


def value(node):
    """(i32.const 1), (f32.const nan:canonical), (ref.null func), ..."""
    op, rest = node[0], node[1:]
    if op in ("i32.const", "i64.const"):
        return pattern(op[:3], literals.integer(rest[0], int(op[1:3])))
    if op in ("f32.const", "f64.const"):
        if rest[0] in ("nan:canonical", "nan:arithmetic"):
            return pattern(rest[0][4:] + op[1:3])
        return pattern(op[:3], literals.floating(rest[0], int(op[1:3])))
    if op == "v128.const":
        return vector(rest[0], rest[1:])
    if op == "either":
        return pattern("either", len(rest)) + b"".join(map(value, rest))
    if op == "ref.null":
        return pattern("null")
    if op in ("ref.extern", "ref.host"):
        return pattern("extern", int(rest[0])) if rest else pattern("extern-any")
    if op == "ref.func":
        return pattern("func")
    return pattern("other")


def action(node):
    rest = list(node[1:])
    name = rest.pop(0) if isinstance(rest[0], str) else ""
    field, args = rest[0], rest[1:]
    kind = {"invoke": 0, "get": 1}[node[0]]
    return (u8(kind) + text16(name) + text16(field) + u8(len(args)) +
            b"".join(value(a) for a in args))


class Module:
    """A (module ...) form: its name, and its bytes or the text to assemble."""

    def __init__(self, node, source):
        rest = list(node[1:])
        self.line, self.data, self.text, self.quoted = node.line, None, None, False
        self.definition = bool(rest) and rest[0] == "definition"
        if self.definition:
            rest.pop(0)
        self.instance = bool(rest) and rest[0] == "instance"
        if self.instance:
            rest.pop(0)
        named = rest and isinstance(rest[0], str) and rest[0].startswith("$")
        self.name = rest.pop(0) if named else ""
        self.rest = rest
        if rest and rest[0] == "binary":
            self.data = b"".join(rest[1:])
        elif rest and rest[0] == "quote":
            self.quoted = True
            text = b" ".join(rest[1:]).decode(errors="replace")
            # A newline may be written in three ways; wabt knows one.
            self.text = "(module " + text.replace("\r\n", "\n").replace("\r", "\n") + ")"
        else:
            self.text = source[node.start:node.end].replace("(module definition", "(module", 1)


class Script:
    def __init__(self, path, name, deferred, superseded):
        self.name, self.deferred, self.superseded = name, deferred, superseded
        with open(path, encoding="utf-8") as f:
            self.source = f.read()
        forms = parse(self.source)
        if forms and forms[0][0] not in KINDS and forms[0][0] != "invoke":
            forms = parse("(module\n" + self.source + ")")  # fields without a module around
            self.source = "(module\n" + self.source + ")"
        self.forms = forms
        self.modules = {}  # malformed texts test only a text parser: parser_only
        for form in forms:
            for node in [form] + list(form[1:2]):
                if isinstance(node, Node) and node and node[0] == "module":
                    m = self.modules[id(node)] = Module(node, self.source)
                    m.line = form.line
                    m.parser_only = m.text is not None and form[0] == "assert_malformed"

    def texts(self):
        return [m.text for m in self.modules.values() if m.text and not m.instance and not m.parser_only]

    def module(self, node, binaries):
        m = self.modules[id(node)]
        data = m.data if m.text is None else binaries.get(m.text)
        flags = DEFERRED if m.line in self.deferred else 0
        flags |= (DEFINITION if m.definition else 0) | (MISSING if data is None else 0)
        return m, flags, data or b""

    def command(self, form, binaries):
        kind = form[0]
        if kind == "module":
            m, flags, data = self.module(form, binaries)
            if m.instance:
                target = m.rest[0] if m.rest else ""
                return KINDS["instance"], text16(m.name) + text16(target)
            return KINDS["module"], u8(flags) + text16(m.name) + blob(data)
        if kind == "register":
            return KINDS[kind], text16(form[1]) + text16(form[2] if len(form) > 2 else "")
        if kind in ("invoke", "get"):
            return KINDS["action"], action(form)
        if kind == "assert_return":
            return KINDS[kind], action(form[1]) + u8(len(form) - 2) + b"".join(map(value, form[2:]))
        if form[1][0] == "module":
            return self.refusal(kind, form, binaries)
        if kind == "assert_exception":
            return KINDS[kind], action(form[1])
        return KINDS[kind], action(form[1]) + text16(form[2])

    def refusal(self, kind, form, binaries):
        """An assertion that a module is refused in some way."""
        m, flags, data = self.module(form[1], binaries)
        if m.parser_only:
            return None
        kind = "assert_uninstantiable" if kind == "assert_trap" else kind
        return KINDS[kind], u8(flags) + blob(data) + text16(form[2])

    def encode(self, binaries):
        out = b""
        for form in self.forms:
            command = None if form.line in self.superseded else self.command(form, binaries)
            if command:
                out += u8(command[0]) + u32(form.line) + command[1]
        return text16(self.name) + u8(groups.group(self.name)) + blob(out)


def read_deferred(path):
    """Two {name: {line}} from lines "name.wast:line feature": modules that need a
    later feature, and assertions that a later standard made wrong."""
    deferred, superseded = {}, {}
    with open(path) as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                name, _, number = line.split()[0].partition(".wast:")
                out = superseded if line.split()[1] == "superseded:" else deferred
                out.setdefault(name, set()).add(int(number))
    return deferred, superseded


def files(suite):
    """(path, name) of every script of a group that is run."""
    for path in sorted(glob.glob(os.path.join(suite, "*.wast"))):
        yield path, os.path.basename(path)[:-len(".wast")]
    for folder in sorted(groups.FOLDERS):
        for path in sorted(glob.glob(os.path.join(suite, "proposals", folder, "*.wast")) +
                           glob.glob(os.path.join(suite, folder, "*.wast"))):
            yield path, folder + "/" + os.path.basename(path)[:-len(".wast")]


def main():
    suite, deferred, folder, output = sys.argv[1:]
    listed, wrong = read_deferred(deferred)
    scripts = [Script(path, name, listed.get(name, set()), wrong.get(name, set()))
               for path, name in files(suite) if groups.group(name) in groups.NAMES]
    binaries = assemble(folder, sorted({t for s in scripts for t in s.texts()}))
    with open(output, "wb") as f:
        f.write(b"WHELKSPC" + b"".join(s.encode(binaries) for s in scripts))
    for s in scripts:
        for m in s.modules.values():
            wanted = m.text and not m.instance and not m.parser_only
            if wanted and m.text not in binaries and m.line not in s.deferred:
                print(f"convert: {s.name}.wast:{m.line}: no assembler could read this module",
                      file=sys.stderr)


if __name__ == "__main__":
    main()
