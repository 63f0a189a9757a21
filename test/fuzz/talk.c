/* talk.c: see talk.h.
 *
 * I1 frames come back whole, of kinds that go that way: talk_write checks each.
 * I2 time passes a hundred times faster for modules: a tick of the real timer,
 *    each millisecond, is said to be of a hundred (a budget of a second is 12 ms). */
#include "test/fuzz/talk.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/assert.h"
#include "cli/host_rt.h"
#include "ext/internal.h"
#include "test/ext/kernel.h"
#include "whelk/ctl.h"

enum { MODULE_CAP = 32 << 10, TICK_NS = 100000000, REAL_TICK_NS = 1000000 };

static const char *const modules[] = {
    "now", "tracer", "drop_port", "deny", "heartbeat", "rule_bulk", "rule_plain", "syscount", "wasi_tracer",
    "hostile/command", "hostile/divide", "hostile/exit", "hostile/grow", "hostile/huge", "hostile/loop", "hostile/missing_import", "hostile/oob",
    "hostile/recursion", "hostile/start_loop", "hostile/syscalls", "hostile/truncated", "hostile/verdict", "hostile/wrong_abi",
    "hostile/wrong_handler", "hostile/wrong_signature"};
static const char *const names[] = {"a", "b", "c", "", "no/name", "nobody"};
static const char *const hooks[] = {"", "", "", "net.tap", "net.tap:handle", "net.rx", "timer", "net.rx:ctl.call", "what"};
static const char *const exports[] = {"", "ctl.call", "handle", "memory", "nothing"};
static const char *const fired[] = {"net.rx", "net.tx", "net.tap"};

static struct bytes module[ARRAY_LEN(modules)];
static struct rt_engine *engine;
static u64 engine_blocks, engine_space;                 /* what the engine has */
static u64 blocks_before, space_before, kernel_before; /* with nothing loaded */

/* --- the machine: counted memory, a timer --- */

static struct rt_host host, plain;
static void *count_alloc(void *self, size_t n) {
    void *p = plain.alloc(self, n);
    engine_blocks += p != NULL;
    return p;
}
static void count_free(void *self, void *p, size_t n) {
    engine_blocks -= p != NULL;
    plain.free(self, p, n);
}
static void *count_reserve(void *self, size_t n) {
    void *p = plain.reserve(self, n);
    if (p) engine_space += n;
    return p;
}
static void count_release(void *self, void *p, size_t n) {
    engine_space -= n;
    plain.release(self, p, n);
}

static void on_tick(int signal, siginfo_t *info, void *context) {
    greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
    struct rt_regs r = {.rip = (u64)g[REG_RIP], .rsp = (u64)g[REG_RSP], .rdi = (u64)g[REG_RDI], .r14 = (u64)g[REG_R14]};
    if (!ext_tick(&r)) return;
    g[REG_RIP] = (greg_t)r.rip, g[REG_RSP] = (greg_t)r.rsp, g[REG_RDI] = (greg_t)r.rdi;
}

static timer_t timer;
static void ticking(bool on) {
    const struct timespec each = {0, on ? REAL_TICK_NS : 0};
    int failed = timer_settime(timer, 0, &(struct itimerspec){each, each}, NULL);
    assert(!failed);
}

static void timer_init(void) {
    struct sigaction act = {.sa_sigaction = on_tick, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN + 1};
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    int failed = sigaction(SIGRTMIN + 1, &act, NULL) || timer_create(CLOCK_MONOTONIC, &event, &timer);
    assert(!failed);
}

static void read_module(u32 i) {
    char path[100];
    snprintf(path, sizeof path, "build/ext/%s.wasm", modules[i]);
    FILE *f = fopen(path, "rb");
    u8 *p = malloc(MODULE_CAP);
    module[i] = (struct bytes){p, f ? fread(p, 1, MODULE_CAP, f) : 0};
    if (f) fclose(f);
    if (!module[i].n) fprintf(stderr, "%s: not there; run this from the top of the tree, after make ext\n", path), exit(1);
}

