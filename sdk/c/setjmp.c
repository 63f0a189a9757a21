/* setjmp.c: what clang's -wasm-enable-sjlj calls. A setjmp notes the activation
 * that it belongs to; a longjmp throws; each call in such an activation catches,
 * and asks whether the jump is for it. */
#include "setjmp.h"

void __wasm_setjmp(void *env, unsigned label, void *call);
unsigned __wasm_setjmp_test(void *env, void *call);
_Noreturn void __wasm_longjmp(void *env, int value);

enum { TAG_C_LONGJMP = 1 }; /* of __builtin_wasm_throw */

void __wasm_setjmp(void *env, unsigned label, void *call) {
    struct whelk_jmp_buf *j = env;
    j->call = call;
    j->label = label;
}

/* The label to go on at; 0: the jump is for another activation. */
unsigned __wasm_setjmp_test(void *env, void *call) {
    const struct whelk_jmp_buf *j = env;
    return j->call == call ? j->label : 0;
}

/* C 7.13.2.1: setjmp never returns 0 because of a longjmp. */
void __wasm_longjmp(void *env, int value) {
    struct whelk_jmp_buf *j = env;
    j->thrown.env = env;
    j->thrown.value = value ? value : 1;
    __builtin_wasm_throw(TAG_C_LONGJMP, &j->thrown);
}
