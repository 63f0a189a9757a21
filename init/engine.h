/* engine.h: the Wasm engine on this machine. */
#ifndef WHELK_INIT_ENGINE_H
#define WHELK_INIT_ENGINE_H

#include "rt/rt.h"

struct rt_engine *engine(void); /* NULL if it could not start */
/* Calls tick from the timer interrupt, every so many nanoseconds, with the
 * interrupted registers: true means that it rewrote them. NULL: no more. */
void engine_on_tick(bool (*tick)(struct rt_regs *regs), u64 every_ns);
/* What compiled code lies where, as perf's map: as fmt. */
size_t engine_code_map(char *out, size_t cap);
/* Host functions that every module may be granted: env.now. */
enum err engine_define(struct rt_linker *l);

#endif