void talk_init(void) {
    host_rt_fill(&plain);
    host = plain;
    host.alloc = count_alloc, host.free = count_free, host.reserve = count_reserve, host.release = count_release;
    enum err e = rt_engine_init(&engine, &host);
    if (!e) e = host_rt_install(engine);
    if (!e) e = host_rt_thread();
    const struct ext_config c = {.engine = engine, .tick_ns = TICK_NS, .ticking = ticking};
    timer_init();
    if (!e) e = ext_start(&c);
    assert(!e);
    kernel_pump = ext_record_step;
    for (u32 i = 0; i < ARRAY_LEN(modules); i++) read_module(i);
}

/* --- the script --- */

static u8 byte(struct talk *t) {
    u8 b = 0;
    take_u8(&t->script, &b);
    return b;
}
#define CHOOSE(t, list) ((list)[byte(t) % ARRAY_LEN(list)])

static struct bytes rest(struct talk *t, size_t most) {
    struct bytes b;
    take_bytes(&t->script, MIN(most, cursor_left(&t->script)), &b);
    return b;
}

static void put(struct talk *t, const void *p, size_t n) {
    assert(n <= TALK_ROOM - t->length);
    if (n) memcpy(t->line + t->length, p, n);
    t->length += n;
}
static void put_text(struct talk *t, const char *s) { put(t, s, strlen(s)); }

/* A message's header goes first: its length is filled in by close_message. */
static void open_message(struct talk *t, u16 kind, u32 id) {
    struct ctl_header h = {CTL_MAGIC, CTL_VERSION, kind, id, 0};
    put(t, &h, sizeof h);
}
static void close_message(struct talk *t) {
    u32 n = (u32)(t->length - sizeof(struct ctl_header));
    memcpy(t->line + offsetof(struct ctl_header, length), &n, sizeof n);
}

static void say_load(struct talk *t) {
    static const u64 budgets[] = {0, 1, 1000000, 100000000}, limits[] = {0, 1, 65536, 1 << 24, UINT64_MAX};
    const char *name = CHOOSE(t, names), *hook = CHOOSE(t, hooks);
    u8 how = byte(t);
    struct bytes m = CHOOSE(t, module);
    struct ctl_load l = {(u16)strlen(name), (u16)strlen(hook), how & 7 ? how & 1 : how, CHOOSE(t, budgets), CHOOSE(t, limits)};
    put(t, &l, sizeof l), put_text(t, name), put_text(t, hook);
    size_t at = t->length;
    put(t, m.p, m.n);
    for (u32 damage = how >> 6; damage > 1; damage--) { /* half of the modules are whole */
        size_t where = byte(t) | (size_t)byte(t) << 8;
        t->line[at + where % m.n] = byte(t);
    }
}
static void say_call(struct talk *t) {
    const char *name = CHOOSE(t, names), *export = CHOOSE(t, exports);
    u8 how = byte(t); /* half of the calls have words, most of these an end */
    struct bytes words = rest(t, how & 1 ? how >> 4 : 0), input = rest(t, byte(t) % 32);
    bool ends = words.n && how & 6;
    struct ctl_call k = {(u16)strlen(name), (u16)strlen(export), (u32)words.n + ends};
    put(t, &k, sizeof k), put_text(t, name), put_text(t, export), put(t, words.p, words.n), put(t, "", ends);
    put(t, input.p, input.n);
}
static void say_define(struct talk *t) {
    static const char *const of[][3] = {{"shop", "cost", "i:I"}, {"shop", "name", "iii:i"}, {"a", "b", ":"}, {"a", "c", "iIiIi:I"},
                                        {"whelk", "d", ":"}, {"a", "e", "iiiiii:"}};
    const char *const *d = CHOOSE(t, of);
    struct ctl_define head = {(u16)strlen(d[0]), (u16)strlen(d[1]), (u16)strlen(d[2]), 0};
    put(t, &head, sizeof head), put_text(t, d[0]), put_text(t, d[1]), put_text(t, d[2]);
}
static void say_memory(struct talk *t) {
    static const u32 edges[] = {0, 1, 100, 65535, 65536, 1u << 31, UINT32_MAX};
    struct ctl_memory m = {CHOOSE(t, edges), byte(t) & 15};
    struct bytes p = rest(t, byte(t) % 16);
    put(t, &m, sizeof m), put(t, p.p, p.n);
}
static void say_return(struct talk *t) {
    struct ctl_return r = {byte(t), byte(t) > 200, 0};
    put(t, &r, sizeof r);
}
static void say_bytes(struct talk *t) {
    struct bytes p = rest(t, byte(t));
    put(t, p.p, p.n);
}
static void say_name(struct talk *t) { put_text(t, CHOOSE(t, names)); }

