/* vring.c: split virtqueue, driver side.
 *
 * I1 free_count + the counts of all posted chains == size.
 * I2 a free descriptor is never reachable by the device through avail.
 * I3 avail->idx moves only after the entries that it publishes are written.
 * I4 nothing is decided by memory that the device may write, but used->idx and
 *    one used element, each read once and checked before use.
 * I5 slot[].next of free descriptors is a list of free_count entries. */
#include "dev/vring.h"

#include "base/assert.h"
#include "base/fault.h"
#include "base/mem.h"

enum { DESC_NEXT = 1, DESC_WRITE = 2 };
enum { AVAIL_BYTES = 4 + 2 /* used_event */, USED_BYTES = 4 + 2 /* avail_event */, NO_NOTIFY = 1, NO_INTERRUPT = 1 };

/* Everything before is visible to the device before anything after. */
static void barrier(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

static size_t used_offset(u16 size) {
    return ALIGN_UP(sizeof(struct vring_desc) * size + AVAIL_BYTES + 2u * size, (size_t)VRING_ALIGN);
}

size_t vring_bytes(u16 size) {
    return ALIGN_UP(used_offset(size) + USED_BYTES + sizeof(struct vring_used_elem) * size,
                    (size_t)VRING_ALIGN);
}

void vring_init(struct vring *r, u16 size, void *memory) {
    assert(size >= 1 && size <= VRING_MAX && !(size & (size - 1)));
    assert(!((uptr)memory % VRING_ALIGN));
    memset(memory, 0, vring_bytes(size));
    memset(r, 0, sizeof *r);
    r->size = size;
    r->desc = memory;
    r->avail = (void *)((u8 *)memory + sizeof(struct vring_desc) * size);
    r->used = (void *)((u8 *)memory + used_offset(size));
    for (u16 i = 0; i < size; i++) r->slot[i].next = i + 1;
    r->free_count = size;
}

/* Fills n descriptors from the free list; returns the first. */
static u16 fill_chain(struct vring *r, const struct vring_piece *piece, u32 n, u32 *capacity) {
    u16 head = r->free_head, at = head;
    for (u32 i = 0; i < n; i++, at = r->slot[at].next) {
        assert(at < r->size);
        u16 flags = (piece[i].device_writes ? DESC_WRITE : 0) | (i + 1 < n ? DESC_NEXT : 0);
        r->desc[at].addr = piece[i].addr;
        r->desc[at].len = piece[i].len;
        r->desc[at].flags = flags;
        r->desc[at].next = i + 1 < n ? r->slot[at].next : 0;
        if (piece[i].device_writes) *capacity += piece[i].len;
    }
    r->free_head = at;
    return head;
}

enum err vring_post(struct vring *r, const struct vring_piece *piece, u32 n, void *token) {
    assert(n >= 1 && token);
    if (r->broken) return ERR_IO;
    if (n > r->free_count) return ERR_FULL;
    u32 capacity = 0;
    u16 head = fill_chain(r, piece, n, &capacity);
    assert(!r->slot[head].token);
    r->slot[head].token = token;
    r->slot[head].capacity = capacity;
    r->slot[head].count = (u16)n;
    r->free_count -= (u16)n;
    r->chains++;
    r->avail->ring[r->avail_idx & (r->size - 1)] = head;
    barrier();
    r->avail->idx = ++r->avail_idx;
    return ERR_OK;
}

/* Puts the chain of head back on the free list; walks private memory only. */
static void free_chain(struct vring *r, u16 head) {
    struct vring_slot *s = &r->slot[head];
    assert(s->token && s->count >= 1 && r->chains);
    u16 last = head;
    for (u16 i = 1; i < s->count; i++) last = r->slot[last].next;
    r->slot[last].next = r->free_head;
    r->free_head = head;
    r->free_count += s->count;
    r->chains--;
    s->token = NULL;
    assert(r->free_count <= r->size);
}

bool vring_pending(const struct vring *r) { return !r->broken && r->used->idx != r->used_idx; }

void *vring_take(struct vring *r, u32 *written) {
    if (r->broken) return NULL;
    u16 ready = (u16)(r->used->idx - r->used_idx);
    if (!ready) return NULL;
    barrier();
    volatile struct vring_used_elem *e = &r->used->ring[r->used_idx & (r->size - 1)];
    u32 id = e->id, len = e->len;
    /* More buffers given back than were posted, one that does not exist or one
     * that is not with the device (a head given back twice, or not a head). */
    if (ready > r->chains || (!fault(RING_INDEX) && id >= r->size) || (!fault(RING_TWICE) && !r->slot[id].token)) {
        r->broken = true;
        return NULL;
    }
    void *token = r->slot[id].token;
    *written = fault(RING_LENGTH) ? len : MIN(len, r->slot[id].capacity);
    free_chain(r, (u16)id);
    r->used_idx++;
    return token;
}

bool vring_wants_kick(const struct vring *r) {
    barrier();
    return !r->broken && !(r->used->flags & NO_NOTIFY);
}

void vring_interrupts(struct vring *r, bool on) {
    r->avail->flags = on ? 0 : NO_INTERRUPT;
    barrier();
}
