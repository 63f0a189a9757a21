#!/usr/bin/env python3
"""asm.py IN OUT: a small assembler of module text, for tests of what wabt 1.0.32
cannot write: typed references and exceptions. It knows the instructions of
wasm/opcodes.h, flat and folded, and the fields that our tests use; it checks
nothing: that is the validator's.
"""
import os
import re
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../spec"))
import literals  # noqa: E402
from sexpr import Node, parse  # noqa: E402

TYPES = {"i32": [0x7f], "i64": [0x7e], "f32": [0x7d], "f64": [0x7c], "v128": [0x7b], "funcref": [0x70],
         "externref": [0x6f], "exnref": [0x69]}
HEAPS = {"func": 0x70, "extern": 0x6f, "exn": 0x69}
KINDS = {"func": 0, "table": 1, "memory": 2, "global": 3, "tag": 4}
CATCHES = {"catch": 0, "catch_ref": 1, "catch_all": 2, "catch_all_ref": 3}
BLOCKS = ("block", "loop", "if", "try_table", "try")


def opcodes():
    """text -> (code, immediate, log2 of the natural alignment)"""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../wasm/opcodes.h")
    rows = re.findall(r'X\(\w+, (0x[0-9a-f]+), "([^"]+)", (\w+), "[^"]*", "[^"]*", (\d+)\)', open(path).read())
    out = {}
    for code, text, imm, align in rows:
        out.setdefault(text, (int(code, 16), imm, int(align)))
    return out


OPS = opcodes()


def uleb(n):
    out = []
    while n > 0x7f:
        out.append(n & 0x7f | 0x80)
        n >>= 7
    return out + [n]


def sleb(n):
    out = []
    while not -64 <= n < 64:
        out.append(n & 0x7f | 0x80)
        n >>= 7
    return out + [n & 0x7f]


def name(b):
    return uleb(len(b)) + list(b)


def vector(items):
    return uleb(len(items)) + [b for i in items for b in i]


def signed(text, bits):
    n = literals.integer(text, bits)
    return n - (1 << bits) if n >> (bits - 1) else n


def is_node(x, *heads):
    return isinstance(x, Node) and x and x[0] in heads


