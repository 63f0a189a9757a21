/* console.c: streams over virtio-console ports. The ports' control messages
 * are in console_control.c.
 *
 * I1 an input buffer is with the device, or is the port's current one: it goes
 *    back only when its last byte was read.
 * I2 an output buffer is with the device or on the free stack.
 * I3 reader state is under read_lock, writer state under write_lock; what the
 *    control thread writes (open, opens, name) is single words, set before a wake. */
#include "dev/console_port.h"

#include "base/assert.h"
#include "base/mem.h"
#include "kern/time.h"

bool console_connected(struct console_port *p) { return __atomic_load_n(&p->open, __ATOMIC_ACQUIRE); }
u32 console_generation(struct console_port *p) { return __atomic_load_n(&p->opens, __ATOMIC_ACQUIRE); }
struct waitq *console_queue(struct console_port *p) { return &p->wait; }

static bool broken(struct console_port *p) {
    return p->console->dead || p->rx.ring.broken || p->tx.ring.broken;
}

enum err console_wait_host(struct console_port *p, u64 deadline) {
    wait_event(&p->wait, console_connected(p) || broken(p), deadline);
    if (broken(p)) return ERR_IO;
    return console_connected(p) ? ERR_OK : ERR_AGAIN;
}

enum err console_give_input(struct console_port *p, struct console_buffer *b) {
    struct vring_piece piece = {virt_to_phys(b->memory).v, CONSOLE_BUFFER_BYTES, true};
    return vring_post(&p->rx.ring, &piece, 1, b);
}

/* The next input buffer with bytes in it becomes the current one. */
static bool fetch(struct console_port *p) {
    u32 written;
    while (!p->current) {
        struct console_buffer *b = vring_take(&p->rx.ring, &written);
        if (!b) return false;
        b->length = written, b->at = 0;
        if (written) p->current = b;
        else console_give_input(p, b);
    }
    return true;
}

static size_t take_bytes_in(struct console_port *p, u8 *to, size_t cap) {
    size_t n = 0;
    while (n < cap && fetch(p)) {
        struct console_buffer *b = p->current;
        size_t part = MIN(cap - n, (size_t)(b->length - b->at));
        memcpy(to + n, b->memory + b->at, part);
        n += part, b->at += (u32)part;
        assert(b->at <= b->length);
        if (b->at < b->length) continue;
        p->current = NULL;
        if (!console_give_input(p, b)) virtio_kick(&p->rx);
    }
    return n;
}

static bool input_pending(struct console_port *p) { return p->current || vring_pending(&p->rx.ring); }

/* The reader's place in the row of connections. false: none is there to read,
 * or the one that was being read has ended (said once). */
static bool in_session(struct console_port *p) {
    u32 now = console_generation(p);
    bool open = console_connected(p);
    if (p->in_session && (p->reading != now || (!open && !input_pending(p)))) {
        p->in_session = false;
        return false;
    }
    if (!p->in_session && p->reading == now) return false;
    p->in_session = true;
    p->reading = now;
    return true;
}

static enum err read_locked(struct console_port *p, u8 *buf, size_t cap, size_t *got, u64 deadline) {
    for (;;) {
        if (broken(p)) return ERR_IO;
        if (!in_session(p)) return ERR_CLOSED;
        if ((*got = take_bytes_in(p, buf, cap))) return ERR_OK;
        if (!wait_event(&p->wait,
                        input_pending(p) || console_generation(p) != p->reading ||
                            !console_connected(p) || broken(p),
                        deadline))
            return ERR_AGAIN;
    }
}

enum err console_read(struct console_port *p, void *buf, size_t cap, size_t *got, u64 deadline) {
    assert(cap);
    *got = 0;
    mutex_lock(&p->read_lock);
    enum err e = read_locked(p, buf, cap, got, deadline);
    mutex_unlock(&p->read_lock);
    return e;
}

static void reclaim(struct console_port *p) {
    u32 written;
    for (struct console_buffer *b; (b = vring_take(&p->tx.ring, &written));) {
        assert(p->tx_free_count < CONSOLE_BUFFERS);
        p->tx_free[p->tx_free_count++] = b;
    }
}

/* One more free output buffer than now, or the reason why not. */
static enum err wait_for_buffer(struct console_port *p, u32 generation, u64 deadline) {
    if (!wait_event(&p->wait,
                    vring_pending(&p->tx.ring) || !console_connected(p) ||
                        console_generation(p) != generation || broken(p),
                    deadline))
        return ERR_AGAIN;
    if (broken(p)) return ERR_IO;
    if (!console_connected(p) || console_generation(p) != generation) return ERR_CLOSED;
    reclaim(p);
    return ERR_OK;
}

static enum err send_piece(struct console_port *p, const u8 *from, u32 n) {
    struct console_buffer *b = p->tx_free[--p->tx_free_count];
    memcpy(b->memory, from, n);
    struct vring_piece piece = {virt_to_phys(b->memory).v, n, false};
    if (vring_post(&p->tx.ring, &piece, 1, b)) {
        p->tx_free[p->tx_free_count++] = b;
        return ERR_IO;
    }
    virtio_kick(&p->tx);
    return ERR_OK;
}

static enum err write_locked(struct console_port *p, const u8 *from, size_t n, size_t *done, u64 deadline) {
    u32 generation = console_generation(p);
    while (*done < n) {
        if (!console_connected(p) || console_generation(p) != generation) return ERR_CLOSED;
        reclaim(p);
        if (!p->tx_free_count) {
            enum err e = wait_for_buffer(p, generation, deadline);
            if (e) return e;
            continue;
        }
        u32 part = (u32)MIN(n - *done, (size_t)CONSOLE_BUFFER_BYTES);
        enum err e = send_piece(p, from + *done, part);
        if (e) return e;
        *done += part;
    }
    return ERR_OK;
}

enum err console_write(struct console_port *p, const void *buf, size_t n, size_t *done, u64 deadline) {
    size_t count = 0;
    mutex_lock(&p->write_lock);
    enum err e = write_locked(p, buf, n, &count, deadline);
    mutex_unlock(&p->write_lock);
    if (done) *done = count;
    return e;
}

enum err console_flush(struct console_port *p, u64 deadline) {
    enum err e = ERR_OK;
    mutex_lock(&p->write_lock);
    u32 generation = console_generation(p);
    reclaim(p);
    while (!e && p->tx.ring.chains) e = wait_for_buffer(p, generation, deadline);
    mutex_unlock(&p->write_lock);
    return e;
}
