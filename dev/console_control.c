/* console_control.c: set-up of a virtio console and its control messages
 * (virtio 1.2, 5.3.6.2). One thread for each device.
 *
 * I1 control messages are copied before they are looked at; ids out of range,
 *    short messages and unknown events are ignored.
 * I2 a port that was announced stays; its name is set once. */
#include "base/assert.h"
#include "base/mem.h"
#include "dev/console_port.h"
#include "kern/heap.h"
#include "kern/log.h"
#include "kern/thread.h"

#define VIRTIO_CONSOLE_F_MULTIPORT (1ull << 1)
enum { CONFIG_MAX_PORTS = 4 /* offset of le32 max_nr_ports */ };
enum { QUEUE_CONTROL_RX = 2, QUEUE_CONTROL_TX = 3 };
enum { SLOT_BYTES = 128, SLOTS = 16 };
enum event {
    DEVICE_READY = 0,
    PORT_ADD = 1,
    PORT_REMOVE = 2,
    PORT_READY = 3,
    CONSOLE_PORT = 4,
    PORT_OPEN = 6,
    PORT_NAME = 7,
};
struct message {
    u32 id;
    u16 event, value;
};
static_assert(sizeof(struct message) == 8, "virtio 1.2, 5.3.6.2");

static struct list consoles = LIST_INIT(consoles); /* grows at boot only */
static struct waitq named = WAITQ_INIT(named);

static bool same_name(const struct console_port *p, const char *name) {
    return p->added && p->name[0] && !strcmp(p->name, name);
}

static struct console_port *look_up(const char *name) {
    LIST_EACH(it, &consoles) {
        struct console *c = LIST_ENTRY(it, struct console, node);
        for (u32 i = 0; i < c->ports; i++)
            if (same_name(&c->port[i], name)) return &c->port[i];
    }
    return NULL;
}

struct console_port *console_find(const char *name, u64 deadline) {
    struct console_port *p = NULL;
    if (consoles.next == &consoles) return NULL; /* all devices are known by now */
    wait_event(&named, (p = look_up(name)) != NULL, deadline);
    return p;
}

static void die(struct console *c, const char *why) {
    c->dead = true;
    virtio_fail(c->dev, why);
    for (u32 i = 0; i < c->ports; i++) wait_wake_all(&c->port[i].wait);
}

static void tell(struct console *c, u32 id, enum event event, u16 value) {
    struct message *m = (void *)(c->control_memory + SLOTS * SLOT_BYTES);
    *m = (struct message){id, (u16)event, value};
    struct vring_piece piece = {virt_to_phys(m).v, sizeof *m, false};
    if (vring_post(&c->control_tx.ring, &piece, 1, m)) return;
    virtio_kick(&c->control_tx);
    wait_event(&c->wait, vring_pending(&c->control_tx.ring), WAIT_FOREVER);
    u32 written;
    vring_take(&c->control_tx.ring, &written);
}

static void on_open(struct console_port *p, bool open) {
    if (open == p->open) return;
    if (open) __atomic_add_fetch(&p->opens, 1, __ATOMIC_RELEASE);
    __atomic_store_n(&p->open, open, __ATOMIC_RELEASE);
    wait_wake_all(&p->wait);
}

static void on_name(struct console_port *p, struct bytes name) {
    if (p->name[0]) return;
    /* QEMU counts the closing zero, others do not. */
    while (name.n && !name.p[name.n - 1]) name.n--;
    if (!name.n || name.n >= sizeof p->name) return;
    memcpy(p->name, name.p, name.n);
    log_info("console port %u: %s", p->id, p->name);
    wait_wake_all(&named);
}

static void on_message(struct console *c, struct message m, struct bytes rest) {
    if (m.event == PORT_ADD && m.id >= c->ports) return tell(c, m.id, PORT_READY, 0);
    if (m.id >= c->ports) return;
    struct console_port *p = &c->port[m.id];
    switch (m.event) {
    case PORT_ADD:
        p->added = true;
        tell(c, m.id, PORT_READY, 1);
        tell(c, m.id, PORT_OPEN, 1);
        break;
    case PORT_REMOVE: on_open(p, false); break;
    case PORT_OPEN: on_open(p, m.value != 0); break;
    case PORT_NAME: on_name(p, rest); break;
    default: break;
    }
}

static bool post_slot(struct console *c, u8 *slot) {
    struct vring_piece piece = {virt_to_phys(slot).v, SLOT_BYTES, true};
    return !vring_post(&c->control_rx.ring, &piece, 1, slot);
}

