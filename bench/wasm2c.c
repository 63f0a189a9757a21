/* wasm2c.c: beside a program that wasm2c turned into C: run(n) as a native
 * program has it. WITH_WASI: whatever it imports answers EBADF. */
#include "program.h"

static Z_m_instance_t instance;

#ifdef WITH_WASI
__attribute__((used)) static unsigned refuse(void) { return 8; }
#define IMPORT(name) \
    __asm__(".globl Z_wasi_snapshot_preview1Z_" #name "\n.set Z_wasi_snapshot_preview1Z_" #name ", refuse")
IMPORT(clock_time_get);
IMPORT(fd_close);
IMPORT(fd_fdstat_get);
IMPORT(fd_fdstat_set_flags);
IMPORT(fd_prestat_dir_name);
IMPORT(fd_prestat_get);
IMPORT(fd_read);
IMPORT(fd_renumber);
IMPORT(fd_seek);
IMPORT(fd_write);
IMPORT(path_open);
IMPORT(proc_exit);
#endif

__attribute__((visibility("default"))) unsigned run(unsigned n) {
    static int ready;
    if (!ready) {
        wasm_rt_init();
        Z_m_init_module();
#ifdef WITH_WASI
        Z_m_instantiate(&instance, 0);
#else
        Z_m_instantiate(&instance);
#endif
        Z_mZ__initialize(&instance);
        ready = 1;
    }
    return Z_mZ_run(&instance, n);
}