static const struct {
    u16 kind;
    void (*payload)(struct talk *);
} messages[] = {
    {CTL_LOAD, say_load},     {CTL_LOAD, say_load},   {CTL_LOAD, say_load},     {CTL_UNLOAD, say_name}, {CTL_CALL, say_call},
    {CTL_CALL, say_call},     {CTL_STREAM, say_name}, {CTL_STAT, say_name},     {CTL_LIST, say_name},   {CTL_HELLO, say_name},
    {CTL_READ, say_bytes},    {CTL_STOP, say_bytes},  {CTL_DEFINE, say_define}, {CTL_PEEK, say_memory}, {CTL_POKE, say_memory},
    {CTL_RETURN, say_return}, {CTL_END, say_bytes},   {CTL_LOAD, say_bytes},    {CTL_CALL, say_bytes},  {CTL_UNLOAD, say_bytes},
    {CTL_DEFINE, say_bytes},  {CTL_RETURN, say_bytes},
};

static void message(struct talk *t, u8 which) {
    u16 kind = messages[which % ARRAY_LEN(messages)].kind;
    open_message(t, kind, 1 + byte(t) % 6);
    messages[which % ARRAY_LEN(messages)].payload(t);
    close_message(t);
    t->asked += kind != CTL_END || t->ends_answered;
}

/* A whole message, its header then changed; or no message at all. */
static void lie(struct talk *t) {
    u8 how = byte(t);
    t->honest = false;
    if (how & 1) return say_bytes(t);
    message(t, byte(t));
    t->line[(how >> 1) % sizeof(struct ctl_header)] = byte(t);
}

static void frame_passes(struct talk *t) {
    u8 bytes[300] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45};
    const char *hook = CHOOSE(t, fired);
    struct bytes p = rest(t, byte(t));
    if (p.n) memcpy(bytes + 12, p.p, p.n);
    struct hook_frame f = {.bytes = bytes, .length = 1 + (u32)p.n + 11, .interface = 1, .direction = byte(t) & 1, .writable = true};
    ext_fire_frame(hook_by_name((struct bytes){(const u8 *)hook, strlen(hook)}), &f);
}

static void call_is_made(struct talk *t) {
    struct hook_syscall c = {.number = byte(t), .args = {byte(t), 0x1000, byte(t)}, .result = -1, .thread = 3};
    ext_fire_syscall(hook_by_id(byte(t) & 1 ? WHELK_HOOK_CALL_ENTER : WHELK_HOOK_CALL_EXIT), &c);
}

static void threads_run(struct talk *t) {
    u32 seen;
    kernel_pages_free = byte(t) > 240 ? 100 : 6000;
    for (u32 n = byte(t) % 8; n && ext_record_step(); n--) {}
    ext_timer_step(&seen);
}

/* The next one hears again, from the start of a frame. */
static void hang_up(struct talk *t) {
    if (t->deaf) t->frame_have = t->frame_left = 0;
    t->deaf = false;
}

