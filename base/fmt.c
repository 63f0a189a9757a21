#include "base/fmt.h"

#include "base/mem.h"

struct sink {
    char *out;
    size_t cap, n;
};

struct spec {
    bool left, zero, prefix;
    unsigned width;
    int precision; /* -1: none given */
    unsigned size; /* bytes of the integer */
};

static void put(struct sink *s, char c) {
    if (s->n + 1 < s->cap) s->out[s->n] = c;
    s->n++;
}

static void pad(struct sink *s, char c, size_t have, size_t want) {
    for (; have < want; have++) put(s, c);
}

static void put_text(struct sink *s, const struct spec *sp, const char *text, size_t n) {
    if (!sp->left) pad(s, ' ', n, sp->width);
    for (size_t i = 0; i < n; i++) put(s, text[i]);
    if (sp->left) pad(s, ' ', n, sp->width);
}

static void put_number(struct sink *s, const struct spec *sp, u64 v, unsigned base, const char *digits,
                       bool negative) {
    char text[24];
    size_t at = sizeof text;
    do {
        text[--at] = digits[v % base];
        v /= base;
    } while (v);
    size_t n = sizeof text - at + negative;
    if (sp->zero && !sp->left) {
        if (negative) put(s, '-');
        pad(s, '0', n, sp->width);
    } else {
        if (!sp->left) pad(s, ' ', n, sp->width);
        if (negative) put(s, '-');
    }
    for (; at < sizeof text; at++) put(s, text[at]);
    if (sp->left) pad(s, ' ', n, sp->width);
}

static unsigned take_number(const char **f) {
    unsigned v = 0;
    while (**f >= '0' && **f <= '9') v = v * 10 + (unsigned)(*(*f)++ - '0');
    return v;
}

static struct spec take_spec(const char **f, va_list *args) {
    struct spec sp = {.precision = -1, .size = sizeof(int)};
    for (; **f == '-' || **f == '0' || **f == '#'; (*f)++) {
        if (**f == '-') sp.left = true;
        else if (**f == '0') sp.zero = true;
        else sp.prefix = true;
    }
    if (**f == '*') {
        (*f)++;
        sp.width = (unsigned)va_arg(*args, int);
    } else {
        sp.width = take_number(f);
    }
    if (**f == '.') {
        (*f)++;
        if (**f == '*') {
            (*f)++;
            sp.precision = va_arg(*args, int);
        } else {
            sp.precision = (int)take_number(f);
        }
    }
    for (; **f == 'l' || **f == 'z'; (*f)++) sp.size = 8;
    return sp;
}

static size_t text_length(const char *s, int precision) {
    size_t n = 0;
    while ((precision < 0 || n < (size_t)precision) && s[n]) n++;
    return n;
}

static void put_one(struct sink *s, char conversion, const struct spec *sp, va_list *args) {
    static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
    switch (conversion) {
    case 'd':
    case 'i': {
        i64 v = sp->size == 8 ? va_arg(*args, i64) : va_arg(*args, int);
        put_number(s, sp, v < 0 ? -(u64)v : (u64)v, 10, lower, v < 0);
        return;
    }
    case 'u':
    case 'o':
    case 'x':
    case 'X': {
        u64 v = sp->size == 8 ? va_arg(*args, u64) : va_arg(*args, unsigned);
        unsigned base = conversion == 'u' ? 10 : conversion == 'o' ? 8 : 16;
        if (sp->prefix && base == 16 && v) put_text(s, &(struct spec){0}, "0x", 2);
        put_number(s, sp, v, base, conversion == 'X' ? upper : lower, false);
        return;
    }
    case 'p':
        put(s, '0');
        put(s, 'x');
        put_number(s, sp, (uptr)va_arg(*args, void *), 16, lower, false);
        return;
    case 'c':
        put_text(s, sp, &(char){(char)va_arg(*args, int)}, 1);
        return;
    case 's': {
        const char *text = va_arg(*args, const char *);
        if (!text) text = "(null)";
        put_text(s, sp, text, text_length(text, sp->precision));
        return;
    }
    default:
        put(s, '%');
        if (conversion != '%') put(s, conversion);
    }
}

size_t vfmt(char *out, size_t cap, const char *format, va_list args) {
    struct sink s = {out, cap, 0};
    va_list rest;
    va_copy(rest, args);
    for (const char *f = format; *f;) {
        if (*f != '%') {
            put(&s, *f++);
            continue;
        }
        f++;
        struct spec sp = take_spec(&f, &rest);
        if (!*f) break;
        put_one(&s, *f++, &sp, &rest);
    }
    va_end(rest);
    if (cap) out[MIN(s.n, cap - 1)] = 0;
    return s.n;
}

size_t fmt(char *out, size_t cap, const char *format, ...) {
    va_list args;
    va_start(args, format);
    size_t n = vfmt(out, cap, format, args);
    va_end(args);
    return n;
}
