/* json.c: parses a document of about 40 KB, made at the start, into a tree and
 * walks it, 10 n times. Bytes, branches, recursion, small structures. */
#include "bench.h"

enum kind { NIL, BOOL, NUMBER, STRING, ARRAY, OBJECT };
struct value {
    enum kind kind;
    uint32_t count;  /* of members; bytes of a string */
    double number;
    const char *text;
    struct value *first, *next; /* members; key and value in turn for an object */
};

enum { DOCUMENT = 65536, VALUES = 32768 };
static char document[DOCUMENT];
static struct value values[VALUES];
static uint32_t used;

struct parser {
    const char *p, *end;
    int failed;
};

/* ---- making one ---- */

static char *put(char *p, const char *s) {
    while (*s) *p++ = *s++;
    return p;
}

static char *put_number(char *p, uint32_t v) {
    char digits[10];
    int n = 0;
    do digits[n++] = (char)('0' + v % 10);
    while (v /= 10);
    while (n) *p++ = digits[--n];
    return p;
}

static uint32_t make(void) {
    uint32_t seed = 31337;
    char *p = put(document, "[\n");
    for (int i = 0; i < 300; i++) {
        if (i) p = put(p, ",\n");
        p = put_number(put(p, "  {\"id\": "), (uint32_t)i);
        p = put_number(put(p, ", \"name\": \"node \\u00e9\\n"), next(&seed) % 100000);
        p = put_number(put(p, "\", \"load\": -"), next(&seed) % 100);
        p = put_number(put(p, "."), next(&seed) % 1000);
        p = put(p, next(&seed) & 1 ? "e2, \"up\": true" : ", \"up\": false");
        p = put(p, ", \"ports\": [");
        for (uint32_t k = 0; k < i % 5u; k++) p = put_number(put(p, k ? ", " : ""), next(&seed) % 65536);
        p = put(p, "], \"next\": null}");
    }
    p = put(p, "\n]\n");
    return (uint32_t)(p - document);
}

/* ---- reading it ---- */

static struct value *parse_value(struct parser *s);

static struct value *value_new(enum kind kind) {
    struct value *v = &values[used < VALUES ? used++ : 0];
    *v = (struct value){.kind = kind};
    return v;
}

static void skip(struct parser *s) {
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\t' || *s->p == '\r')) s->p++;
}

static int take(struct parser *s, char c) {
    skip(s);
    if (s->p == s->end || *s->p != c) return 0;
    s->p++;
    return 1;
}

static struct value *parse_string(struct parser *s) {
    struct value *v = value_new(STRING);
    v->text = s->p;
    while (s->p < s->end && *s->p != '"') {
        if (*s->p == '\\') s->p++;
        s->p++;
        v->count++;
    }
    if (!take(s, '"')) s->failed = 1;
    return v;
}

static struct value *parse_number(struct parser *s) {
    struct value *v = value_new(NUMBER);
    double sign = 1, scale = 1;
    int exponent = 0;
    if (*s->p == '-') sign = -1, s->p++;
    while (s->p < s->end && *s->p >= '0' && *s->p <= '9') v->number = v->number * 10 + (*s->p++ - '0');
    if (s->p < s->end && *s->p == '.')
        for (s->p++; s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++) v->number += (*s->p - '0') * (scale /= 10);
    if (s->p < s->end && *s->p == 'e')
        for (s->p++; s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++) exponent = exponent * 10 + (*s->p - '0');
    while (exponent--) v->number *= 10;
    v->number *= sign;
    return v;
}

static struct value *parse_members(struct parser *s, enum kind kind, char close) {
    struct value *v = value_new(kind), **at = &v->first;
    if (take(s, close)) return v;
    do {
        if (kind == OBJECT) {
            if (!take(s, '"')) break;
            *at = parse_string(s);
            at = &(*at)->next;
            if (!take(s, ':')) break;
        }
        *at = parse_value(s);
        at = &(*at)->next;
        v->count++;
    } while (!s->failed && take(s, ','));
    if (!take(s, close)) s->failed = 1;
    return v;
}

static struct value *parse_word(struct parser *s, const char *word, enum kind kind, double number) {
    struct value *v = value_new(kind);
    for (; *word; word++)
        if (s->p == s->end || *s->p++ != *word) s->failed = 1;
    v->number = number;
    return v;
}

static struct value *parse_value(struct parser *s) {
    skip(s);
    switch (s->p < s->end ? *s->p : 0) {
    case '{': s->p++; return parse_members(s, OBJECT, '}');
    case '[': s->p++; return parse_members(s, ARRAY, ']');
    case '"': s->p++; return parse_string(s);
    case 't': return parse_word(s, "true", BOOL, 1);
    case 'f': return parse_word(s, "false", BOOL, 0);
    case 'n': return parse_word(s, "null", NIL, 0);
    default: return parse_number(s);
    }
}

static uint32_t walk(const struct value *v, uint32_t sum) {
    sum = mix(sum, (uint32_t)v->kind ^ v->count << 4);
    if (v->kind == NUMBER) sum = mix(sum, bits_of(v->number));
    if (v->kind == STRING && v->count) sum = mix(sum, (uint8_t)v->text[v->count - 1]);
    for (const struct value *m = v->first; m; m = m->next) sum = walk(m, sum);
    return sum;
}

uint32_t run(uint32_t n) {
    uint32_t length = make(), sum = 0;
    for (n *= 10; n--;) {
        struct parser s = {document, document + length, 0};
        used = 1;
        struct value *v = parse_value(&s);
        sum = walk(v, sum) ^ (uint32_t)s.failed;
    }
    return sum;
}