class Module:
    def __init__(self, fields):
        self.names = {k: {} for k in list(KINDS) + ["type", "elem", "data"]}
        self.counts = dict.fromkeys(self.names, 0)
        self.types, self.imports, self.funcs, self.tables, self.memories = [], [], [], [], []
        self.globals, self.tags, self.exports, self.elems, self.datas, self.codes = [], [], [], [], [], []
        self.start, self.bodies = None, []
        for imported in (True, False):
            for f in fields:
                if is_node(f, "import") == imported:
                    self.declare(f[3] if imported else f)
        for f in fields:
            getattr(self, "field_" + f[0])(f)
        self.codes = [self.code(*b) for b in self.bodies]

    def declare(self, f):
        kind = f[0]
        if kind not in self.names:
            return
        if len(f) > 1 and isinstance(f[1], str) and f[1].startswith("$"):
            self.names[kind][f[1]] = self.counts[kind]
        self.counts[kind] += 1
        if kind == "type":
            self.types.append(None)

    def index(self, kind, x):
        return self.names[kind][x] if x.startswith("$") else int(x, 0)

    # -- types --

    def heap(self, x):
        return [HEAPS[x]] if x in HEAPS else sleb(self.index("type", x))

    def valtype(self, x):
        if isinstance(x, str):
            return TYPES[x]
        return [0x63] + self.heap(x[2]) if x[1] == "null" else [0x64] + self.heap(x[1])

    def valtypes(self, x):
        return [self.valtype(t) for t in x[1:] if not (isinstance(t, str) and t.startswith("$"))]

    def signature(self, items):
        """From (type)? (param)* (result)*: the type's index and the names of parameters; eats them."""
        params, results, names, use = [], [], {}, None
        while items and is_node(items[0], "type", "param", "result"):
            x = items.pop(0)
            if x[0] == "type":
                use = self.index("type", x[1])
            elif x[0] == "param":
                if len(x) > 1 and isinstance(x[1], str) and x[1].startswith("$"):
                    names[x[1]] = len(params)
                params += self.valtypes(x)
            else:
                results += self.valtypes(x)
        if use is not None:
            return use, names, params, results
        bytes_ = [0x60] + vector(params) + vector(results)
        if bytes_ not in self.types:
            self.types.append(bytes_)
        return self.types.index(bytes_), names, params, results

    def field_type(self, f):
        at = next(i for i, t in enumerate(self.types) if t is None)
        sig = [x for x in f if is_node(x, "func")][0][1:]
        params, results = [], []
        for x in sig:
            if x[0] == "param":
                params += self.valtypes(x)
            else:
                results += self.valtypes(x)
        self.types[at] = [0x60] + vector(params) + vector(results)

    # -- fields --

    def exported(self, kind, rest, index):
        while rest and is_node(rest[0], "export"):
            self.exports.append(name(rest.pop(0)[1]) + [KINDS[kind]] + uleb(index))

    def limits(self, rest):
        n = [int(rest.pop(0))]
        if rest and isinstance(rest[0], str) and rest[0].isdigit():
            n.append(int(rest.pop(0)))
        return [len(n) - 1] + [b for x in n for b in uleb(x)]

    def globaltype(self, x):
        return self.valtype(x[1]) + [1] if is_node(x, "mut") else self.valtype(x) + [0]

    def field_import(self, f):
        assert not (self.funcs or self.tables or self.memories or self.globals or self.tags), "imports come first"
        kind, rest = f[3][0], list(f[3][1:])
        if rest and isinstance(rest[0], str) and rest[0].startswith("$"):
            rest.pop(0)
        if kind == "func":
            desc = uleb(self.signature(rest)[0])
        elif kind == "tag":
            desc = [0] + uleb(self.signature(rest)[0])
        elif kind == "table":
            limits = self.limits(rest)
            desc = self.valtype(rest[0]) + limits
        elif kind == "memory":
            desc = self.limits(rest)
        else:
            desc = self.globaltype(rest[0])
        self.imports.append(name(f[1]) + name(f[2]) + [KINDS[kind]] + desc)

    def rest(self, f, kind, have):
        imported = sum(1 for i in self.imports if self.kind_of(i) == KINDS[kind])
        rest = list(f[1:])
        if rest and isinstance(rest[0], str) and rest[0].startswith("$"):
            rest.pop(0)
        self.exported(kind, rest, imported + len(have))
        return rest

    @staticmethod
    def kind_of(i):
        at = 1 + i[0]
        return i[at + 1 + i[at]]

    def field_func(self, f):
        rest = self.rest(f, "func", self.funcs)
        index, names, _, _ = self.signature(rest)
        self.funcs.append(uleb(index))
        self.bodies.append((index, names, rest))

    def field_table(self, f):
        rest = self.rest(f, "table", self.tables)
        limits = self.limits(rest)
        kind = self.valtype(rest.pop(0))
        init = [0x40, 0] + kind + limits + self.constant(rest) if rest else kind + limits
        self.tables.append(init)

    def field_memory(self, f):
        self.memories.append(self.limits(self.rest(f, "memory", self.memories)))

    def field_global(self, f):
        rest = self.rest(f, "global", self.globals)
        kind = self.globaltype(rest.pop(0))
        self.globals.append(kind + self.constant(rest))

    def field_tag(self, f):
        self.tags.append([0] + uleb(self.signature(self.rest(f, "tag", self.tags))[0]))

    def field_export(self, f):
        self.exports.append(name(f[1]) + [KINDS[f[2][0]]] + uleb(self.index(f[2][0], f[2][1])))

    def field_start(self, f):
        self.start = uleb(self.index("func", f[1]))

    def field_elem(self, f):
        rest = [x for x in f[1:] if x != "func"]
        declared = rest and rest[0] == "declare"
        offset = None if declared else self.constant([rest[0]])
        if len(rest) > 1 and (is_node(rest[1], "ref") or rest[1] in TYPES):  # expressions of that type
            items = vector([self.constant([x]) for x in rest[2:]])
            self.elems.append([6, 0] + offset + self.valtype(rest[1]) + items)
            return
        items = vector([uleb(self.index("func", x)) for x in rest[1:]])
        self.elems.append([3, 0] + items if declared else [0] + offset + items)

    def field_data(self, f):
        self.datas.append([0] + self.constant([f[1]]) + name(b"".join(f[2:])))

    # -- code --

    def constant(self, rest):
        return Code(self, {}).sequence(rest) + [0x0b]

    def code(self, index, names, rest):
        rest, names, runs = list(rest), dict(names), []
        count = self.param_count(index)
        while rest and is_node(rest[0], "local"):
            x = rest.pop(0)
            if len(x) > 1 and isinstance(x[1], str) and x[1].startswith("$"):
                names[x[1]] = count
            for t in self.valtypes(x):
                runs.append([1] + t)
                count += 1
        body = vector(runs) + Code(self, names).sequence(rest) + [0x0b]
        return uleb(len(body)) + body

    def param_count(self, index):
        return self.types[index][1]  # fewer than 128 in tests

    def binary(self):
        out = b"\0asm\1\0\0\0"
        for number, items in ((1, self.types), (2, self.imports), (3, self.funcs), (4, self.tables), (5, self.memories),
                              (13, self.tags), (6, self.globals), (7, self.exports), (8, self.start), (9, self.elems),
                              (10, self.codes), (11, self.datas)):
            if items:
                body = items if number == 8 else vector(items)
                out += bytes([number] + uleb(len(body)) + body)
        return out


