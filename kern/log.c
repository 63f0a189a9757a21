/* log.c: formats a line on the stack, then gives it to the ring and the console.
 *
 * I1 a line is written whole: interrupts are off while it goes out.
 * I2 the ring keeps the newest LOG_RING bytes, for a post-mortem in a debugger. */
#include "kern/log.h"

#include "arch/x86_64/cpu.h"
#include "base/fmt.h"
#include "kern/machine.h"
#include "kern/time.h"

enum { LOG_RING = 16384, LOG_LINE = 256, LOG_REPORT = 8192 };

static struct {
    u64 written; /* bytes since boot; the next goes to ring[written % LOG_RING] */
    char ring[LOG_RING];
} log_ring;

static enum log_level log_limit = LOG_INFO;

void log_set_level(enum log_level level) { log_limit = level; }

static void keep(const char *p, size_t n) {
    for (size_t i = 0; i < n; i++) log_ring.ring[log_ring.written++ % LOG_RING] = p[i];
}

void log_line(enum log_level level, const char *format, ...) {
    static const char letters[] = "EWID";
    char line[LOG_LINE];
    u64 us = time_mono_ns() / 1000;
    size_t n = fmt(line, sizeof line, "[%3u.%06u] %c ", (u32)(us / 1000000), (u32)(us % 1000000),
                   letters[level]);
    va_list args;
    va_start(args, format);
    n += vfmt(line + n, sizeof line - n, format, args);
    va_end(args);
    n = MIN(n, sizeof line - 2); /* a long line is cut, never split */
    line[n++] = '\n';
    u64 flags = irq_save();
    keep(line, n);
    if (level <= log_limit) machine_console_write(line, n);
    irq_restore(flags);
}

void log_report(void (*say)(const char *format, ...)) {
    u64 end = log_ring.written, at = end > LOG_REPORT ? end - LOG_REPORT : 0;
    for (; at > 0 && at < end && log_ring.ring[(at - 1) % LOG_RING] != '\n'; at++) continue; /* from a line's start */
    for (u64 n; at < end; at += n) {
        n = MIN(end - at, 128);
        n = MIN(n, LOG_RING - at % LOG_RING);
        say("%.*s", (int)n, log_ring.ring + at % LOG_RING);
    }
}
