/* harness.h: what the parts of `whelk bench` share.
 *
 * An engine runs programs of the suite (bench/suite) and micro benchmarks
 * (enum metric). It is one of the table in main.c; what it cannot do is NULL.
 * Errors: a function that can fail says why on stderr and returns false; an
 * engine that is not there says so in `absent` and is left out, never faked.
 * I1 every sample is nanoseconds of one operation, taken in turn with the other engines'.
 * I2 a program's checksum is compared with gcc's before its time counts. */
#ifndef WHELK_BENCH_HARNESS_H
#define WHELK_BENCH_HARNESS_H

#include <stdio.h>

#include "base/types.h"

/* What is measured besides the programs' `run`: the name is that of bench.json. */
#define BENCH_METRICS(X)                                                   \
    X(COMPILE_TINY, "compile", "tiny")                                     \
    X(FIRST_CALL, "first_call", "tiny") /* bytes to the first call's return */ \
    X(COMPILE_FILTER, "compile", "filter")                                 \
    X(INSTANTIATE, "instantiate", "tiny") /* create */                     \
    X(DESTROY, "destroy", "tiny")                                          \
    X(LIFE, "life", "tiny") /* create, first call that writes, destroy */  \
    X(LIFE_CPU, "life_cpu", "tiny") /* the same: all CPU time, user and system */ \
    X(CREATE_CPU, "create_cpu", "tiny") /* of which creating */            \
    X(CALL, "call", "micro")                                               \
    X(CALL2, "call2", "micro") /* two arguments, a result */               \
    X(HOSTCALL, "hostcall", "micro")                                       \
    X(INDIRECT, "indirect", "micro")

enum metric {
#define X(id, name, bench) METRIC_##id,
    BENCH_METRICS(X)
#undef X
    METRIC_COUNT
};

struct program {
    char name[32];
    u32 n;
};

struct engine {
    const char *name;   /* as in bench.json */
    const char *where;  /* programs: build/bench/<where>/NAME.so; peers: the command */
    const char *flags;  /* of a peer */
    bool (*start)(struct engine *);
    /* Makes p the program that run calls. ns: of compiling it, -1 if unknown. */
    bool (*load)(struct engine *, const struct program *p, double *compile_ns);
    bool (*run)(struct engine *, u32 n, u32 *sum, double *ns);
    void (*unload)(struct engine *);
    bool (*compile)(struct engine *, const struct program *p, double *ns);
    bool (*micro)(struct engine *, enum metric m, double *ns); /* false: it has none such */
    void (*stop)(struct engine *);
    const char *absent; /* why it is left out */
    void *state;
};

/* Samples of one (bench, engine, metric). */
struct record {
    char bench[32];
    const char *engine, *metric, *unit;
    double *samples;
    u32 n;
};

struct records {
    struct record *items;
    u32 count;
};

struct options {
    const char *dir;  /* build/bench */
    const char *only; /* names, comma-separated; NULL: all */
    u32 rounds;
};

extern struct options bench_options;

bool bench_wanted(const char *name);
u64 bench_now(void);
const char *metric_name(enum metric m);
const char *metric_bench(enum metric m);

/* report.c */
void record_add(struct records *r, const char *bench, const char *engine, const char *metric, const char *unit, double v);
const struct record *record_find(const struct records *r, const char *bench, const char *engine, const char *metric);
double record_median(const struct record *r);
double record_min(const struct record *r);
void report_table(const struct records *r, const struct engine *engines, u32 count);
/* Lines of other engines' kind (inside a VM, outside) stay as they are. */
bool report_json(const struct records *r, const char *path);
bool report_svg(const struct records *r, const struct engine *engines, u32 count, const char *path);

/* native.c: shared objects: gcc, clang, wasm2c. */
bool native_start(struct engine *e);
bool native_load(struct engine *e, const struct program *p, double *compile_ns);
bool native_run(struct engine *e, u32 n, u32 *sum, double *ns);
void native_unload(struct engine *e);
bool native_micro(struct engine *e, enum metric m, double *ns);

/* engine.c, micro.c: Whelk, in this process. */
struct rt_engine;
struct rt_engine *whelk_engine(void);
struct bytes whelk_file(const char *folder, const char *name);
bool whelk_start(struct engine *e);
bool whelk_load(struct engine *e, const struct program *p, double *compile_ns);
bool whelk_run(struct engine *e, u32 n, u32 *sum, double *ns);
void whelk_unload(struct engine *e);
bool whelk_compile(struct engine *e, const struct program *p, double *ns);
bool whelk_micro(struct engine *e, enum metric m, double *ns);
void whelk_stop(struct engine *e);
void micro_stop(void);

/* peer.c: engines in processes of their own: node, bun (bench/peer.mjs), wizer. */
bool peer_start(struct engine *e);
bool peer_load(struct engine *e, const struct program *p, double *compile_ns);
bool peer_run(struct engine *e, u32 n, u32 *sum, double *ns);
void peer_unload(struct engine *e);
bool peer_compile(struct engine *e, const struct program *p, double *ns);
bool peer_micro(struct engine *e, enum metric m, double *ns);
void peer_stop(struct engine *e);
bool wizer_start(struct engine *e);
bool wizer_load(struct engine *e, const struct program *p, double *compile_ns);
bool wizer_run(struct engine *e, u32 n, u32 *sum, double *ns);
bool wizer_compile(struct engine *e, const struct program *p, double *ns);

#endif
