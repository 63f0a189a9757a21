/* log.h: the kernel's log. Any context. Lines go to the serial console and a ring. */
#ifndef WHELK_KERN_LOG_H
#define WHELK_KERN_LOG_H

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Lines above this level go to the ring only. At boot: LOG_INFO. */
void log_set_level(enum log_level level);

/* The newest lines of the ring, for a panic: it may be half written. */
void log_report(void (*say)(const char *format, ...));

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)

#endif
