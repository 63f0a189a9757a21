/* knob.c: the seeded bug that the environment names by its number (base/fault.h). */
#include <stdlib.h>

#include "base/fault.h"

int fault_knob;

__attribute__((constructor)) static void seed_fault(void) {
    const char *n = getenv("WHELK_FAULT");
    if (n) fault_knob = atoi(n);
}
