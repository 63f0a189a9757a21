/* check.c: `whelk check`: a module through the very decoder, validator, compiler and
 * verifier that the kernel has; nothing of it runs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/contract.h"
#include "cli/host_rt.h"
#include "jit/jit.h"
#include "rt/prove.h"

struct check {
    const char *file;
    struct bytes in;
    struct arena arena, scratch;
    struct wasm_module module;
    struct jit_code code;
    u64 decode_ns, validate_ns, compile_ns, prove_ns;
    size_t module_bytes; /* of arena: before the compile */
    size_t work_bytes;   /* of scratch, at most, while it compiled */
    const char *passes; /* letters; NULL: no dump */
    bool disassemble, times;
    FILE *dump;
};

/* Of this process: whatever else the machine does. */
static u64 now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

static int refuse(const struct check *c, const struct wasm_error *e) {
    const char *remedy = e->code == ERR_UNSUPPORTED ? "; build without that feature (clang: -mno-..., rustc: -C target-feature=-...)"
                         : e->code == ERR_TRUNCATED ? "; the file was cut short: build or copy it again"
                                                    : "";
    return fail("%s: offset %zu (0x%zx): %s: %s%s", c->file, e->offset, e->offset, err_text(e->code), e->text, remedy);
}

static int decode(struct check *c) {
    struct wasm_error e = {0};
    u64 start = now_ns();
    if (c->in.n >= 7 && !memcmp(c->in.p, "(module", 7))
        return fail("%s: this is WebAssembly text; wat2wasm turns it into binary", c->file);
    if (wasm_decode(&c->arena, c->in, &c->module, &e)) return refuse(c, &e);
    c->decode_ns = now_ns() - start;
    start = now_ns();
    if (wasm_validate(&c->arena, &c->module, &e)) return refuse(c, &e);
    c->validate_ns = now_ns() - start;
    return EXIT_OK;
}

static void dump_text(void *self, const char *text, size_t n) { fwrite(text, 1, n, ((struct check *)self)->dump); }

/* Any ids do: nothing is linked. Equal types share one, as in a machine. */
static const u32 *type_ids(struct check *c) {
    u32 *ids = need(calloc(c->module.type_count + 1, sizeof(*ids)));
    for (u32 i = 0; i < c->module.type_count; i++) ids[i] = c->module.types[i].canon + 1;
    return ids;
}

static int compile(struct check *c, const struct jit_options *o) {
    struct jit_error e = {0};
    c->module_bytes = arena_used(&c->arena);
    u64 start = now_ns();
    enum err err = jit_compile(&c->arena, &c->scratch, &c->module, o, &c->code, &e);
    c->compile_ns = now_ns() - start;
    c->work_bytes = arena_most(&c->scratch);
    if (!err) return EXIT_OK;
    size_t at = e.func < c->module.func_count ? c->module.funcs[e.func].code_offset : 0;
    return fail("%s: offset %zu (0x%zx): function %u: %s: %s", c->file, at, at, e.func, err_text(err), e.text);
}

static int prove(struct check *c, const struct jit_options *o) {
    struct rt_error e = {0};
    u64 start = now_ns();
    enum err err = rt_prove(&c->scratch, &c->module, o, &c->code, &e);
    c->prove_ns = now_ns() - start;
    if (!err) return EXIT_OK;
    const char *remedy = err == ERR_PROOF ? "; please report it, with the module" : "";
    if (e.offset == SIZE_MAX) return fail("%s: %s%s", c->file, e.text, remedy);
    return fail("%s: offset %zu (0x%zx): %s%s", c->file, e.offset, e.offset, e.text, remedy);
}

static int compile_and_prove(struct check *c) {
    struct rt_host host;
    host_rt_fill(&host);
    struct jit_options o = {.cpu = host.cpu, .type_ids = type_ids(c), .dump_self = c, .dump_passes = c->passes,
                            .now_ns = c->times ? now_ns : NULL};
    if (c->passes) o.dump = dump_text;
    int status = compile(c, &o);
    if (!status) status = prove(c, &o);
    free((void *)o.type_ids);
    return status;
}

static void print_name(struct bytes name) {
    for (size_t i = 0; i < name.n; i++) putchar(name.p[i] >= 0x20 && name.p[i] < 0x7f ? name.p[i] : '?');
}

static const char *const kinds[] = {"function", "table", "memory", "global", "tag"};

