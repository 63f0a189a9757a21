/* boot.c: the image gets as far as its own code. */
#include "init/init.h"
#include "test/lib/test.h"

int vm_test(void) {
    CHECK(true);
    return test_end("boot");
}
