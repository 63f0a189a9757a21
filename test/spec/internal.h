/* internal.h: what the files of the runner share. */
#ifndef WHELK_TEST_SPEC_INTERNAL_H
#define WHELK_TEST_SPEC_INTERNAL_H

#include "base/cursor.h"
#include "test/spec/runner.h"

enum spec_kind {
    SPEC_MODULE = 1,
    SPEC_REGISTER,
    SPEC_ACTION,
    SPEC_RETURN,
    SPEC_TRAP,
    SPEC_EXHAUSTION,
    SPEC_INVALID,
    SPEC_MALFORMED,
    SPEC_UNLINKABLE,
    SPEC_UNINSTANTIABLE,
    SPEC_INSTANCE,
    SPEC_EXCEPTION,
    SPEC_KIND_COUNT,
};

enum { FLAG_DEFERRED = 1, FLAG_DEFINITION = 2, FLAG_MISSING = 4 };

enum spec_pattern {
    PATTERN_I32 = 1,
    PATTERN_I64,
    PATTERN_F32,
    PATTERN_F64,
    PATTERN_CANONICAL32,
    PATTERN_ARITHMETIC32,
    PATTERN_CANONICAL64,
    PATTERN_ARITHMETIC64,
    PATTERN_NULL,
    PATTERN_EXTERN,
    PATTERN_FUNC,
    PATTERN_EXTERN_ANY,
    PATTERN_OTHER,
    PATTERN_V128,
    PATTERN_EITHER,
};

enum { SPEC_LANES = 4 };

struct spec_value {
    u8 pattern;
    u64 bits;
    /* V128 */
    u64 high;
    u8 width;             /* bytes of a lane; 0: all is compared */
    u8 lanes[SPEC_LANES]; /* 0 exact, 1 canonical, 2 arithmetic */
    struct cursor others; /* EITHER: over bits values */
};

enum { MAX_NAMED = 256, MAX_VALUES = 64 };

/* What a name (or "", the latest) stands for. instance is NULL for a module
 * that was deferred or refused; definition is set for (module definition). */
struct spec_named {
    struct bytes name;
    struct rt_instance *instance;
    struct rt_module *definition;
};

struct spec_run {
    const struct spec_options *options;
    struct spec_counts counts;
    /* the script: */
    struct bytes name;
    u32 line;
    struct cursor c;
    struct rt_store *store;
    struct rt_linker *linker;
    struct spec_named latest, named[MAX_NAMED];
    u32 named_count;
    struct bytes missing[MAX_NAMED]; /* registered names of deferred modules */
    u32 missing_count;
};

void spec_print(struct spec_run *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
void spec_passed(struct spec_run *r);
void spec_skipped(struct spec_run *r);
void spec_failed(struct spec_run *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Readers of the pack, which our own converter wrote: they cannot fail. */
u8 spec_u8(struct cursor *c);
u32 spec_u32(struct cursor *c);
struct bytes spec_text(struct cursor *c);
struct bytes spec_blob(struct cursor *c);
struct spec_value spec_value(struct cursor *c);
bool spec_same(struct bytes a, struct bytes b);

/* Actions and their assertions. */
void spec_action(struct spec_run *r, enum spec_kind kind);
/* Modules and their assertions. */
void spec_module(struct spec_run *r);
void spec_register(struct spec_run *r);
void spec_instance(struct spec_run *r);
void spec_refusal(struct spec_run *r, enum spec_kind kind);
struct spec_named *spec_find(struct spec_run *r, struct bytes name);

/* Defines the module "spectest". */
enum err spec_define_host(struct spec_run *r);

#endif
