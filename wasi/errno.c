/* errno.c: Linux's numbers to WASI's. A number without a twin is EIO. */
#include "wasi/internal.h"

u32 wasi_errno_of(i64 r) {
    if (r >= 0) return WASI_OK;
    switch (-r) {
#define X(name, wasi, linux_number) case linux_number ? linux_number : -1: return WASI_##name;
        WASI_ERRNOS(X)
#undef X
    default: return WASI_EIO;
    }
}
