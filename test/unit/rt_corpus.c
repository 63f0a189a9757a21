/* The corpus of hostile modules (test/hostile/make.py): each ends as its line of
 * the index says, with a message, and with memory as it was. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "test/lib/engine.h"
#include "test/lib/test.h"
#include "test/lib/wat.h"

static struct test_engine T;

static const char *const names[] = {
#define X(name, text) #name,
    ERRS(X)
#undef X
};

/* Loads and instantiates with an extension's limits. */
static enum err attempt(struct bytes b, struct rt_error *error) {
    static const struct rt_limits limits = {.memory_bytes = 16 << 20, .table_elements = 1 << 20, .load_bytes = 512 << 20, .stack_bytes = 256 << 10};
    struct rt_module *m = NULL;
    struct rt_store *s;
    struct rt_instance *i;
    enum abi_trap trap;
    enum err e = rt_module_load(T.engine, b, &limits, &m, error);
    if (e) return e;
    EQUAL(rt_store_new(T.engine, &limits, &s), ERR_OK);
    e = rt_instantiate(s, m, NULL, &i, &trap, error);
    rt_store_free(s);
    rt_module_free(m);
    return e;
}

static void one(const char *file, const char *outcome, const char *word) {
    char path[200];
    struct rt_error error = {0};
    snprintf(path, sizeof path, "build/hostile/%s", file);
    struct bytes b = read_all(path);
    size_t bytes = T.bytes, spaces = T.spaces;
    enum err e = attempt(b, &error);
    rt_engine_trim(T.engine);
    bool as_said = !strcmp(outcome, "*") || !strcmp(outcome, names[e]);
    bool told = !e || (error.text[0] && (!strcmp(word, "-") || !strcmp(outcome, "*") || strstr(error.text, word)));
    bool whole = T.bytes <= bytes && T.spaces <= spaces;
    if (!as_said || !told || !whole)
        printf("%s: %s \"%s\", want %s \"%s\"; %zu bytes and %zu areas more\n", file, names[e], error.text, outcome, word,
               T.bytes - bytes, T.spaces - spaces);
    CHECK(as_said);
    CHECK(told);
    CHECK(whole);
    free((void *)(uptr)b.p);
}

int main(void) {
    FILE *index = fopen("build/hostile/index", "r");
    char line[300];
    u32 count = 0;
    if (!index) {
        printf("build/hostile/index is missing: make hostile\n");
        return 1;
    }
    test_engine_open(&T);
    struct rt_error error;
    struct bytes warm = wat("(module (memory 1) (func))"); /* what an engine keeps once and for all */
    for (u32 k = 0; k < 3; k++) EQUAL(attempt(warm, &error), ERR_OK);
    rt_engine_trim(T.engine);
    free((void *)(uptr)warm.p);
    while (fgets(line, sizeof line, index)) {
        char *file = strtok(line, " "), *outcome = strtok(NULL, " "), *word = strtok(NULL, "\n");
        one(file, outcome, word);
        count++;
    }
    fclose(index);
    CHECK(count > 150);
    test_engine_close(&T);
    return test_end("rt_corpus");
}
