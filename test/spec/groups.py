"""Which group of ../shared/spec/README.md a file of the suite belongs to."""
import re

NAMES = {
    1: "core",
    2: "bulk memory",
    3: "reference types",
    4: "SIMD",
    5: "tail calls",
    6: "threads and atomics",
    7: "multi-memory",
    8: "memory64",
    9: "typed function references",
    10: "exceptions",
    11: "relaxed SIMD",
    12: "wide arithmetic, custom page sizes",
    14: "legacy exceptions",
}

BULK = {"bulk", "memory_copy", "memory_fill", "memory_init", "table_copy", "table_init"}
REFS = {"ref_func", "ref_is_null", "ref_null", "table_get", "table_set", "table_grow",
        "table_size", "table_fill"}
TYPED = {"call_ref", "return_call_ref", "br_on_null", "br_on_non_null", "ref_as_non_null",
         "local_init", "ref", "unreached-valid", "table-sub", "type-equivalence"}
EXCEPTIONS = {"tag", "throw", "throw_ref", "try_table"}
GC = {"struct", "i31", "ref_cast", "ref_eq", "ref_test", "extern", "binary-gc",
      "br_on_cast", "br_on_cast_fail"}


# Folders of proposals/, and the group of all that is in them.
FOLDERS = {"threads": 6, "custom-page-sizes": 12, "wide-arithmetic": 12, "legacy": 14}


def group(name):
    """The number for a file, named without .wast: "i32", "threads/atomic"."""
    if "/" in name:
        return FOLDERS[name.split("/")[0]]
    if name in BULK:
        return 2
    if name in REFS:
        return 3
    if "relaxed" in name:
        return 11
    if name in ("memory-multi", "simd_memory-multi"):
        return 7
    if name.startswith("simd_"):
        return 4
    if name in ("return_call", "return_call_indirect"):
        return 5
    if name in TYPED:
        return 9
    if name in EXCEPTIONS:
        return 10
    if name in GC or name.startswith("array") or name.startswith("type-"):
        return 13
    if name in ("i32", "i64", "f32", "f64"):
        return 1
    if re.search(r"64$|^memory64-|^table_copy_mixed$", name) and not re.search(r"[if]64$", name):
        return 8
    if re.search(r"[a-z]\d$", name):
        return 7
    return 1
