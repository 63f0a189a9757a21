/* pci.h: functions on PCI buses, found and described (PCI Local Bus 3.0, 6;
 * PCI Express Base 3.0, 7.2.2 for ECAM).
 *
 * Threads: the thread that boots; the address of configuration space that is
 *   reached by ports is shared state.
 * The device is not trusted: offsets and sizes from configuration space are
 * checked against what the windows really hold. */
#ifndef WHELK_DEV_PCI_H
#define WHELK_DEV_PCI_H

#include "base/err.h"
#include "base/types.h"
#include "kern/irq.h"

struct pci_function {
    u8 bus, slot, function;
    u16 vendor, device, subsystem;
};

enum { PCI_CAP_VENDOR = 0x09, PCI_CAP_MSIX = 0x11 };

/* Calls each with every function that answers; buses behind bridges too. */
void pci_each(void (*each)(const struct pci_function *f));
/* bus << 8 | slot << 3 | function, as messages show it. */
u32 pci_address(const struct pci_function *f);

/* at: an offset below 256; its low bits select within the 32-bit word. */
u32 pci_read32(const struct pci_function *f, u32 at);
u8 pci_read8(const struct pci_function *f, u32 at);
void pci_write32(const struct pci_function *f, u32 at, u32 v);

/* Where the nth capability of that kind (from 0) begins; 0: there is none. */
u32 pci_capability(const struct pci_function *f, u8 kind, u32 nth);

/* What a base address register shows. */
struct pci_window {
    u64 base, size; /* size 0: nothing, or nowhere (the firmware gave it no address) */
    bool ports;
};
struct pci_window pci_window(const struct pci_function *f, u32 index);
/* Maps [offset, offset + bytes) of a window of memory. NULL: not inside, or no memory. */
volatile u8 *pci_map(const struct pci_function *f, u32 index, u64 offset, u64 bytes);

/* Lets the function answer at its windows and reach memory. */
void pci_enable(const struct pci_function *f);
/* MSI-X, all entries masked. The table; NULL: the function cannot, or is broken. */
volatile u32 *pci_msix_enable(const struct pci_function *f);
/* Entry 0 of the table calls fn(arg) from now on. */
enum err pci_msix_route(volatile u32 *table, irq_handler *fn, void *arg);

#endif
