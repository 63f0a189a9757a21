/* wasi_tracer.c: a plain WASI program. It knows nothing of Whelk: its handler
 * finds one frame on standard input and writes a pcap file with stdio.
 *   whelk ext load t wasi_tracer.wasm@net.tap:handle
 * The file is /trace/wasi.pcap in the guest. While a frame is handled the
 * real-time clock stands at the moment when it was seen. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct header {
    uint32_t magic;
    uint16_t major, minor;
    uint32_t zone, accuracy, snap, link;
};
struct record {
    uint32_t seconds, nanoseconds, kept, length;
};

static FILE *file;

static void begin(void) {
    static const struct header header = {0xa1b23c4d, 2, 4, 0, 0, 65535, 1};
    file = fopen("/trace/wasi.pcap", "wb");
    if (!file) {
        perror("/trace/wasi.pcap");
        abort();
    }
    fwrite(&header, sizeof header, 1, file);
}

__attribute__((export_name("handle"))) void handle(void) {
    static uint8_t frame[65536];
    struct timespec now;
    if (!file) begin();
    /* read, not fread: end of file of one record is not the end of the next. */
    ssize_t n = read(STDIN_FILENO, frame, sizeof frame);
    if (n <= 0) return;
    clock_gettime(CLOCK_REALTIME, &now);
    struct record r = {(uint32_t)now.tv_sec, (uint32_t)now.tv_nsec, (uint32_t)n, (uint32_t)n};
    fwrite(&r, sizeof r, 1, file);
    fwrite(frame, (size_t)n, 1, file);
}

/* stdio holds the last bytes back: unloading calls this. */
__attribute__((export_name("whelk.unload"))) void finish(void) {
    if (file && fclose(file)) perror("/trace/wasi.pcap");
    file = NULL;
}
