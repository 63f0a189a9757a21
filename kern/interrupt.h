/* interrupt.h: interrupts and faults, for the kernel's own parts and init/. */
#ifndef WHELK_KERN_INTERRUPT_H
#define WHELK_KERN_INTERRUPT_H

#include "arch/x86_64/trap.h"
#include "base/types.h"

void irq_init(void); /* plat/: the controllers */
bool irq_expected(u64 vector); /* the timer's, or one with a handler */
void irq_dispatch(struct trap_frame *frame, u64 vector);
/* What the running interrupt handler (a timer's fn, say) interrupted; it may
 * be rewritten. NULL outside handlers. */
struct trap_frame *irq_interrupted(void);

/* The engine's part of a fault: true if it was a trap of a module, and the
 * frame now leads to the trap exit. Interrupts off. */
typedef bool trap_engine_handler(struct trap_frame *frame, uptr address);
trap_engine_handler *trap_set_engine_handler(trap_engine_handler *h); /* the old one */
/* For a panic: the extension that the CPU was in, or NULL. Any context. */
void panic_set_describe(const char *(*extension)(void));
/* Names code that is not the kernel's, as fmt; 0: unknown. Any context. */
void panic_set_names(size_t (*name)(uptr at, char *out, size_t cap));
_Noreturn void panic_frame(const struct trap_frame *frame, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The function that holds address, and the offset in it; NULL if none. */
const char *symbol_at(uptr address, u64 *offset);

#endif