static void control_thread(void *arg) {
    struct console *c = arg;
    tell(c, 0, DEVICE_READY, 1);
    for (;;) {
        wait_event(&c->wait, vring_pending(&c->control_rx.ring), WAIT_FOREVER);
        u8 copy[SLOT_BYTES];
        u32 n = 0;
        u8 *slot = vring_take(&c->control_rx.ring, &n);
        if (!slot) break;
        memcpy(copy, slot, SLOT_BYTES);
        if (!post_slot(c, slot)) break;
        virtio_kick(&c->control_rx);
        struct message m;
        if (n < sizeof m || n > SLOT_BYTES) continue;
        memcpy(&m, copy, sizeof m);
        on_message(c, m, (struct bytes){copy + sizeof m, n - sizeof m});
    }
    die(c, "broke the rules of its control queue");
}

static void on_interrupt(void *arg) {
    struct console *c = arg;
    virtio_ack(c->dev);
    wait_wake_all(&c->wait);
    for (u32 i = 0; i < c->ports; i++) wait_wake_all(&c->port[i].wait);
}

static enum err make_buffers(struct console_buffer *b) {
    for (u32 i = 0; i < CONSOLE_BUFFERS; i++) {
        phys page = page_alloc_zeroed();
        if (!page.v) return ERR_NOMEM;
        b[i].memory = phys_to_virt(page);
    }
    return ERR_OK;
}

/* Port 0 has queues 0 and 1; 2 and 3 are control; port n has 2n + 2, 2n + 3. */
static enum err set_up_port(struct console *c, u32 id) {
    struct console_port *p = &c->port[id];
    u16 first = (u16)(id ? 2 * id + 2 : 0);
    p->console = c;
    p->id = id;
    waitq_init(&p->wait);
    mutex_init(&p->read_lock);
    mutex_init(&p->write_lock);
    enum err e = virtio_queue_setup(c->dev, &p->rx, first, CONSOLE_BUFFERS);
    if (!e) e = virtio_queue_setup(c->dev, &p->tx, first + 1, CONSOLE_BUFFERS);
    if (!e) e = make_buffers(p->rx_buffer);
    if (!e) e = make_buffers(p->tx_buffer);
    if (e) return e;
    for (u32 i = 0; i < MIN((u32)CONSOLE_BUFFERS, (u32)p->rx.ring.size); i++)
        console_give_input(p, &p->rx_buffer[i]);
    for (u32 i = 0; i < MIN((u32)CONSOLE_BUFFERS, (u32)p->tx.ring.size); i++)
        p->tx_free[p->tx_free_count++] = &p->tx_buffer[i];
    return ERR_OK;
}

static enum err set_up(struct console *c) {
    enum err e = virtio_negotiate(c->dev, VIRTIO_CONSOLE_F_MULTIPORT);
    if (e) return e;
    if (!(c->dev->features & VIRTIO_CONSOLE_F_MULTIPORT)) return ERR_UNSUPPORTED;
    u32 max = 0;
    virtio_config(c->dev, CONFIG_MAX_PORTS, &max, sizeof max);
    if (!max) return ERR_MALFORMED;
    c->ports = MIN(max, (u32)CONSOLE_PORTS);
    phys page = page_alloc_zeroed();
    if (!page.v) return ERR_NOMEM;
    c->control_memory = phys_to_virt(page);
    e = virtio_queue_setup(c->dev, &c->control_rx, QUEUE_CONTROL_RX, SLOTS);
    if (!e) e = virtio_queue_setup(c->dev, &c->control_tx, QUEUE_CONTROL_TX, SLOTS);
    for (u32 i = 0; i < c->ports && !e; i++) e = set_up_port(c, i);
    for (u32 i = 0; i < SLOTS && !e; i++)
        if (!post_slot(c, c->control_memory + i * SLOT_BYTES)) break; /* a smaller ring */
    return e ? e : virtio_interrupts(c->dev, on_interrupt, c);
}

enum err virtio_console_probe(struct virtio_dev *d) {
    struct console *c = kzalloc(sizeof *c);
    if (!c) return ERR_NOMEM;
    c->dev = d;
    waitq_init(&c->wait);
    enum err e = set_up(c);
    if (e) return e;
    virtio_start(d);
    virtio_kick(&c->control_rx);
    for (u32 i = 0; i < c->ports; i++) virtio_kick(&c->port[i].rx);
    list_push_back(&consoles, &c->node);
    struct thread *t;
    return thread_create("console", control_thread, c, &t);
}
