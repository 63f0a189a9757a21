/* port.h: I/O ports of devices, for drivers. Any context. */
#ifndef WHELK_KERN_PORT_H
#define WHELK_KERN_PORT_H

#include "arch/x86_64/cpu.h"

static inline u8 port_read8(u16 port) { return inb(port); }
static inline u16 port_read16(u16 port) { return inw(port); }
static inline u32 port_read32(u16 port) { return inl(port); }
static inline void port_write8(u16 port, u8 v) { outb(port, v); }
static inline void port_write16(u16 port, u16 v) { outw(port, v); }
static inline void port_write32(u16 port, u32 v) { outl(port, v); }

#endif
