/* module.h: a decoded and validated WebAssembly module.
 *
 * Everything here lives in the arena that wasm_decode was given, and byte runs
 * (names, bodies, data) are borrowed from the input: both must outlive it.
 * Read-only after wasm_validate; then any thread may read it. Index spaces
 * (functions, tables, memories, globals) start with the imports, as in
 * WebAssembly 2.0, 2.5. */
#ifndef WHELK_WASM_MODULE_H
#define WHELK_WASM_MODULE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/types.h"

/* Value types. The low seven bits are the binary code (WebAssembly 2.0, 5.3);
 * for a reference, that of the nullable type at the top of what it refers to. A
 * reference that is never null has NONNULL, and one to a function type of the
 * module INDEX, with the type's index from bit INDEX_SHIFT on. */
enum {
    WASM_I32 = 0x7f,
    WASM_I64 = 0x7e,
    WASM_F32 = 0x7d,
    WASM_F64 = 0x7c,
    WASM_V128 = 0x7b,
    WASM_FUNCREF = 0x70,
    WASM_EXTERNREF = 0x6f,
    WASM_EXNREF = 0x69,
    WASM_REF_NULL = 0x63, /* before a heap type */
    WASM_REF = 0x64,
};
typedef u32 wasm_type;

enum {
    WASM_TYPE_CODE = 0x7f,
    WASM_TYPE_NONNULL = 0x80,
    WASM_TYPE_INDEX = 0x100,
    WASM_TYPE_INDEX_SHIFT = 9, /* WASM_MAX_TYPES fits */
};

static inline bool wasm_is_ref(wasm_type t) {
    u32 code = t & WASM_TYPE_CODE;
    return code == WASM_FUNCREF || code == WASM_EXTERNREF || code == WASM_EXNREF;
}

static inline u32 wasm_type_index(wasm_type t) { return t >> WASM_TYPE_INDEX_SHIFT; }
static inline wasm_type wasm_ref_to(u32 index, u32 flags) {
    return WASM_FUNCREF | WASM_TYPE_INDEX | flags | index << WASM_TYPE_INDEX_SHIFT;
}
/* "i32", ...; "?" for what is none. */
const char *wasm_type_text(wasm_type t);
static inline bool wasm_has_default(wasm_type t) { return !(t & WASM_TYPE_NONNULL); }
/* a <: b, for types whose indices mean the same and are canonical. Function types
 * have no subtypes but themselves. */
bool wasm_subtype(wasm_type a, wasm_type b);
bool wasm_types_equal(const wasm_type *a, u32 na, const wasm_type *b, u32 nb);

enum { WASM_PAGE = 65536, WASM_PAGE_LOG2 = 16 };

/* Limits that a module must keep (ours; the JS API's where it names one). */
enum {
    WASM_MAX_TYPES = 1000000,
    WASM_MAX_FUNCS = 1000000,
    WASM_MAX_IMPORTS = 100000,
    WASM_MAX_EXPORTS = 100000,
    WASM_MAX_GLOBALS = 1000000,
    WASM_MAX_TAGS = 100000,
    WASM_MAX_TABLES = 100000,
    WASM_MAX_MEMORIES = 100,
    WASM_MAX_SEGMENTS = 100000,
    WASM_MAX_PARAMS = 1000,
    WASM_MAX_RESULTS = 1000,
    WASM_MAX_LOCALS = 50000,
    WASM_MAX_BODY = 7654321,
    WASM_MAX_TABLE = 10000000,
};

/* Types of the module that are equal have one canon; in every wasm_type that
 * the decoder hands out, indices below type_count are canonical. */
struct wasm_functype {
    const wasm_type *params, *results;
    u32 param_count, result_count;
    u32 canon; /* the smallest index of an equal type in this module */
    u32 at;
};

struct wasm_limits {
    u64 min, max; /* max: the declared one, or the type's ceiling */
    bool has_max, shared, is64;
};

/* A constant expression, decoded: what an engine needs to evaluate it at
 * instantiation. Plain constants are one value; anything longer (extended
 * const) keeps its validated code. */
enum wasm_init_kind { WASM_INIT_CONST, WASM_INIT_GLOBAL, WASM_INIT_REF_NULL, WASM_INIT_REF_FUNC, WASM_INIT_CODE };
struct wasm_init {
    enum wasm_init_kind kind;
    wasm_type type;    /* what it yields */
    u64 value;         /* CONST: the bits; GLOBAL, REF_FUNC: the index */
    u64 high;          /* CONST of a v128: its upper half */
    struct bytes code; /* without the final end; empty for an element given by its index */
    u32 at;
};

struct wasm_table {
    wasm_type type;
    struct wasm_limits limits;
    bool has_init; /* else null */
    struct wasm_init init;
    u32 at; /* offset of the declaration in the module; so below */
};

struct wasm_memory {
    struct wasm_limits limits; /* in pages */
    bool byte_pages;           /* a page is one byte, not 64 KiB */
    u32 at;
};

struct wasm_tag {
    u32 type; /* without results */
    u32 at;
};

struct wasm_global {
    wasm_type type;
    bool mutable;
    struct wasm_init init; /* defined globals only */
    u32 at;
};

enum wasm_kind { WASM_KIND_FUNC, WASM_KIND_TABLE, WASM_KIND_MEMORY, WASM_KIND_GLOBAL, WASM_KIND_TAG };

