/* irq.c: which handler an interrupt belongs to.
 *
 * I1 handlers[i] is written before its line is unmasked, or its message known to
 *    a device, and never again. */
#include "kern/irq.h"

#include "arch/x86_64/apic.h"
#include "arch/x86_64/percpu.h"
#include "base/assert.h"
#include "kern/clock.h"
#include "kern/interrupt.h"
#include "kern/lock.h"
#include "kern/log.h"

enum { MESSAGES = 64 };
static_assert(VECTOR_GSI + IOAPIC_PINS <= VECTOR_MESSAGE && VECTOR_MESSAGE + MESSAGES < VECTOR_SPURIOUS, "vectors");

/* Lines first, then messages: index + VECTOR_GSI is the vector. */
static struct {
    irq_handler *fn;
    void *arg;
} handlers[VECTOR_MESSAGE - VECTOR_GSI + MESSAGES];
static struct spin lock;
static u32 messages; /* under lock */

enum err irq_register(u32 gsi, bool level, irq_handler *fn, void *arg) {
    if (!ioapic_has(gsi)) return ERR_NOT_FOUND;
    u64 flags = spin_lock(&lock);
    bool taken = handlers[gsi].fn;
    if (!taken) {
        handlers[gsi].arg = arg;
        handlers[gsi].fn = fn;
        ioapic_route(gsi, (u8)(VECTOR_GSI + gsi), level);
    }
    spin_unlock(&lock, flags);
    return taken ? ERR_EXISTS : ERR_OK;
}

enum err irq_register_message(irq_handler *fn, void *arg, struct irq_message *out) {
    u64 flags = spin_lock(&lock);
    u32 i = VECTOR_MESSAGE - VECTOR_GSI + messages;
    bool free = messages < MESSAGES;
    if (free) {
        messages++;
        handlers[i].arg = arg;
        handlers[i].fn = fn;
    }
    spin_unlock(&lock, flags);
    if (!free) return ERR_FULL;
    *out = (struct irq_message){apic_message_address(), VECTOR_GSI + i};
    return ERR_OK;
}

bool irq_expected(u64 vector) {
    if (vector == VECTOR_TIMER || vector == VECTOR_SPURIOUS) return true;
    return vector >= VECTOR_GSI && vector < VECTOR_GSI + ARRAY_LEN(handlers) && handlers[vector - VECTOR_GSI].fn;
}

struct trap_frame *irq_interrupted(void) { return this_cpu()->irq_frame; }

void irq_dispatch(struct trap_frame *frame, u64 vector) {
    struct percpu *c = this_cpu();
    if (vector == VECTOR_SPURIOUS) return; /* no end-of-interrupt: SDM 3A, 11.9 */
    struct trap_frame *outer = c->irq_frame;
    c->irq_frame = frame;
    if (vector == VECTOR_TIMER) clock_interrupt();
    else if (irq_expected(vector)) handlers[vector - VECTOR_GSI].fn(handlers[vector - VECTOR_GSI].arg);
    else log_warn("interrupt: vector %u has no handler", (u32)vector);
    c->irq_frame = outer;
    apic_end_of_interrupt();
}