static void print_type(const struct wasm_functype *t) {
    static const char *const names[] = {"v128", "f64", "f32", "i64", "i32"}; /* 0x7b.. */
    printf(" (");
    for (u32 i = 0; i < t->param_count; i++)
        printf("%s%s", i ? " " : "", t->params[i] >= WASM_V128 && t->params[i] <= WASM_I32 ? names[t->params[i] - WASM_V128] : "ref");
    printf(") -> (");
    for (u32 i = 0; i < t->result_count; i++)
        printf("%s%s", i ? " " : "", t->results[i] >= WASM_V128 && t->results[i] <= WASM_I32 ? names[t->results[i] - WASM_V128] : "ref");
    printf(")");
}

static void report(const struct check *c) {
    const struct wasm_module *m = &c->module;
    printf("%s: %zu bytes, valid\n", c->file, c->in.n);
    printf("  %u functions (%u imported), %u types, %u tables, %u memories, %u globals, %u data segments\n", m->func_count,
           m->imported_funcs, m->type_count, m->table_count, m->memory_count, m->global_count, m->data_count);
    for (u32 i = 0; i < m->import_count; i++) {
        const struct wasm_import *x = &m->imports[i];
        printf("  import %s ", kinds[x->kind]);
        print_name(x->module);
        putchar('.');
        print_name(x->name);
        if (x->kind == WASM_KIND_FUNC) print_type(&m->types[m->funcs[x->index].type]);
        putchar('\n');
    }
    for (u32 i = 0; i < m->export_count; i++) {
        const struct wasm_export *x = &m->exports[i];
        printf("  export %s ", kinds[x->kind]);
        print_name(x->name);
        if (x->kind == WASM_KIND_FUNC) print_type(&m->types[m->funcs[x->index].type]);
        const char *hook = x->kind == WASM_KIND_FUNC ? contract_hook(x->name) : NULL;
        bool program = x->kind == WASM_KIND_FUNC && contract_is_program(x->name);
        printf("%s%s\n", hook ? "  <- hook " : program ? "  <- a program: whelk run, or ext load and call" : "", hook ? hook : "");
    }
    printf("  machine code: %u bytes in %u functions, %u trap sites\n", c->code.size, c->code.func_count, c->code.trap_count);
    printf("  decode %.1f us, validate %.1f us, compile %.1f us, proof %.1f us\n", (double)c->decode_ns / 1e3,
           (double)c->validate_ns / 1e3, (double)c->compile_ns / 1e3, (double)c->prove_ns / 1e3);
}

/* Where the compiler's nanoseconds go, per byte of the module too; and the proof's share of all. */
static void report_times(const struct check *c) {
    double all = (double)(c->decode_ns + c->validate_ns + c->compile_ns + c->prove_ns);
    for (enum jit_pass p = 0; p < JIT_PASS_COUNT; p++)
        printf("  %8s %10.1f us  %5.1f %%  %6.2f ns a byte\n", jit_pass_name(p), (double)c->code.pass_ns[p] / 1e3,
               100.0 * (double)c->code.pass_ns[p] / (double)c->compile_ns, (double)c->code.pass_ns[p] / (double)c->in.n);
    printf("     proof %10.1f us  %5.1f %% of all, %.2f ns a byte of code\n", (double)c->prove_ns / 1e3,
           100.0 * (double)c->prove_ns / all, (double)c->prove_ns / (double)c->code.size);
}

/* What a load takes: the module's bytes, which are kept (rt/module.c), and its tables, code
 * with its tables, and what is at work on one function at a time. */
static void report_memory(const struct check *c) {
    size_t largest = 1, code = arena_used(&c->arena) - c->module_bytes, work = c->work_bytes;
    for (u32 i = c->module.imported_funcs; i < c->module.func_count; i++) largest = MAX(largest, c->module.funcs[i].code.n);
    printf("  memory: bytes %zu, tables %zu, code %zu, work %zu: %.1f a byte, work %.1f a byte of the largest function (%zu)\n",
           c->in.n, c->module_bytes, code, work, (double)(c->in.n + c->module_bytes + code + work) / (double)c->in.n,
           (double)work / (double)largest, largest);
}

/* The code with all that lies between functions (type ids, padding) as int3:
 * else the disassembly could lose its step there. Allocated. */
