/* setjmp.h: setjmp and longjmp for guests in C and C++, over WebAssembly's exceptions.
 * Debian's wasi-libc has none. Compile everything that includes this, and
 * setjmp.c beside it, with
 *     -mllvm -wasm-enable-sjlj -mexception-handling
 * No signal mask is kept. longjmp out of a host function's callback ends the
 * callback (the host sees an exception); it cannot pass through the host. */
#ifndef WHELK_SDK_SETJMP_H
#define WHELK_SDK_SETJMP_H

struct whelk_jmp_buf {
    void *call;     /* the setjmp's activation; NULL: none */
    unsigned label; /* which setjmp of it */
    struct {
        void *env;
        int value;
    } thrown;
};
typedef struct whelk_jmp_buf jmp_buf[1];

/* The compiler turns both into calls of what setjmp.c defines, by these very names. */
#ifdef __cplusplus
extern "C" {
#endif
int setjmp(jmp_buf env) __attribute__((returns_twice));
void longjmp(jmp_buf env, int value) __attribute__((noreturn));
#ifdef __cplusplus
}
#endif

#endif
