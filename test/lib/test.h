/* test.h: the smallest harness. A test is a function; a check that fails
 * prints where and what, and the program goes on; main returns 1 in the end.
 * The last line of a program is "NAME: N passed, N failed". */
#ifndef WHELK_TEST_LIB_TEST_H
#define WHELK_TEST_LIB_TEST_H

#include "base/types.h"

void test_check(bool ok, const char *what, const char *file, int line);
void test_equal(u64 have, u64 want, const char *what, const char *file, int line);
void test_text(const char *have, const char *want, const char *what, const char *file, int line);
/* Prints the summary; the exit status of main. */
int test_end(const char *name);

#define CHECK(e) test_check((e), #e, __FILE__, __LINE__)
#define EQUAL(have, want) test_equal((u64)(have), (u64)(want), #have " == " #want, __FILE__, __LINE__)
#define EQUAL_TEXT(have, want) test_text((have), (want), #have, __FILE__, __LINE__)

/* An arena source on malloc. */
struct arena_source;
extern const struct arena_source test_heap;

#endif