struct wasm_import {
    struct bytes module, name;
    enum wasm_kind kind;
    u32 index; /* in the index space of its kind */
    u32 at;
};

struct wasm_export {
    struct bytes name;
    enum wasm_kind kind;
    u32 index;
    u32 at;
};

/* A run of locals of one type, as declared. */
struct wasm_locals {
    u32 count;
    wasm_type type;
};

struct wasm_func {
    u32 type;          /* index into types */
    u32 at;            /* offset of the declaration in the module */
    bool declared_ref; /* may be the operand of ref.func */
    /* defined functions only: */
    struct bytes code; /* instructions, the final end included */
    u32 code_offset;   /* of code.p in the module's bytes: for error messages */
    struct wasm_locals *locals;
    u32 local_runs;
    u32 local_count; /* parameters included */
    /* noted by validation, for compilers: */
    u32 max_stack;     /* operand stack high-water mark, in values */
    u32 max_depth;     /* of nested blocks, the body included */
    u32 loop_count;
    bool has_try;      /* a legacy try: what catches stands behind it */
    /* For the i-th loop in code order: a bitset over locals that are set
     * inside it, loop_sets + i * loop_words. NULL if loop_count is 0. */
    u32 *loop_sets;
    u32 loop_words;
    /* Until where each local is read: by WASM_ENDS-th parts of the code, rounded up;
     * 0: nowhere. NULL: not noted, as if max_depth is 1, or if the code has fewer bytes
     * than locals. */
    u8 *local_ends;
};

enum wasm_segment_mode { WASM_ACTIVE, WASM_PASSIVE, WASM_DECLARATIVE };

struct wasm_elem {
    enum wasm_segment_mode mode;
    wasm_type type;
    u32 table;
    struct wasm_init offset;
    u32 count;
    struct wasm_init *items;
    u32 at;
};

struct wasm_data {
    enum wasm_segment_mode mode;
    u32 memory;
    struct wasm_init offset;
    struct bytes bytes;
    u32 at;
};

struct wasm_custom {
    struct bytes name, payload;
};

#define WASM_NONE UINT32_MAX
enum { WASM_ENDS = 250 };

struct wasm_module;
/* t with the canonical index of what it refers to, if there is such a type. */
wasm_type wasm_canonical(const struct wasm_module *m, wasm_type t);

struct wasm_module {
    struct bytes bytes; /* the whole input */
    struct wasm_functype *types;
    struct wasm_import *imports;
    struct wasm_func *funcs;
    struct wasm_table *tables;
    struct wasm_memory *memories;
    struct wasm_global *globals;
    struct wasm_tag *tags;
    struct wasm_export *exports;
    struct wasm_elem *elems;
    struct wasm_data *datas;
    struct wasm_custom *customs;
    u32 type_count, import_count, func_count, table_count, memory_count, global_count, tag_count, export_count,
        elem_count, data_count, custom_count;
    u32 imported_funcs, imported_tables, imported_memories, imported_globals, imported_tags;
    u32 start; /* WASM_NONE: no start function */
    u32 start_at;
    bool has_data_count;
    u32 data_count_declared;
    struct bytes name_section; /* payload of the custom section "name"; may be empty */
    bool has_lines;            /* DWARF: there is a custom section ".debug_line" */
};

/* Why a module was refused. offset is from the first byte of the module. */
struct wasm_error {
    enum err code; /* ERR_MALFORMED, ERR_TRUNCATED, ERR_INVALID, ERR_UNSUPPORTED, ERR_LIMIT, ERR_NOMEM */
    size_t offset;
    char text[160]; /* the official suite's wording first, then detail */
};

/* Decodes the sections of a module (WebAssembly 2.0, 5.5). Code bodies are
 * delimited, not looked into. On failure *error says why. */
enum err wasm_decode(struct arena *a, struct bytes in, struct wasm_module *out,
                     struct wasm_error *error);

/* Validates everything (WebAssembly 2.0, 3) and fills in what struct wasm_func
 * says "noted by validation". Only a validated module may be compiled. */
enum err wasm_validate(struct arena *a, struct wasm_module *m, struct wasm_error *error);

/* The export of that name and kind, or NULL. */
const struct wasm_export *wasm_find_export(const struct wasm_module *m, struct bytes name,
                                           enum wasm_kind kind);
/* May it be called from outside: as an export, by reference, as the start function? */
static inline bool wasm_func_escapes(const struct wasm_module *m, u32 func) {
    return m->funcs[func].declared_ref || func == m->start;
}

static inline u32 wasm_page_log2(const struct wasm_memory *mem) {
    return mem->byte_pages ? 0 : WASM_PAGE_LOG2;
}

/* All that an index can reach; of one-byte pages, all that a size can say. */
static inline u64 wasm_most_pages(const struct wasm_memory *mem) {
    u32 bits = mem->limits.is64 ? 64 : 32;
    return mem->byte_pages ? UINT64_MAX >> (64 - bits) : 1ull << (bits - WASM_PAGE_LOG2);
}

/* May guard pages around the memory stand for its bounds checks? A 32-bit index
 * and a 31-bit displacement cannot leave the window, and its size is a multiple
 * of any page of a machine. */
static inline bool wasm_memory_guarded(const struct wasm_memory *mem) {
    return !mem->limits.is64 && !mem->byte_pages;
}

/* The function's name from the name section; empty if it has none. */
struct bytes wasm_func_name(const struct wasm_module *m, u32 func);

#endif
