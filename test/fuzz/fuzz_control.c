/* fuzz_control.c: the control channel: hosts come, talk (test/fuzz/talk.h) and
 * go. Whatever they say, each request gets one answer, frames go out whole, and
 * once everything is unloaded, memory is back where it was. */
#include "base/assert.h"
#include "ext/control.h"
#include "test/ext/kernel.h"
#include "test/fuzz/talk.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t n);

static struct talk talk;

static enum err next_host(void *self) { return talk_ended(&talk) ? ERR_IO : ERR_OK; }

static void begin(void) {
    static const struct control_config port = {.read = talk_read, .write = talk_write, .wait_host = next_host, .self = &talk};
    talk_init();
    enum err e = control_start(&port);
    assert(!e);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t n) {
    static bool begun;
    if (!begun) begin();
    begun = true;
    talk_start(&talk, data, n);
    kernel_thread(NULL); /* control's: until no host comes any more */
    talk_over(&talk);
    return 0;
}
