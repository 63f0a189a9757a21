/* console_port.h: the inside of a virtio console: its ports and their buffers.
 * For dev/console*.c only. */
#ifndef WHELK_DEV_CONSOLE_PORT_H
#define WHELK_DEV_CONSOLE_PORT_H

#include "dev/console.h"
#include "dev/virtio.h"
#include "kern/lock.h"
#include "kern/page.h"

enum { CONSOLE_PORTS = 4, CONSOLE_BUFFERS = 16, CONSOLE_BUFFER_BYTES = PAGE_SIZE, CONSOLE_NAME = 32 };

struct console_buffer {
    u8 *memory; /* CONSOLE_BUFFER_BYTES */
    u32 length, at;
};

struct console_port {
    /* fixed after set-up */
    struct console *console;
    u32 id;
    struct virtqueue rx, tx;
    struct console_buffer rx_buffer[CONSOLE_BUFFERS], tx_buffer[CONSOLE_BUFFERS];
    struct waitq wait;
    /* written by the control thread */
    bool added;
    bool open;              /* the host's side */
    u32 opens;              /* how often it was opened */
    char name[CONSOLE_NAME]; /* "" until told */
    /* under read_lock */
    struct mutex read_lock;
    struct console_buffer *current;
    u32 reading;            /* the connection (opens) that the reader knows */
    bool in_session;        /* and its end was not yet reported */
    /* under write_lock */
    struct mutex write_lock;
    struct console_buffer *tx_free[CONSOLE_BUFFERS];
    u32 tx_free_count;
};

struct console {
    struct list node;
    struct virtio_dev *dev;
    u32 ports;              /* that we serve: 1..CONSOLE_PORTS */
    bool dead;
    /* control thread only */
    struct virtqueue control_rx, control_tx;
    struct waitq wait;
    u8 *control_memory;     /* one page: input slots, then one output slot */
    struct console_port port[CONSOLE_PORTS];
};

/* Posts b for input. */
enum err console_give_input(struct console_port *p, struct console_buffer *b);

#endif
