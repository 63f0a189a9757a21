/* decode.c: the frame of a module: header, sections in order, custom sections.
 * (WebAssembly 2.0, 5.5.)
 *
 * I1 sections come at most once and in the order of the table below; custom
 *    sections anywhere.
 * I2 a section's reader must consume exactly its bytes.
 * I3 on success every index space is as long as its sections say; no index
 *    has been looked up: that is wasm_validate's. */
#include "base/assert.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "wasm/decoder.h"

struct section {
    const char *name;
    u8 order; /* of appearance; 0: no such section */
    enum err (*decode)(struct decoder *d);
};

/* Indexed by section id; tag (13) and data count (12) came later than their
 * places in the order. */
static const struct section sections[] = {
    [1] = {"type", 1, decode_types},        [2] = {"import", 2, decode_imports},
    [3] = {"function", 3, decode_funcs},    [4] = {"table", 4, decode_tables},
    [5] = {"memory", 5, decode_memories},   [13] = {"tag", 6, decode_tags},
    [6] = {"global", 7, decode_globals},    [7] = {"export", 8, decode_exports},
    [8] = {"start", 9, decode_start},       [9] = {"element", 10, decode_elems},
    [12] = {"data count", 11, decode_data_count},
    [10] = {"code", 12, decode_code},       [11] = {"data", 13, decode_datas},
};

static enum err take_header(struct decoder *d) {
    static const u8 magic[4] = {0, 'a', 's', 'm'}, version[4] = {1, 0, 0, 0};
    struct bytes b;
    if (take_bytes(&d->c, 4, &b)) return decode_fail(d, ERR_TRUNCATED, "unexpected end");
    if (memcmp(b.p, magic, 4)) {
        d->c.p -= 4;
        return decode_fail(d, ERR_MALFORMED, "magic header not detected");
    }
    if (take_bytes(&d->c, 4, &b)) return decode_fail(d, ERR_TRUNCATED, "unexpected end");
    if (!memcmp(b.p, version, 4)) return ERR_OK;
    d->c.p -= 4;
    bool component = b.p[2] == 1; /* the layer, behind a version of two bytes */
    return decode_fail(d, ERR_MALFORMED, component ? "unknown binary version: a component; take the module inside it" : "unknown binary version");
}

/* Reads one section's contents; afterwards d->c is behind it. */
static enum err take_contents(struct decoder *d, enum err (*decode)(struct decoder *)) {
    u32 size;
    enum err e = decode_u32(d, &size);
    if (e) return e;
    if (size > cursor_left(&d->c))
        return decode_fail(d, ERR_TRUNCATED, "length out of bounds");
    const u8 *end = d->c.end;
    d->c.end = d->c.p + size;
    d->inside = true;
    if ((e = decode(d))) return e;
    if (cursor_left(&d->c)) return decode_fail(d, ERR_MALFORMED, "section size mismatch");
    d->c.end = end;
    d->inside = false;
    return ERR_OK;
}

/* order: of the last section that was not custom. */
static enum err take_section(struct decoder *d, u8 *order) {
    const u8 *at = d->c.p;
    u8 id;
    enum err e = wasm_take_byte(&d->c, &id, &d->why);
    if (e) return e;
    if (id == 0) return take_contents(d, decode_custom);
    const char *why = NULL;
    if (id >= ARRAY_LEN(sections)) why = "malformed section id";
    else if (sections[id].order <= *order) why = "unexpected content after last section";
    if (why) {
        d->c.p = at;
        return decode_fail(d, ERR_MALFORMED, why);
    }
    *order = sections[id].order;
    return take_contents(d, sections[id].decode);
}

/* What only the whole module shows. */
static enum err check_counts(struct decoder *d) {
    const struct wasm_module *m = d->m;
    if (m->func_count > m->imported_funcs && !m->funcs[m->func_count - 1].code.p)
        return decode_fail(d, ERR_MALFORMED, "function and code section have inconsistent lengths");
    if (m->has_data_count && m->data_count_declared != m->data_count)
        return decode_fail(d, ERR_MALFORMED,
                           "data count and data section have inconsistent lengths");
    return ERR_OK;
}

