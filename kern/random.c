/* random.c: a pool of 256 bits, ChaCha20 (RFC 8439, 2.3) in and out.
 *
 * I1 nothing leaves before SEED_BYTES of entropy came in.
 * I2 the key is replaced after every request: an earlier answer cannot be
 *    computed from a later state. */
#include "kern/random.h"

#include "arch/x86_64/cpu.h"
#include "base/mem.h"
#include "kern/lock.h"
#include "kern/wait.h"

enum { KEY = 32, BLOCK = 64, SEED_BYTES = 32, RDSEED_BIT = 18, TRIES = 100 };

static struct spin lock;
static struct {
    u8 key[KEY];
    u64 counter;
    u64 fed;
} pool; /* under lock */
static struct waitq seeded = WAITQ_INIT(seeded);

static u32 rotate(u32 v, unsigned n) { return v << n | v >> (32 - n); }

static void quarter(u32 *x, unsigned a, unsigned b, unsigned c, unsigned d) {
    x[a] += x[b], x[d] = rotate(x[d] ^ x[a], 16);
    x[c] += x[d], x[b] = rotate(x[b] ^ x[c], 12);
    x[a] += x[b], x[d] = rotate(x[d] ^ x[a], 8);
    x[c] += x[d], x[b] = rotate(x[b] ^ x[c], 7);
}

static void chacha_block(const u8 key[KEY], u64 counter, u8 out[BLOCK]) {
    static const u32 sigma[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    u32 start[16], x[16];
    memcpy(start, sigma, 16);
    memcpy(start + 4, key, KEY);
    memcpy(start + 12, &counter, 8);
    start[14] = start[15] = 0;
    memcpy(x, start, sizeof x);
    for (int i = 0; i < 10; i++) {
        for (unsigned k = 0; k < 4; k++) quarter(x, k, k + 4, k + 8, k + 12);
        for (unsigned k = 0; k < 4; k++) quarter(x, k, 4 + (k + 1) % 4, 8 + (k + 2) % 4, 12 + (k + 3) % 4);
    }
    for (int i = 0; i < 16; i++) x[i] += start[i];
    memcpy(out, x, BLOCK);
}

/* The next block; its first half becomes the key when done. */
static void rekey(void) {
    u8 block[BLOCK];
    chacha_block(pool.key, pool.counter++, block);
    memcpy(pool.key, block, KEY);
    memset(block, 0, sizeof block);
}

void random_feed(const void *p, size_t n) {
    const u8 *in = p;
    u64 flags = spin_lock(&lock);
    for (size_t i = 0; i < n; i++) {
        pool.key[i % KEY] ^= in[i];
        if (i % KEY == KEY - 1 || i + 1 == n) rekey();
    }
    pool.fed += n;
    bool ready = pool.fed >= SEED_BYTES;
    spin_unlock(&lock, flags);
    if (ready) wait_wake_all(&seeded);
}

bool random_ready(void) { return pool.fed >= SEED_BYTES; }

void random_bytes(void *p, size_t n) {
    wait_event(&seeded, random_ready(), WAIT_FOREVER);
    u8 *out = p, block[BLOCK];
    while (n) {
        u64 flags = spin_lock(&lock);
        chacha_block(pool.key, pool.counter++, block);
        rekey();
        spin_unlock(&lock, flags);
        size_t part = MIN(n, (size_t)BLOCK);
        memcpy(out, block, part);
        out += part;
        n -= part;
    }
    memset(block, 0, sizeof block);
}


/* RDSEED, where the CPU has it: the hardware's own conditioned entropy. */
void random_init(void) {
    if (!(cpuid(7, 0).b >> RDSEED_BIT & 1)) return;
    for (int i = 0, tries = 0; i < SEED_BYTES / 8 && tries < TRIES; tries++) {
        u64 v;
        bool ok;
        __asm__ volatile("rdseed %0" : "=r"(v), "=@ccc"(ok));
        if (!ok) continue;
        random_feed(&v, sizeof v);
        i++;
    }
}