static u8 *code_only(const struct check *c) {
    u8 *out = need(malloc(c->code.code_end + 1));
    memset(out, 0xcc, c->code.code_end);
    for (u32 i = 0; i < c->code.func_count; i++) {
        const struct jit_func *f = &c->code.funcs[i];
        memcpy(out + f->entry, c->code.bytes + f->entry, f->end - f->entry);
    }
    memcpy(out + c->code.thunks_start, c->code.bytes + c->code.thunks_start, c->code.thunks_end - c->code.thunks_start);
    return out;
}

/* objdump's lines, with the functions' names above their entries. */
static void label(const struct check *c, const char *line) {
    char *end;
    unsigned long at = strtoul(line, &end, 16);
    if (end == line || *end != ':') return;
    if (at == c->code.thunks_start) printf("\nglue (thunks, stubs, trap exit):\n");
    for (u32 i = 0; i < c->code.func_count; i++) {
        if (c->code.funcs[i].entry != at) continue;
        u32 index = i + c->module.imported_funcs;
        printf("\nfunction %u ", index);
        print_name(wasm_func_name(&c->module, index));
        printf(" (wasm offset %u, frame %u):\n", c->code.funcs[i].wasm_offset, c->code.funcs[i].frame);
    }
}

static int disassemble(const struct check *c) {
    char path[] = "/tmp/whelk-code-XXXXXX", command[200], line[400];
    int fd = mkstemp(path);
    u8 *code = code_only(c);
    bool ok = fd >= 0 && write_all(fd, code, c->code.code_end);
    free(code);
    if (fd >= 0) close(fd);
    if (!ok) return fail("%s: cannot be written", path);
    snprintf(command, sizeof(command), "objdump -D -b binary -m i386:x86-64 -M intel --no-show-raw-insn %s", path);
    FILE *p = popen(command, "r");
    while (p && fgets(line, sizeof(line), p)) {
        label(c, line);
        if (line[0] == ' ' && !strstr(line, "\tint3")) fputs(line, stdout);
    }
    int status = p ? pclose(p) : -1;
    unlink(path);
    return status ? fail("objdump failed: install binutils for the disassembly") : EXIT_OK;
}

/* --dump or --dump=PASSES: the one option whose value is optional. */
static int take_dump(struct check *c, int argc, char **argv) {
    int kept = 1;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--dump")) c->passes = "BCSLR", c->disassemble = true;
        else if (!strncmp(argv[i], "--dump=", 7)) c->passes = argv[i] + 7, c->disassemble = strchr(c->passes, 'D') != NULL;
        else argv[kept++] = argv[i];
    }
    argv[kept] = NULL;
    return kept;
}

int check_main(int argc, char **argv) {
    struct check k = {.dump = stdout};
    bool quiet = false;
    const struct opt opts[] = {{'q', "quiet", NULL, "say nothing unless it fails", OPT_FLAG, &quiet},
                               {'t', "time", NULL, "what each pass of the compiler and the proof take, and in memory", OPT_FLAG, &k.times}};
    const struct command c = {"whelk check [-q] [--time] [--dump[=PASSES]] FILE.wasm",
                              "Decodes, validates and compiles a module as the kernel would, proves its code safe, and says what it has:\n"
                              "imports, exports, hooks, sizes, times. --dump also shows the intermediate code after\n"
                              "each pass and the disassembly; --dump=PASSES those of the letters: B build, C clean,\n"
                              "S select, L live, R alloc, D disassembly.\n"
                              "Exit status: 0 the kernel would take it, 1 it would not, 2 usage.\n", opts, ARRAY_LEN(opts)};
    argc = take_dump(&k, argc, argv);
    int at = opts_parse(&c, argc, argv);
    if (at < 0) return opts_status(at);
    if (argc - at != 1) return usage("usage: %s", c.usage);
    k.file = argv[at];
    k.in = file_read(k.file);
    if (!k.in.p) return EXIT_FAILED;
    arena_init(&k.arena, &host_heap, 0);
    arena_init(&k.scratch, &host_heap, 0);
    int status = decode(&k);
    if (!status) status = contract_check(k.file, &k.module);
    if (!status) status = compile_and_prove(&k);
    if (!status && !quiet) report(&k);
    if (!status && k.times) report_times(&k);
    if (!status && k.times) report_memory(&k);
    if (!status && k.disassemble) status = disassemble(&k);
    arena_reset(&k.scratch);
    arena_reset(&k.arena);
    return status;
}
