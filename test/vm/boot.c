/* boot.c: the image gets as far as its own code, and has found what the machine
 * that test/vm/run names on the command line has: "machine=q35 now=SECONDS". */
#include "base/mem.h"
#include "init/init.h"
#include "kern/bootinfo.h"
#include "kern/random.h"
#include "kern/time.h"
#include "test/lib/test.h"

enum { CLOCK_SLACK_S = 30 };

static u64 number(const char *p) {
    u64 v = 0;
    for (; *p >= '0' && *p <= '9'; p++) v = v * 10 + (u64)(*p - '0');
    return v;
}

/* Which tables QEMU's machines have. */
static void check_machine(const char *machine) {
    bool q35 = !memcmp(machine, "q35", 4), pc = !memcmp(machine, "pc", 3);
    EQUAL(bootinfo.ecam.base != 0, q35);
    EQUAL(bootinfo.acpi.power_button, q35 || pc);
    EQUAL(bootinfo.acpi.can_off, q35 || pc);
    EQUAL(bootinfo.mmio_count != 0, !q35 && !pc); /* the command line's, or those of microvm's DSDT */
}

int vm_test(void) {
    char value[32];
    CHECK(option("machine", value, sizeof value));
    check_machine(value);
    CHECK(option("now", value, sizeof value));
    u64 now = number(value), wall = time_wall_ns() / 1000000000;
    CHECK(wall + CLOCK_SLACK_S >= now && wall <= now + CLOCK_SLACK_S);
    CHECK(random_ready()); /* its entropy device was found, or RDSEED */
    return test_end("boot");
}
