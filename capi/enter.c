/* enter.c: from compiled code to a callback of any signature.
 *
 * A host function is a C function, and the caller says nothing but its context. So
 * there is a pool of tiny functions: each loads its own number and jumps to a common
 * part, which saves the argument registers; C code finds in the slot of that number
 * whose callback it is, and takes the arguments apart by its type.
 *
 * I1 slots[k] does not change from taking to giving: calls read it without a lock. */
#include <pthread.h>

#include "base/assert.h"
#include "capi/internal.h"

enum { SLOTS = 16384, SLOT_BYTES = 10, INT_ARGS = 5, FLOAT_ARGS = 8 };

/* As the common part leaves it on the stack. */
struct saved {
    u64 ints[INT_ARGS]; /* rsi rdx rcx r8 r9 */
    u64 unused;
    u64 floats[FLOAT_ARGS];
};
static_assert(sizeof(struct saved) == 112, "the common part makes this room");

u64 capi_enter(struct abi_ctx *caller, const struct saved *in, const u64 *stack, u32 slot)
    __attribute__((used, visibility("hidden")));
extern const u8 capi_slots[] __attribute__((visibility("hidden")));

/* The low half of an xmm register is all that f32 and f64 need. The result goes
 * to both places: the caller looks at the one that its type says. */
__asm__(".pushsection .text\n"
        ".balign 16\n"
        "capi_common:\n\t"
        "pushq %rbp\n\t"
        "movq %rsp, %rbp\n\t"
        "subq $112, %rsp\n\t"
        "movq %rsi, (%rsp)\n\t"
        "movq %rdx, 8(%rsp)\n\t"
        "movq %rcx, 16(%rsp)\n\t"
        "movq %r8, 24(%rsp)\n\t"
        "movq %r9, 32(%rsp)\n\t"
        "movq %xmm0, 48(%rsp)\n\t"
        "movq %xmm1, 56(%rsp)\n\t"
        "movq %xmm2, 64(%rsp)\n\t"
        "movq %xmm3, 72(%rsp)\n\t"
        "movq %xmm4, 80(%rsp)\n\t"
        "movq %xmm5, 88(%rsp)\n\t"
        "movq %xmm6, 96(%rsp)\n\t"
        "movq %xmm7, 104(%rsp)\n\t"
        "movq %rsp, %rsi\n\t"
        "leaq 16(%rbp), %rdx\n\t"
        "movl %eax, %ecx\n\t"
        "call capi_enter\n\t"
        "movq %rax, %xmm0\n\t"
        "leave\n\t"
        "ret\n"
        ".globl capi_slots\n"
        ".hidden capi_slots\n"
        "capi_slots:\n"
        ".set capi_slot, 0\n"
        ".rept 16384\n\t"
        ".byte 0xb8\n\t" /* mov eax, slot */
        ".long capi_slot\n\t"
        ".byte 0xe9\n\t" /* jmp capi_common */
        ".long capi_common - . - 4\n\t"
        ".set capi_slot, capi_slot + 1\n"
        ".endr\n"
        ".popsection\n");

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct host_func *slots[SLOTS];
static u32 first_maybe; /* under mutex: all before it are taken */

const void *capi_slot_take(struct host_func *h) {
    pthread_mutex_lock(&mutex);
    u32 k = first_maybe;
    while (k < SLOTS && slots[k]) k++;
    if (k < SLOTS) slots[k] = h;
    first_maybe = MIN(k + 1, (u32)SLOTS);
    pthread_mutex_unlock(&mutex);
    h->slot = k;
    return k < SLOTS ? capi_slots + k * SLOT_BYTES : NULL;
}

void capi_slot_give(struct host_func *h) {
    pthread_mutex_lock(&mutex);
    assert(h->slot < SLOTS && slots[h->slot] == h);
    slots[h->slot] = NULL;
    first_maybe = MIN(first_maybe, h->slot);
    pthread_mutex_unlock(&mutex);
}

/* System V x86-64: in order, each class in its registers, then on the stack. */
struct taker {
    const struct saved *in;
    const u64 *stack;
    u32 ints, floats;
};

static u64 take(struct taker *t, bool is_float) {
    if (is_float) return t->floats < FLOAT_ARGS ? t->in->floats[t->floats++] : *t->stack++;
    return t->ints < INT_ARGS ? t->in->ints[t->ints++] : *t->stack++;
}

u64 capi_enter(struct abi_ctx *caller, const struct saved *in, const u64 *stack, u32 slot) {
    assert(slot < SLOTS && slots[slot]);
    struct host_func *h = slots[slot];
    struct taker t = {in, stack, 0, 0};
    size_t n = h->type->params.size;
    union abi_value args[CAPI_VALUES];
    assert(n <= CAPI_VALUES); /* or it would have no type */
    for (size_t k = 0; k < n; k++) {
        wasm_valkind_t kind = h->type->params.data[k]->kind;
        args[k] = (union abi_value){.bits = {take(&t, kind == WASM_F32 || kind == WASM_F64), 0}};
    }
    u64 *more = h->type->results.size > 1 ? (u64 *)take(&t, false) : NULL;
    return capi_host_call(h, caller, args, more);
}
