#include "cli/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "cli/cli.h"

enum { STEP = 64 << 10 };

static void make_room(struct queue *q, size_t n) {
    if (q->cap - q->end >= n) return;
    if (q->start) memmove(q->p, q->p + q->start, queue_size(q));
    q->end -= q->start;
    q->start = 0;
    if (q->cap - q->end >= n) return;
    q->cap = (q->end + n) * 2;
    q->p = need(realloc(q->p, q->cap));
}

void queue_put(struct queue *q, const void *p, size_t n) {
    if (!n) return;
    make_room(q, n);
    memcpy(q->p + q->end, p, n);
    q->end += n;
}

void queue_drop(struct queue *q, size_t n) {
    assert(n <= queue_size(q));
    q->start += n;
    if (q->start != q->end) return;
    q->start = q->end = 0;
    if (q->cap > 16 * STEP) queue_free(q);
}

void queue_free(struct queue *q) {
    free(q->p);
    *q = (struct queue){0};
}

static bool later(void) { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

bool queue_fill(struct queue *q, int fd) {
    make_room(q, STEP);
    ssize_t n = recv(fd, q->p + q->end, STEP, MSG_DONTWAIT);
    if (n > 0) q->end += (size_t)n;
    return n > 0 || (n < 0 && later());
}

bool queue_flush(struct queue *q, int fd) {
    while (queue_size(q)) {
        ssize_t n = send(fd, q->p + q->start, queue_size(q), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0) return later();
        queue_drop(q, (size_t)n);
    }
    return true;
}
