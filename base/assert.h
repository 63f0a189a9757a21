/* assert.h: always on. assert() states what our own code guarantees; it never
 * checks input and never checks a resource. The embedder (kernel, host
 * command, tests) provides assert_fail. */
#ifndef WHELK_BASE_ASSERT_H
#define WHELK_BASE_ASSERT_H

_Noreturn void assert_fail(const char *what, const char *file, int line);

#undef assert
#define assert(e) ((e) ? (void)0 : assert_fail(#e, __FILE__, __LINE__))
#define unreachable() assert_fail("unreachable", __FILE__, __LINE__)
#ifndef static_assert
#define static_assert _Static_assert
#endif

#endif
