/* dhry.c: Dhrystone 2.1 (R. Weicker, 1988), written anew to the published
 * algorithm: the same statements in the same order, 100,000 n rounds.
 *
 * The original has two files, so that no compiler inlines from the second into
 * the first: what is in its second file is NOINLINE here. Most of its time goes
 * into strcpy and strcmp: every contestant gets the plain C ones below. */
#include "bench.h"

enum ident { IDENT_1, IDENT_2, IDENT_3, IDENT_4, IDENT_5 };
struct record {
    struct record *next;
    enum ident discriminant;
    enum ident enum_comp;
    int int_comp;
    char string[31];
};

static struct record records[2], *glob, *next_glob;
static int int_glob;
static int bool_glob;
static char ch_1_glob, ch_2_glob;
static int array_1[50], array_2[50][50];

static NOINLINE void plain_copy(char *to, const char *from) {
    while ((*to++ = *from++)) {}
}

static NOINLINE int plain_compare(const char *a, const char *b) {
    while (*a && *a == *b) a++, b++;
    return (unsigned char)*a - (unsigned char)*b;
}

/* ---- the second file ---- */

static NOINLINE int func_3(enum ident e) { return e == IDENT_3; }

static NOINLINE void proc_6(enum ident value, enum ident *out) {
    *out = value;
    if (!func_3(value)) *out = IDENT_4;
    switch (value) {
    case IDENT_1: *out = IDENT_1; break;
    case IDENT_2: *out = int_glob > 100 ? IDENT_1 : IDENT_4; break;
    case IDENT_3: *out = IDENT_2; break;
    case IDENT_4: break;
    case IDENT_5: *out = IDENT_3; break;
    }
}

static NOINLINE void proc_7(int a, int b, int *out) { *out = b + (a + 2); }

static NOINLINE void proc_8(int *a, int (*b)[50], int x, int y) {
    int at = x + 5;
    a[at] = y;
    a[at + 1] = a[at];
    a[at + 30] = at;
    for (int i = at; i <= at + 1; i++) b[at][i] = at;
    b[at][at - 1] += 1;
    b[at + 20][at] = a[at];
    int_glob = 5;
}

static NOINLINE enum ident func_1(char a, char b) {
    char local = a;
    if (local != b) return IDENT_1;
    ch_1_glob = local;
    return IDENT_2;
}

static NOINLINE int func_2(const char *a, const char *b) {
    int at = 2;
    char c = 'A';
    while (at <= 2)
        if (func_1(a[at], b[at + 1]) == IDENT_1) {
            c = 'A';
            at += 1;
        }
    if (c >= 'W' && c < 'Z') at = 7;
    if (c == 'R') return 1;
    if (plain_compare(a, b) > 0) {
        at += 7;
        int_glob = at;
        return 1;
    }
    return 0;
}

/* ---- the first file ---- */

static void proc_2(int *x) {
    int local = *x + 10;
    enum ident e = IDENT_5;
    do
        if (ch_1_glob == 'A') {
            local -= 1;
            *x = local - int_glob;
            e = IDENT_1;
        }
    while (e != IDENT_1);
}

static void proc_3(struct record **out) {
    if (glob) *out = glob->next;
    proc_7(10, int_glob, &glob->int_comp);
}

static void proc_4(void) {
    int local = ch_1_glob == 'A';
    bool_glob = local | bool_glob;
    ch_2_glob = 'B';
}

static void proc_5(void) {
    ch_1_glob = 'A';
    bool_glob = 0;
}

static void proc_1(struct record *r) {
    struct record *n = r->next;
    *r->next = *glob;
    r->int_comp = 5;
    n->int_comp = r->int_comp;
    n->next = r->next;
    proc_3(&n->next);
    if (n->discriminant == IDENT_1) {
        n->int_comp = 6;
        proc_6(r->enum_comp, &n->enum_comp);
        n->next = glob->next;
        proc_7(n->int_comp, 10, &n->int_comp);
    } else {
        *r = *r->next;
    }
}

static void start(void) {
    next_glob = &records[0];
    glob = &records[1];
    glob->next = next_glob;
    glob->discriminant = IDENT_1;
    glob->enum_comp = IDENT_3;
    glob->int_comp = 40;
    plain_copy(glob->string, "DHRYSTONE PROGRAM, SOME STRING");
    for (int i = 0; i < 50; i++) {
        array_1[i] = 0;
        for (int j = 0; j < 50; j++) array_2[i][j] = 0;
    }
    array_2[8][7] = 10;
}

uint32_t run(uint32_t n) {
    int one = 0, two = 0, three = 0;
    enum ident e = IDENT_1;
    char string_1[31], string_2[31];
    start();
    plain_copy(string_1, "DHRYSTONE PROGRAM, 1'ST STRING");
    for (uint32_t i = 1; i <= 100000 * n; i++) {
        proc_5();
        proc_4();
        one = 2;
        two = 3;
        plain_copy(string_2, "DHRYSTONE PROGRAM, 2'ND STRING");
        e = IDENT_2;
        bool_glob = !func_2(string_1, string_2);
        while (one < two) {
            three = 5 * one - two;
            proc_7(one, two, &three);
            one += 1;
        }
        proc_8(array_1, array_2, one, three);
        proc_1(glob);
        for (char c = 'A'; c <= ch_2_glob; c++)
            if (e == func_1(c, 'C')) {
                proc_6(IDENT_1, &e);
                plain_copy(string_2, "DHRYSTONE PROGRAM, 3'RD STRING");
                two = (int)i;
                int_glob = (int)i;
            }
        two = two * one;
        one = two / three;
        two = 7 * (two - three) - one;
        proc_2(&one);
    }
    uint32_t sum = mix(mix(mix((uint32_t)int_glob, (uint32_t)bool_glob), (uint32_t)one), (uint32_t)two);
    sum = mix(mix(sum, (uint32_t)three), (uint32_t)array_2[8][7]);
    sum = mix(mix(sum, (uint32_t)glob->int_comp), (uint32_t)next_glob->int_comp);
    return mix(mix(sum, (uint32_t)e), (uint32_t)string_2[15]);
}
