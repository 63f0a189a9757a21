/* vring.h: split virtqueue, driver side (virtio 1.2, 2.7). Runs anywhere: the
 * test plays the device on plain memory.
 *
 * The device is not trusted. What the device may write (the used ring) is read
 * once into locals and checked; what the driver needs to know about a buffer
 * (its chain, its length, whose it is) stays in private memory that the device
 * never sees. A device that breaks a rule makes the ring broken: it gives out
 * nothing more, and the driver resets the device.
 *
 * Threads: none of its own; the driver serialises all calls on one ring.
 * Errors: no resources -> ERR_FULL, state unchanged; a broken ring -> ERR_IO. */
#ifndef WHELK_DEV_VRING_H
#define WHELK_DEV_VRING_H

#include "base/err.h"
#include "base/types.h"

enum { VRING_MAX = 256, VRING_ALIGN = 4096 };

/* As in memory, little-endian (virtio 1.2, 2.7.5, 2.7.6, 2.7.8). */
struct vring_desc {
    u64 addr;
    u32 len;
    u16 flags;
    u16 next;
};
struct vring_avail {
    u16 flags;
    u16 idx;
    u16 ring[];
};
struct vring_used_elem {
    u32 id;
    u32 len;
};
struct vring_used {
    u16 flags;
    u16 idx;
    struct vring_used_elem ring[];
};

/* One piece of a buffer: bus address, bytes, and who writes it. */
struct vring_piece {
    u64 addr;
    u32 len;
    bool device_writes;
};

/* What the driver remembers about a descriptor. */
struct vring_slot {
    void *token;   /* of the chain's head; NULL: no chain starts here */
    u32 capacity;  /* bytes that the device may write into the chain */
    u16 next;      /* in the chain or the free list */
    u16 count;     /* descriptors of the chain */
};

struct vring {
    /* fixed after vring_init */
    u16 size; /* a power of two, 1..VRING_MAX */
    volatile struct vring_desc *desc;
    volatile struct vring_avail *avail;
    volatile struct vring_used *used; /* written by the device */
    /* private */
    u16 free_head, free_count;
    u16 avail_idx;  /* what avail->idx is or will be */
    u16 used_idx;   /* how many used entries were taken */
    u16 chains;     /* posted and not yet taken */
    bool broken;
    struct vring_slot slot[VRING_MAX];
};

/* Bytes of the three parts in one block, aligned to VRING_ALIGN: the layout that
 * the legacy interface prescribes (2.7.2) and the modern one allows. */
size_t vring_bytes(u16 size);
/* memory: vring_bytes(size) bytes, VRING_ALIGN-aligned, zeroed here. */
void vring_init(struct vring *r, u16 size, void *memory);
/* Publishes a buffer of n pieces (n >= 1, readable ones first). token != NULL
 * comes back from vring_take. */
enum err vring_post(struct vring *r, const struct vring_piece *piece, u32 n, void *token);
/* The next buffer that the device gave back: its token, and in *written how
 * many bytes the device says it wrote, never more than the buffer can hold.
 * NULL: none, or the ring is (now) broken. */
void *vring_take(struct vring *r, u32 *written);
/* A used buffer is waiting. */
bool vring_pending(const struct vring *r);
/* Must the device be told about what was posted? */
bool vring_wants_kick(const struct vring *r);

/* Whether the device should interrupt when it gives buffers back: a hint. */
void vring_interrupts(struct vring *r, bool on);

#endif
