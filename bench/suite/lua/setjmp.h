/* setjmp.h: Lua without jumps, for every contestant alike: Debian's wasi-libc
 * has none. An error of the script ends the program. ldo.c lets these be set. */
#ifndef WHELK_BENCH_SUITE_LUA_SETJMP_H
#define WHELK_BENCH_SUITE_LUA_SETJMP_H

#define luai_makeseed(L) 42 /* not the time */
#define luai_jmpbuf int
#define LUAI_THROW(L, c) __builtin_trap()
#define LUAI_TRY(L, c, a) \
    {                     \
        a                 \
    }

#endif
