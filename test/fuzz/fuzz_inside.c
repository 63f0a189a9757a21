/* fuzz_inside.c: /dev/whelk: a program opens it, talks (test/fuzz/talk.h) and
 * closes it, again and again; its functions are called by what it loads. */
#include "base/assert.h"
#include "ext/inside.h"
#include "test/ext/kernel.h"
#include "test/fuzz/talk.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t n);

static struct talk talk;
static u32 opened, ended;

static void count_end(void *self) { ended++; }

int LLVMFuzzerTestOneInput(const u8 *data, size_t n) {
    static const struct inside_port port = {talk_read, talk_write, count_end, &talk};
    static bool begun;
    if (!begun) talk_init();
    begun = true;
    talk_start(&talk, data, n);
    talk.ends_answered = true; /* refused: the host's */
    while (!talk_ended(&talk)) {
        enum err e = inside_open(&port);
        assert(!e);
        opened++;
        kernel_run_thread();
    }
    talk_over(&talk);
    assert(ended == opened);
    return 0;
}
