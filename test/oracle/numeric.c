/* numeric.c: WebAssembly 2.0, 4.3, as directly as C can say it. Plain switches
 * by opcode; the compiler's own semantics are used only where C defines them. */
#include <math.h>
#include <string.h>

#include "test/oracle/oracle.h"

