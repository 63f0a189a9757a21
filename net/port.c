/* port.c: what lwIP asks of the system under it. */
#include "base/assert.h"
#include "base/fmt.h"
#include "kern/log.h"
#include "kern/random.h"
#include "kern/time.h"
#include "net/glue.h"

#define ERR_OK LWIP_ERR_OK
#include "lwip/sys.h"
#undef ERR_OK

/* Milliseconds, wrapping: lwIP compares differences. */
u32_t sys_now(void) { return (u32)(time_mono_ns() / 1000000); }

/* Ports, sequence numbers and transaction ids. From the kernel's pool; a
 * machine without any entropy has a network all the same, and says so. */
u32 net_random(void) {
    static u32 pool[64], left, said;
    static u64 weak;
    if (!left && random_ready()) {
        random_bytes(pool, sizeof pool);
        left = ARRAY_LEN(pool);
    }
    if (left) return pool[--left];
    if (!said++) log_warn("network: no entropy yet (no virtio-rng, no RDSEED): ports and sequence numbers are guessable");
    weak = (weak ^ time_mono_ns()) * 0x9e3779b97f4a7c15 + 1;
    return (u32)(weak >> 32);
}

/* lwIP looks interfaces up by name ("et0") with atoi, which libc's header turns
 * into this. Decimal digits only. */
long strtol(const char *text, char **end, int base);
long strtol(const char *text, char **end, int base) {
    long v = 0;
    assert(base == 10 && !end);
    for (; *text >= '0' && *text <= '9' && v < 1000; text++) v = v * 10 + (*text - '0');
    return v;
}

u32 net_isn(void) { return net_random(); }

void net_diag(const char *format, ...) {
    char text[160];
    va_list args;
    va_start(args, format);
    vfmt(text, sizeof text, format, args);
    va_end(args);
    log_debug("lwip: %s", text);
}

i64 net_errno(err_t e) {
    static const struct {
        err_t e;
        i64 number;
    } table[] = {
        {ERR_MEM, NET_ENOMEM},     {ERR_BUF, NET_ENOBUFS},     {ERR_TIMEOUT, NET_ETIMEDOUT},
        {ERR_RTE, NET_ENETUNREACH}, {ERR_INPROGRESS, NET_EINPROGRESS}, {ERR_VAL, NET_EINVAL},
        {ERR_WOULDBLOCK, NET_EAGAIN}, {ERR_USE, NET_EADDRINUSE}, {ERR_ALREADY, NET_EALREADY},
        {ERR_ISCONN, NET_EISCONN}, {ERR_CONN, NET_ENOTCONN},   {ERR_IF, NET_ENETDOWN},
        {ERR_ABRT, NET_ECONNABORTED}, {ERR_RST, NET_ECONNRESET}, {ERR_CLSD, NET_ENOTCONN},
        {ERR_ARG, NET_EINVAL},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (table[i].e == e) return -table[i].number;
    return e ? -NET_EIO : 0;
}