/* false: hangs up. */
static bool step(struct talk *t) {
    u8 what = byte(t);
    t->length = t->at = 0;
    switch (what % 16) {
    case 0: lie(t); break;
    case 1:
    case 2: frame_passes(t); break;
    case 3: call_is_made(t); break;
    case 4: threads_run(t); break;
    case 5: hang_up(t); return false;
    case 6:
        t->deaf = t->deaf || what > 200;
        t->honest = t->honest && !t->deaf; /* fallthrough */
    default: message(t, byte(t));
    }
    return true;
}

static void unload_all(void) {
    struct ext_error error;
    while (!list_empty(&ext_list_head)) {
        struct ext *x = LIST_ENTRY(ext_list_head.next, struct ext, node);
        enum err e = ext_unload((struct bytes){(const u8 *)x->name, strlen(x->name)}, &error);
        assert(!e);
    }
}

/* What the engine keeps for good, it takes with the first modules. */
static void warm_up(void) {
    char out[200];
    struct ext_error error;
    for (u32 i = 0; i < ARRAY_LEN(modules); i++) {
        char name[2] = {(char)('a' + i), 0};
        ext_load(&(struct ext_request){.name = {(const u8 *)name, 1}, .module = module[i]}, out, sizeof out, &error);
    }
    assert(ext_count() > 8); /* the good ones */
    unload_all();
    rt_engine_trim(engine);
}

void talk_start(struct talk *t, const u8 *script, size_t n) {
    *t = (struct talk){.script = cursor_of((struct bytes){script, n}), .honest = true};
    if (blocks_before) return;
    warm_up();
    blocks_before = engine_blocks, space_before = engine_space, kernel_before = kernel_heap_bytes;
}

bool talk_ended(const struct talk *t) { return !cursor_left(&t->script); }

enum err talk_read(void *self, void *buf, size_t cap, size_t *got) {
    struct talk *t = self;
    while (t->at == t->length)
        if (talk_ended(t) || !step(t)) return ERR_CLOSED;
    *got = MIN(cap, t->length - t->at);
    memcpy(buf, t->line + t->at, *got);
    t->at += *got;
    return ERR_OK;
}

/* --- what comes back --- */

static void frame_begins(struct talk *t) {
    struct ctl_header h;
    memcpy(&h, t->frame, sizeof h);
    assert(h.magic == CTL_MAGIC && h.version == CTL_VERSION && h.length <= CTL_MAX);
    assert(h.kind >= CTL_OK && h.kind <= CTL_UPCALL);
    bool answer = h.kind == CTL_OK || h.kind == CTL_ERROR;
    assert(h.id || h.kind == CTL_ERROR || !t->honest); /* who asks with 0 is answered with it */
    assert(h.kind != CTL_ERROR || h.length >= sizeof(u32));
    t->answers += answer && h.id;
    t->complaints += answer && !h.id;
    t->upcalls += h.kind == CTL_UPCALL;
    t->frame_left = h.length;
    t->frame_have = 0;
}

enum err talk_write(void *self, const void *p, size_t n) {
    struct talk *t = self;
    const u8 *from = p;
    if (t->deaf) return ERR_CLOSED;
    while (n) {
        bool head = !t->frame_left;
        size_t part = MIN(n, head ? sizeof t->frame - t->frame_have : t->frame_left);
        if (head) memcpy(t->frame + t->frame_have, from, part), t->frame_have += (u32)part;
        else t->frame_left -= (u32)part;
        from += part, n -= part;
        if (t->frame_have == sizeof t->frame) frame_begins(t);
    }
    return ERR_OK;
}

/* Each message got one answer; a return that an upcall waited for gets none. */
static void check_answers(const struct talk *t) {
    assert(!t->frame_have && !t->frame_left);
    if (!t->honest) return;
    assert(!t->complaints);
    assert(t->answers <= t->asked && t->asked - t->answers <= t->upcalls);
}

void talk_over(struct talk *t) {
    unload_all();
    rt_engine_trim(engine);
    if (!t->deaf) check_answers(t);
    kernel_pages_free = 6000;
    assert(!kernel_preempt && !ext_running());
    assert(kernel_heap_bytes == kernel_before);
    assert(engine_blocks == blocks_before && engine_space == space_before);
}
