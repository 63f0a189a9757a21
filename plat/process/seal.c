/* seal.c: what the running kernel may ask of the host. */
#include "kern/machine.h"
#include "plat/process/process.h"

bool process_sealed;

bool process_refused(struct host_context *c) { return false; }

void machine_seal(void) {}
