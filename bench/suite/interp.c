/* interp.c: an interpreter of a small stack byte-code, which computes sums, a
 * sieve and greatest common divisors, n times. A switch in a loop. */
#include "bench.h"

enum op { PUSH, LOAD, STORE, ADD, SUB, MUL, MOD, LESS, JUMP, JUMP_ZERO, GET, PUT, DUP, DROP, EQUAL, HALT };

struct machine {
    int32_t stack[64], locals[8];
    uint8_t memory[8192];
};
static struct machine machine;

#define I(v) (v) & 0xff, (v) >> 8 & 0xff

/* locals: 0 i, 1 sum, 2 limit */
static const uint8_t sum_code[] = {
    PUSH, I(0), STORE, 0, PUSH, I(0), STORE, 1,
    LOAD, 0, LOAD, 2, LESS, JUMP_ZERO, I(45),            /* 10: loop */
    LOAD, 1, LOAD, 0, LOAD, 0, MUL, PUSH, I(1009), MOD, ADD, STORE, 1,
    LOAD, 0, PUSH, I(1), ADD, STORE, 0, JUMP, I(10), HALT, HALT,
    LOAD, 1, HALT,
};

/* locals: 0 a, 1 b: greatest common divisor by remainders */
static const uint8_t gcd_code[] = {
    LOAD, 1, JUMP_ZERO, I(21),                           /* 0 */
    LOAD, 0, LOAD, 1, MOD, LOAD, 1, STORE, 0, STORE, 1, JUMP, I(0), HALT,
    HALT, LOAD, 0, HALT,
};

/* locals: 0 i, 1 k, 2 limit, 3 count */
static const uint8_t sieve_code[] = {
    PUSH, I(2), STORE, 0, PUSH, I(0), STORE, 3,
    LOAD, 0, LOAD, 2, LESS, JUMP_ZERO, I(77),            /* 10: outer */
    LOAD, 0, GET, JUMP_ZERO, I(35), LOAD, 0, PUSH, I(1), ADD, STORE, 0, JUMP, I(10),
    LOAD, 3, PUSH, I(1), ADD, STORE, 3,                  /* 35: prime */
    LOAD, 0, LOAD, 0, ADD, STORE, 1,
    LOAD, 1, LOAD, 2, LESS, JUMP_ZERO, I(24),            /* 50: inner */
    PUSH, I(1), LOAD, 1, PUT, LOAD, 1, LOAD, 0, ADD, STORE, 1, JUMP, I(50), HALT,
    HALT, HALT, LOAD, 3, HALT,
};

static NOINLINE int32_t execute(struct machine *m, const uint8_t *code) {
    int32_t *sp = m->stack;
    const uint8_t *pc = code;
    for (;;) {
        switch ((enum op)*pc++) {
        case PUSH: *sp++ = (int16_t)(pc[0] | pc[1] << 8); pc += 2; break;
        case LOAD: *sp++ = m->locals[*pc++ & 7]; break;
        case STORE: m->locals[*pc++ & 7] = *--sp; break;
        case ADD: sp--; sp[-1] += sp[0]; break;
        case SUB: sp--; sp[-1] -= sp[0]; break;
        case MUL: sp--; sp[-1] = (int32_t)((uint32_t)sp[-1] * (uint32_t)sp[0]); break;
        case MOD: sp--; sp[-1] = sp[0] ? (int32_t)((uint32_t)sp[-1] % (uint32_t)sp[0]) : 0; break;
        case LESS: sp--; sp[-1] = sp[-1] < sp[0]; break;
        case EQUAL: sp--; sp[-1] = sp[-1] == sp[0]; break;
        case JUMP: pc = code + (pc[0] | pc[1] << 8); break;
        case JUMP_ZERO: pc = *--sp ? pc + 2 : code + (pc[0] | pc[1] << 8); break;
        case GET: sp[-1] = m->memory[sp[-1] & 8191]; break;
        case PUT: sp -= 2; m->memory[sp[1] & 8191] = (uint8_t)sp[0]; break;
        case DUP: sp[0] = sp[-1]; sp++; break;
        case DROP: sp--; break;
        case HALT: return sp > m->stack ? sp[-1] : -1;
        }
    }
}

static int32_t call(const uint8_t *code, int32_t a, int32_t b, int32_t c) {
    machine.locals[0] = a;
    machine.locals[1] = b;
    machine.locals[2] = c;
    return execute(&machine, code);
}

uint32_t run(uint32_t n) {
    uint32_t sum = 0;
    while (n--) {
        sum = mix(sum, (uint32_t)call(sum_code, 0, 0, 20000));
        for (int i = 0; i < 8192; i++) machine.memory[i] = 0;
        sum = mix(sum, (uint32_t)call(sieve_code, 0, 0, 8000));
        for (int32_t i = 1; i < 1000; i++) sum = mix(sum, (uint32_t)call(gcd_code, 832040 + i, 514229 - i * 7, 0));
    }
    return sum;
}
