/* jumps.c: setjmp and longjmp as real programs use them; built by clang, whose
 * legacy exceptions these become. */
#include "setjmp.h"

#define EXPORT(name) __attribute__((export_name(name)))
__attribute__((import_module("env"), import_name("put"))) int put(int);

static jmp_buf outer, inner;

static int down(int n) {
    if (!n) longjmp(outer, 42);
    return down(n - 1) + put(n);
}

/* A jump over n frames; what was changed since the setjmp is volatile. */
EXPORT("deep") int deep(int n) {
    volatile int kept = 1;
    int r = setjmp(outer);
    if (r) return r * 10 + kept;
    kept = 7;
    return down(n);
}

/* The inner one is for the inner setjmp, the next passes it by. */
static int nested(int n) {
    int r = setjmp(inner);
    if (!r) longjmp(inner, n);
    longjmp(outer, r + 1);
}

EXPORT("nest") int nest(int n) {
    int r = setjmp(outer);
    return r ? r : nested(n);
}

EXPORT("again") int again(int n) {
    volatile int count = 0;
    setjmp(outer);
    if (++count < n) longjmp(outer, 1);
    return count;
}

/* Value 0 becomes 1. */
EXPORT("zero") int zero(int n) {
    int r = setjmp(outer);
    if (!r) longjmp(outer, n);
    return r;
}

EXPORT("nobody") int nobody(int n) {
    outer->call = 0;
    longjmp(outer, n);
}