class Code:
    """One body: locals' names, and the labels that are open, the innermost last."""

    def __init__(self, module, locals_):
        self.m, self.locals, self.labels = module, locals_, []

    def sequence(self, items):
        out, items = [], list(items)
        while items:
            out += self.folded(items.pop(0)) if isinstance(items[0], Node) else self.flat(items)
        return out

    def label(self, x):
        if x.startswith("$"):
            return uleb(next(d for d in range(len(self.labels)) if self.labels[-1 - d] == x))
        return uleb(int(x))

    def block_type(self, items):
        kept = [x for x in items if is_node(x, "type", "param", "result")]
        if not kept:
            return [0x40]
        if len(kept) == 1 and kept[0][0] == "result" and len(kept[0]) == 2:
            return self.m.valtype(kept[0][1])
        return sleb(self.m.signature(list(kept))[0])

    def open(self, op, items):
        """The head of a block, its label pushed; eats what it reads."""
        name_ = items.pop(0) if items and isinstance(items[0], str) and items[0].startswith("$") else None
        heads = []
        while items and is_node(items[0], "type", "param", "result"):
            heads.append(items.pop(0))
        out = [OPS[op][0]] + self.block_type(heads)
        if op == "try_table":
            clauses = []
            while items and is_node(items[0], *CATCHES):
                c = items.pop(0)
                tag = uleb(self.m.index("tag", c[1])) if "all" not in c[0] else []
                clauses.append([CATCHES[c[0]]] + tag + self.label(c[-1]))
            out += vector(clauses)
        self.labels.append(name_)
        return out

    def flat(self, items):
        op = items.pop(0)
        if op in BLOCKS:
            return self.open(op, items)
        if op == "end" or op == "delegate":
            self.labels.pop()
        return self.encode(op, items)

    def folded(self, x):
        op, items = x[0], list(x[1:])
        if op == "if":
            head = self.open(op, items)
            popped = self.labels.pop()
            arms = [i for i in items if is_node(i, "then", "else")]
            out = self.sequence([i for i in items if not is_node(i, "then", "else")]) + head
            self.labels.append(popped)
            for i, arm in enumerate(arms):
                out += ([0x05] if i else []) + self.sequence(arm[1:])
        elif op == "try":
            out = self.open(op, items)
            for arm in items:
                if arm[0] == "delegate":
                    self.labels.pop()
                    return out + [OPS["delegate"][0]] + self.label(arm[1])
                rest = list(arm[1:])
                out += [] if arm[0] == "do" else self.encode("catch_all" if arm[0] == "catch_all" else "catch", rest)
                out += self.sequence(rest)
        elif op in BLOCKS:
            out = self.open(op, items) + self.sequence(items)
        else:
            code = self.encode(op, items)
            return self.sequence(items) + code
        self.labels.pop()
        return out + [0x0b]

    def encode(self, op, items):
        """One instruction without its operands; eats its immediates."""
        code, imm, align = OPS[op]
        if op == "select" and items and is_node(items[0], "result"):
            return [0x1c] + vector(self.m.valtypes(items.pop(0)))
        out = [code] if code < 0x100 else [0xfc] + uleb(code - 0x100)
        simple = {"FUNC": "func", "TYPE": "type", "GLOBAL": "global", "TAG": "tag"}
        if imm in simple:
            return out + uleb(self.m.index(simple[imm], items.pop(0)))
        if imm == "LABEL":
            return out + self.label(items.pop(0))
        if imm == "LOCAL":
            x = items.pop(0)
            return out + uleb(self.locals[x] if x.startswith("$") else int(x))
        if imm == "LABELS":
            labels = []
            while items and isinstance(items[0], str):
                labels.append(self.label(items.pop(0)))
            return out + vector(labels[:-1]) + labels[-1]
        if imm in ("I32", "I64"):
            return out + sleb(signed(items.pop(0), int(imm[1:])))
        if imm in ("F32", "F64"):
            bits = int(imm[1:])
            return out + list(struct.pack("<I" if bits == 32 else "<Q", literals.floating(items.pop(0), bits)))
        if imm == "REFTYPE":
            return out + self.m.heap(items.pop(0))
        if imm == "MEMARG":
            at = 0
            while items and isinstance(items[0], str) and "=" in items[0]:
                key, _, v = items.pop(0).partition("=")
                at = int(v, 0) if key == "offset" else at
            return out + uleb(align) + uleb(at)
        return self.encode_table(out, imm, items)

    def encode_table(self, out, imm, items):
        def optional():
            at = items and isinstance(items[0], str) and (items[0].startswith("$") or items[0].isdigit())
            return self.m.index("table", items.pop(0)) if at else 0
        if imm == "TABLE":
            return out + uleb(optional())
        if imm == "TYPE_TABLE":
            table = optional()
            return out + uleb(self.m.signature(items)[0]) + uleb(table)
        if imm == "MEMORY":
            return out + [0]
        if imm == "MEMORY_MEMORY":
            return out + [0, 0]
        assert imm == "NONE", imm
        return out


def assemble(text):
    module = parse(text)[0]
    assert module[0] == "module"
    fields = [f for f in module[1:] if isinstance(f, Node)]
    return Module(fields).binary()


def main():
    with open(sys.argv[1]) as f:
        binary = assemble(f.read())
    with open(sys.argv[2], "wb") as f:
        f.write(binary)


if __name__ == "__main__":
    main()
