/* console.h: byte streams to the host: the named ports of virtio-console
 * (virtio 1.2, 5.3, VIRTIO_CONSOLE_F_MULTIPORT).
 *
 * No byte is lost while the host is connected: input that nobody has read
 * keeps its buffer, so that the host stalls; output waits for a free buffer.
 * Bytes written while the host is away would be thrown away by the device, so
 * the write says ERR_CLOSED instead.
 *
 * Threads: thread context, may block; one reader and one writer at a time
 *   (each direction has a mutex of its own). Deadlines as in kern/wait.h. */
#ifndef WHELK_DEV_CONSOLE_H
#define WHELK_DEV_CONSOLE_H

#include "base/err.h"
#include "base/types.h"
#include "kern/wait.h"

struct console_port;

/* The port of that name ("whelk.ctl"), waiting for it to be announced until the
 * deadline. NULL: there is none. Ports live for ever. */
struct console_port *console_find(const char *name, u64 deadline);

/* Reads 1..cap bytes, as many as are there, into buf; the count to *got.
 * ERR_CLOSED: the host has disconnected; said once for a connection that ended,
 *   also if the next one has begun since. The caller drops what it has of a
 *   half message and goes on with console_wait_host.
 * ERR_AGAIN: deadline. ERR_IO: the device is broken. */
enum err console_read(struct console_port *p, void *buf, size_t cap, size_t *got, u64 deadline);
/* Writes all n bytes. ERR_CLOSED: the host disconnected; ERR_AGAIN: deadline.
 * *done (NULL allowed) says how many bytes went out before an error. */
enum err console_write(struct console_port *p, const void *buf, size_t n, size_t *done, u64 deadline);

/* Waits until the host's side has taken everything written. ERR_AGAIN, ERR_CLOSED. */
enum err console_flush(struct console_port *p, u64 deadline);

bool console_connected(struct console_port *p);
/* Counts the host's connections so far: tells one client from the next. */
u32 console_generation(struct console_port *p);
/* Waits until the host is connected. ERR_AGAIN: deadline; ERR_IO. */
enum err console_wait_host(struct console_port *p, u64 deadline);
/* Woken when any of the above may have changed. */
struct waitq *console_queue(struct console_port *p);

#endif
