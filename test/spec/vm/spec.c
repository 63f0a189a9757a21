/* spec.c: the official suite in ring 0. The pack is part of the image. */
#include "init/engine.h"
#include "init/init.h"
#include "kern/machine.h"
#include "test/spec/runner.h"

__asm__(".section .rodata\n.balign 16\nspec_pack: .incbin \"build/spec/pack.bin\"\nspec_pack_end:\n.previous");
extern const u8 spec_pack[], spec_pack_end[];

static void print(const char *text, size_t n) { machine_console_write(text, n); }

int vm_test(void) {
    struct spec_options o = {.engine = engine(), .print = print, .label = "spec: "};
    struct spec_counts counts;
    if (!o.engine) return 1;
    bool ok = spec_run(&o, (struct bytes){spec_pack, (size_t)(spec_pack_end - spec_pack)}, &counts);
    return ok ? 0 : 1;
}
