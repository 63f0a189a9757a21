/* wat.h: text modules for tests, through wabt's wat2wasm. */
#ifndef WHELK_TEST_LIB_WAT_H
#define WHELK_TEST_LIB_WAT_H

#include "base/types.h"

/* Assembles; the bytes are malloc'd. Ends the test program when wat2wasm
 * refuses: the text is ours. */
struct bytes wat(const char *text);
/* A whole file, malloc'd; ends the program when it cannot be read. */
struct bytes read_all(const char *path);

#endif
