/* rng.c: entropy from the host (virtio 1.2, 5.4). Asked once at
 * boot, and by a thread every few minutes.
 *
 * I1 the buffer belongs to the device from post to take, to the thread else. */
#include "base/assert.h"
#include "base/mem.h"
#include "dev/virtio.h"
#include "kern/heap.h"
#include "kern/page.h"
#include "kern/random.h"
#include "kern/thread.h"
#include "kern/time.h"
#include "kern/wait.h"

enum { RNG_BYTES = 64 };
#define RNG_PERIOD_NS (300ull * 1000000000)
#define RNG_FIRST_NS (2ull * 1000000000)

struct rng {
    struct virtio_dev *dev;
    struct virtqueue queue;
    struct waitq wait;
    u8 *buffer;
};

static void on_interrupt(void *arg) {
    struct rng *g = arg;
    virtio_ack(g->dev);
    wait_wake_all(&g->wait);
}

/* One request; false when the device is broken, or silent until the deadline. */
static bool draw(struct rng *g, u64 deadline) {
    struct vring_piece piece = {virt_to_phys(g->buffer).v, RNG_BYTES, true};
    if (vring_post(&g->queue.ring, &piece, 1, g)) return false;
    virtio_kick(&g->queue);
    wait_event(&g->wait, vring_pending(&g->queue.ring), deadline);
    u32 written = 0;
    if (!vring_take(&g->queue.ring, &written)) return false;
    assert(written <= RNG_BYTES);
    random_feed(g->buffer, written);
    memset(g->buffer, 0, RNG_BYTES);
    return true;
}

static void rng_thread(void *arg) {
    struct rng *g = arg;
    do thread_sleep_until(time_mono_ns() + RNG_PERIOD_NS);
    while (draw(g, WAIT_FOREVER));
    virtio_fail(g->dev, "broke the rules of its queue");
}

enum err virtio_rng_probe(struct virtio_dev *d) {
    struct rng *g = kzalloc(sizeof *g);
    if (!g) return ERR_NOMEM;
    g->dev = d;
    waitq_init(&g->wait);
    phys page = page_alloc_zeroed();
    if (!page.v) return ERR_NOMEM;
    g->buffer = phys_to_virt(page);
    enum err e = virtio_negotiate(d, 0);
    if (!e) e = virtio_queue_setup(d, &g->queue, 0, 8);
    if (!e) e = virtio_interrupts(d, on_interrupt, g);
    if (e) return e;
    virtio_start(d);
    /* Now, before anybody asks for random numbers. */
    if (!draw(g, time_mono_ns() + RNG_FIRST_NS)) return ERR_IO;
    struct thread *t;
    return thread_create("rng", rng_thread, g, &t);
}