static enum err take_module(struct decoder *d) {
    u8 order = 0;
    enum err e;
    if (d->c.end - d->c.p > (ptrdiff_t)INT32_MAX)
        return decode_fail(d, ERR_LIMIT, "module larger than 2 GiB");
    if ((e = take_header(d))) return e;
    while (cursor_left(&d->c))
        if ((e = take_section(d, &order))) return e;
    return check_counts(d);
}

enum err wasm_decode(struct arena *a, struct bytes in, struct wasm_module *out,
                     struct wasm_error *error) {
    *out = (struct wasm_module){.bytes = in, .start = WASM_NONE};
    struct decoder d = {.arena = a, .c = cursor_of(in), .m = out, .why = "?"};
    enum err e = take_module(&d);
    if (!e) return ERR_OK;
    error->code = e;
    error->offset = cursor_at(&d.c);
    bool plain = !strcmp(d.why, "unexpected end");
    fmt(error->text, sizeof error->text, "%s%s", d.why,
        d.inside && plain ? " of section or function" : "");
    return e;
}

/* -- what the readers of sections share -- */

enum err decode_array(struct decoder *d, size_t count, size_t size, void *out) {
    void *p = arena_array(d->arena, count, size);
    if (!p) return decode_fail(d, ERR_NOMEM, "out of memory");
    memcpy(out, &p, sizeof p);
    return ERR_OK;
}

enum err decode_extend(struct decoder *d, const void *old, size_t count, size_t more, size_t size,
                       void *out) {
    void *p;
    enum err e = decode_array(d, count + more, size, &p);
    if (e) return e;
    if (count) memcpy(p, old, count * size);
    memcpy(out, &p, sizeof p);
    return ERR_OK;
}

enum err decode_count(struct decoder *d, u32 limit, u32 *out) {
    struct cursor t = d->c;
    enum err e = wasm_take_u32(&t, out, &d->why);
    if (e) return e;
    if (*out > cursor_left(&t)) return decode_fail(d, ERR_TRUNCATED, "unexpected end");
    if (*out > limit) return decode_fail(d, ERR_LIMIT, "too many entries in a vector");
    d->c = t;
    return ERR_OK;
}

/* How many bytes the UTF-8 character at p has, of at most n; 0: malformed.
 * (Unicode 15, table 3-7: no overlong forms, no surrogates.) */
static size_t utf8_length(const u8 *p, size_t n) {
    if (p[0] < 0x80) return 1;
    size_t length = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || n < length) return 0;
    u8 low = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
    u8 high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;
    if (p[1] < low || p[1] > high) return 0;
    for (size_t i = 2; i < length; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    return length;
}

static bool is_utf8(struct bytes b) {
    for (size_t i = 0; i < b.n;) {
        size_t length = utf8_length(b.p + i, b.n - i);
        if (!length) return false;
        i += length;
    }
    return true;
}

enum err decode_name(struct decoder *d, struct bytes *out) {
    struct cursor t = d->c;
    u32 n;
    enum err e = wasm_take_u32(&t, &n, &d->why);
    if (e) return e;
    if (take_bytes(&t, n, out)) return decode_fail(d, ERR_TRUNCATED, "length out of bounds");
    if (!is_utf8(*out)) return decode_fail(d, ERR_MALFORMED, "malformed UTF-8 encoding");
    d->c = t;
    return ERR_OK;
}

/* The number of custom sections is not declared anywhere: the array doubles. */
static enum err grow_customs(struct decoder *d) {
    struct wasm_module *m = d->m;
    if (m->custom_count < d->custom_room) return ERR_OK;
    u32 more = MAX(d->custom_room, 4u);
    enum err e = decode_extend(d, m->customs, m->custom_count, more, sizeof *m->customs, &m->customs);
    if (!e) d->custom_room += more;
    return e;
}

enum err decode_custom(struct decoder *d) {
    struct wasm_module *m = d->m;
    struct wasm_custom s;
    enum err e = decode_name(d, &s.name);
    if (e) return e;
    s.payload = (struct bytes){d->c.p, cursor_left(&d->c)};
    if ((e = grow_customs(d))) return e;
    assert(m->custom_count < d->custom_room);
    m->customs[m->custom_count++] = s;
    if (s.name.n == 4 && !memcmp(s.name.p, "name", 4)) m->name_section = s.payload;
    m->has_lines |= s.name.n == 11 && !memcmp(s.name.p, ".debug_line", 11);
    d->c.p = d->c.end;
    return ERR_OK;
}
