/* stack.c: arguments, environment and auxiliary vector.
 *
 * I1 strings lie above the pointers to them; the pointer block ends 16-aligned. */
#include "sys/stack.h"

#include "base/assert.h"
#include "base/mem.h"
#include "kern/heap.h"
#include "kern/program.h"

enum aux {
    AUX_NULL = 0, AUX_PHDR = 3, AUX_PHENT = 4, AUX_PHNUM = 5, AUX_PAGESZ = 6, AUX_BASE = 7, AUX_FLAGS = 8,
    AUX_ENTRY = 9, AUX_UID = 11, AUX_EUID = 12, AUX_GID = 13, AUX_EGID = 14, AUX_PLATFORM = 15, AUX_HWCAP = 16,
    AUX_CLKTCK = 17, AUX_SECURE = 23, AUX_RANDOM = 25, AUX_EXECFN = 31, AUX_MINSIGSTKSZ = 51,
};
enum { WORDS_MAX = 4096, AUX_WORDS = 40, MINSIGSTKSZ = 16384 };

struct builder {
    u64 words[WORDS_MAX];
    u32 count;
    bool full;
};

static void word(struct builder *b, u64 v) {
    if (b->count == WORDS_MAX) b->full = true;
    else b->words[b->count++] = v;
}

static void pair(struct builder *b, u64 tag, u64 v) {
    word(b, tag);
    word(b, v);
}

/* One pointer for each string of a block that is copied to `at`. */
static u32 pointers(struct builder *b, struct bytes block, u64 at) {
    u32 n = 0;
    for (size_t i = 0; i < block.n; n++) {
        word(b, at + i);
        while (i < block.n && block.p[i]) i++;
        i++;
    }
    word(b, 0);
    return n;
}

static bool put(u64 at, struct bytes block) {
    u8 zero = 0;
    return user_write(at, block.p, block.n) && user_write(at + block.n, &zero, 1);
}

static void aux(struct builder *b, const struct stack_facts *f, u64 random, u64 name, u64 platform) {
    if (f->headers) pair(b, AUX_PHDR, f->headers);
    pair(b, AUX_PHENT, 56);
    pair(b, AUX_PHNUM, f->header_count);
    pair(b, AUX_PAGESZ, 4096);
    pair(b, AUX_BASE, 0);
    pair(b, AUX_FLAGS, 0);
    pair(b, AUX_ENTRY, f->entry);
    pair(b, AUX_UID, 0);
    pair(b, AUX_EUID, 0);
    pair(b, AUX_GID, 0);
    pair(b, AUX_EGID, 0);
    pair(b, AUX_PLATFORM, platform);
    pair(b, AUX_HWCAP, f->hwcap);
    pair(b, AUX_CLKTCK, 100);
    pair(b, AUX_SECURE, 0);
    pair(b, AUX_RANDOM, random);
    pair(b, AUX_EXECFN, name);
    pair(b, AUX_MINSIGSTKSZ, MINSIGSTKSZ);
    pair(b, AUX_NULL, 0);
}

static u64 build(struct builder *b, u64 top, struct bytes argv, struct bytes env, const struct stack_facts *f) {
    static const u8 platform_name[] = "x86_64";
    u64 platform = top - 16, random = platform - 16;
    u64 env_at = random - env.n - 1, argv_at = env_at - argv.n - 1;
    if (!user_write(platform, platform_name, sizeof platform_name) || !user_write(random, f->random, 16)) return 0;
    if (!put(env_at, env) || !put(argv_at, argv)) return 0;
    word(b, 0); /* argc, below */
    b->words[0] = pointers(b, argv, argv_at);
    pointers(b, env, env_at);
    aux(b, f, random, argv_at, platform);
    u64 sp = ALIGN_DOWN(argv_at - (u64)b->count * 8, 16);
    assert(sp < argv_at);
    return !b->full && user_write(sp, b->words, (u64)b->count * 8) ? sp : 0;
}

u64 stack_build(u64 top, struct bytes argv, struct bytes env, const struct stack_facts *facts) {
    struct builder *b = kzalloc(sizeof *b);
    u64 sp = b ? build(b, top, argv, env, facts) : 0;
    kfree(b);
    return sp;
}
