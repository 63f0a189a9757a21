/* cpio.c: the reader of initrds.
 *
 * I1 every name that leaves here is relative and stays below the root.
 * I2 a length is compared with what is left before anything is skipped. */
#include "fs/cpio.h"

#include "base/assert.h"
#include "base/fault.h"
#include "base/mem.h"
#include "fs/linux.h"

enum { HEADER = 110, FIELDS = 13, ENTRIES_MAX = 1 << 20 };
enum field { INO, MODE, UID, GID, NLINK, MTIME, SIZE, DEV_MAJOR, DEV_MINOR, RDEV_MAJOR, RDEV_MINOR, NAME_SIZE, CHECKSUM };
static_assert(6 + FIELDS * 8 == HEADER, "newc header");

static enum err hex8(const u8 *p, u32 *out) {
    u32 v = 0;
    for (int i = 0; i < 8; i++) {
        u8 c = p[i], lower = (u8)(c | 0x20), digit;
        if (c >= '0' && c <= '9') digit = (u8)(c - '0');
        else if (lower >= 'a' && lower <= 'f') digit = (u8)(lower - 'a' + 10);
        else return ERR_MALFORMED;
        v = v << 4 | digit;
    }
    *out = v;
    return ERR_OK;
}

static enum err take_header(struct cursor *c, u32 fields[FIELDS]) {
    struct bytes h;
    enum err e = take_bytes(c, HEADER, &h);
    if (e) return e;
    if (memcmp(h.p, "070701", 6) && memcmp(h.p, "070702", 6)) return ERR_MALFORMED;
    for (int i = 0; i < FIELDS; i++)
        if ((e = hex8(h.p + 6 + i * 8, &fields[i]))) return e;
    return ERR_OK;
}

/* Names and data are padded to 4 bytes, counted from the archive's start; the
 * padding may be missing at its very end. */
static void skip_padding(struct cursor *c) {
    size_t pad = -cursor_at(c) & 3;
    c->p += MIN(pad, cursor_left(c));
}

static bool part_ok(const u8 *p, size_t n) {
    if (n == 0 || n > LINUX_NAME_MAX) return false;
    return !(n == 1 && p[0] == '.') && (fault(CPIO_PARENT) || !(n == 2 && p[0] == '.' && p[1] == '.'));
}

/* "./a/b", "/a/b" and "a/b" name the same; "." and "/" the root. */
static enum err clean_name(struct bytes raw, struct bytes *out) {
    while (raw.n && raw.p[0] == '/') raw.p++, raw.n--;
    while (raw.n >= 2 && raw.p[0] == '.' && raw.p[1] == '/') {
        raw.p += 2, raw.n -= 2;
        while (raw.n && raw.p[0] == '/') raw.p++, raw.n--;
    }
    if (raw.n == 1 && raw.p[0] == '.') raw.n = 0;
    if (raw.n && raw.p[raw.n - 1] == '/') raw.n--;
    for (size_t start = 0, i = 0; raw.n && i <= raw.n; i++) {
        if (i < raw.n && raw.p[i] == 0) return ERR_MALFORMED;
        if (i < raw.n && raw.p[i] != '/') continue;
        if (!part_ok(raw.p + start, i - start)) return ERR_MALFORMED;
        start = i + 1;
    }
    *out = raw;
    return ERR_OK;
}

static enum err take_name(struct cursor *c, u32 size, struct bytes *raw) {
    if (!fault(CPIO_NAME) && (size == 0 || size > LINUX_PATH_MAX)) return ERR_MALFORMED;
    enum err e = take_bytes(c, size, raw);
    if (e) return e;
    if (raw->p[--raw->n] != 0) return ERR_MALFORMED;
    skip_padding(c);
    return ERR_OK;
}

enum err cpio_next(struct cursor *c, struct cpio_entry *out, bool *end) {
    struct cursor t = *c;
    u32 f[FIELDS];
    struct bytes raw, data, name;
    enum err e;
    if ((e = take_header(&t, f)) || (e = take_name(&t, f[NAME_SIZE], &raw))) return e;
    if (raw.n == 10 && !memcmp(raw.p, "TRAILER!!!", 10)) {
        *end = true;
        return ERR_OK;
    }
    if ((e = take_bytes(&t, f[SIZE], &data)) || (e = clean_name(raw, &name))) return e;
    skip_padding(&t);
    *out = (struct cpio_entry){
        .name = name, .data = data, .mode = f[MODE], .nlink = f[NLINK], .mtime = f[MTIME],
        .ino = f[INO], .rdev_major = f[RDEV_MAJOR], .rdev_minor = f[RDEV_MINOR]};
    *c = t;
    return ERR_OK;
}

static bool all_zero(struct bytes b) {
    for (size_t i = 0; i < b.n; i++)
        if (b.p[i]) return false;
    return true;
}

enum err cpio_check(struct bytes archive, size_t *entries, size_t *at) {
    struct cursor c = cursor_of(archive);
    struct cpio_entry entry;
    bool end = all_zero(archive);
    *entries = 0;
    while (!end) {
        *at = cursor_at(&c);
        enum err e = cpio_next(&c, &entry, &end);
        if (e) return e;
        if (!end && ++*entries > ENTRIES_MAX) return ERR_LIMIT;
    }
    return ERR_OK;
}
