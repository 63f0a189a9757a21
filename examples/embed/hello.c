/* hello.c: a program that runs a module: the least that an embedder writes.
 *
 *   cc hello.c $(pkg-config --cflags --libs whelk-wasm) -o hello
 *   wat2wasm hello.wat && ./hello hello.wasm */
#include <stdio.h>
#include <stdlib.h>
#include <wasm.h>

enum { MEMORY, ADD, GREET, FAIL, EXPORTS }; /* in the module's order */

static void die(const char *what) {
    fprintf(stderr, "hello: %s\n", what);
    exit(1);
}

static void read_file(const char *path, wasm_byte_vec_t *out) {
    FILE *f = path ? fopen(path, "rb") : NULL;
    if (!f || fseek(f, 0, SEEK_END)) die("cannot read the module");
    wasm_byte_vec_new_uninitialized(out, (size_t)ftell(f));
    rewind(f);
    if (fread(out->data, 1, out->size, f) != out->size) die("cannot read the module");
    fclose(f);
}

/* say(at, n): a text in the module's memory, which env leads to. */
static wasm_trap_t *say(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    wasm_memory_t *memory = *(wasm_memory_t **)env;
    size_t at = (uint32_t)args->data[0].of.i32, n = (uint32_t)args->data[1].of.i32;
    (void)results;
    if (at <= wasm_memory_data_size(memory) && n <= wasm_memory_data_size(memory) - at)
        printf("host: %.*s\n", (int)n, wasm_memory_data(memory) + at);
    return NULL;
}

static void call(const wasm_extern_t *function, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    wasm_trap_t *trap = wasm_func_call(wasm_extern_as_func_const(function), args, results);
    if (!trap) return;
    wasm_message_t message;
    wasm_trap_message(trap, &message);
    printf("module: %s\n", message.data);
    wasm_byte_vec_delete(&message);
    wasm_trap_delete(trap);
}

int main(int argc, char **argv) {
    wasm_engine_t *engine = wasm_engine_new();
    wasm_store_t *store = wasm_store_new(engine);
    wasm_byte_vec_t bytes;
    read_file(argc > 1 ? argv[1] : NULL, &bytes);
    wasm_module_t *module = wasm_module_new(store, &bytes);
    wasm_byte_vec_delete(&bytes);
    if (!module) die("the module is not valid");

    wasm_memory_t *memory = NULL;
    wasm_functype_t *type = wasm_functype_new_2_0(wasm_valtype_new_i32(), wasm_valtype_new_i32());
    wasm_func_t *host = wasm_func_new_with_env(store, type, say, &memory, NULL);
    wasm_functype_delete(type);

    wasm_extern_t *given[] = {wasm_func_as_extern(host)};
    wasm_extern_vec_t imports = WASM_ARRAY_VEC(given), exports;
    wasm_instance_t *instance = wasm_instance_new(store, module, &imports, NULL);
    if (!instance) die("the module does not link");
    wasm_instance_exports(instance, &exports);
    if (exports.size != EXPORTS) die("another module");
    memory = wasm_extern_as_memory(exports.data[MEMORY]);

    wasm_val_t numbers[] = {WASM_I32_VAL(40), WASM_I32_VAL(2)}, sum[] = {WASM_INIT_VAL};
    wasm_val_vec_t args = WASM_ARRAY_VEC(numbers), results = WASM_ARRAY_VEC(sum), none = WASM_EMPTY_VEC;
    call(exports.data[ADD], &args, &results);
    printf("module: %d\n", sum[0].of.i32);
    call(exports.data[GREET], &none, &none);
    call(exports.data[FAIL], &none, &none);

    wasm_extern_vec_delete(&exports);
    wasm_instance_delete(instance);
    wasm_func_delete(host);
    wasm_module_delete(module);
    wasm_store_delete(store);
    wasm_engine_delete(engine);
    return 0;
}
