/* bootinfo.c: the command line, taken apart. It is input: what makes no sense
 * is logged and left out. */
#include "kern/bootinfo.h"

#include "base/fault.h"
#include "base/mem.h"
#include "kern/bootparse.h"
#include "kern/log.h"

struct bootinfo bootinfo = {.command_line = ""};

/* The next word of the command line: [*start, end). Quotes hide spaces. */
static const char *next_word(const char *p, const char **start) {
    while (*p == ' ') p++;
    *start = p;
    for (bool quoted = false; *p && (quoted || *p != ' '); p++)
        if (*p == '"') quoted = !quoted;
    return p;
}

/* Copies [p, end) without quotes; false if it does not fit. */
static bool copy_value(const char *p, const char *end, char *out, u32 cap) {
    u32 n = 0;
    for (; p < end; p++) {
        if (*p == '"') continue;
        if (!fault(OPTION_LENGTH) && n + 1 >= cap) return false;
        out[n++] = *p;
    }
    if (n >= cap) return false;
    out[n] = 0;
    return true;
}

/* key may be written with its = or without. */
static bool option_in(const char *line, const char *key, char *out, u32 cap) {
    size_t n = strlen(key);
    if (n && key[n - 1] == '=') n--;
    const char *start, *end;
    for (const char *p = line; end = next_word(p, &start), end > start; p = end) {
        if ((size_t)(end - start) < n || memcmp(start, key, n)) continue;
        if (start + n == end) return copy_value(end, end, out, cap);
        if (start[n] == '=') return copy_value(start + n + 1, end, out, cap);
    }
    return false;
}

bool option(const char *key, char *out, u32 cap) {
    return option_in(bootinfo.command_line, key, out, cap);
}

/* Digits in base 10, or 16 after 0x. False if there is none, or too large. */
static bool take_number(const char **p, u64 *out) {
    u64 v = 0, base = 10;
    const char *s = *p;
    if (s[0] == '0' && s[1] == 'x') base = 16, s += 2;
    const char *first = s;
    for (;; s++) {
        u64 digit;
        if (*s >= '0' && *s <= '9') digit = (u64)(*s - '0');
        else if (base == 16 && (*s | 32) >= 'a' && (*s | 32) <= 'f') digit = (u64)((*s | 32) - 'a' + 10);
        else break;
        if (v > (UINT64_MAX - digit) / base) return false;
        v = v * base + digit;
    }
    if (s == first) return false;
    *p = s;
    *out = v;
    return true;
}

/* SIZE@BASE:GSI, as Linux and Firecracker write it. SIZE may end in K or M. */
bool boot_parse_mmio(const char *text, u64 *size, u64 *base, u32 *gsi) {
    u64 n, at, line;
    if (!take_number(&text, &n)) return false;
    if (*text == 'K' || *text == 'k') n <<= 10, text++;
    else if (*text == 'M' || *text == 'm') n <<= 20, text++;
    if (*text++ != '@' || !take_number(&text, &at)) return false;
    if (*text++ != ':' || !take_number(&text, &line)) return false;
    if (line > UINT32_MAX || !n || n > 1 << 20 || at + n < at) return false;
    *size = n;
    *base = at;
    *gsi = (u32)line;
    return true;
}

void boot_add_mmio(u64 base, u64 size, u32 gsi) {
    u32 n = bootinfo.mmio_count;
    for (u32 i = 0; i < n; i++)
        if (bootinfo.mmio[i].base == base) return;
    if (n == ARRAY_LEN(bootinfo.mmio)) return log_warn("boot: too many devices: 0x%lx is left out", (unsigned long)base);
    bootinfo.mmio[n].base = base;
    bootinfo.mmio[n].size = size;
    bootinfo.mmio[n].gsi = gsi;
    bootinfo.mmio_count++;
}

static void add_mmio(const char *value) {
    u64 size, base;
    u32 gsi;
    if (boot_parse_mmio(value, &size, &base, &gsi)) boot_add_mmio(base, size, gsi);
    else log_warn("boot: not a device: %s", value);
}

void boot_parse_devices(void) {
    static const char key[] = "virtio_mmio.device=";
    const char *start, *end;
    for (const char *p = bootinfo.command_line; end = next_word(p, &start), end > start; p = end) {
        char value[64];
        size_t n = sizeof key - 1;
        if ((size_t)(end - start) < n || memcmp(start, key, n)) continue;
        if (copy_value(start + n, end, value, sizeof value)) add_mmio(value);
        else log_warn("boot: a virtio_mmio.device option is too long");
    }
}
