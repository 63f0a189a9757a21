/* tracer.c: every frame, both ways, as pcap records streamed to the host.
 *   whelk ext load t tracer.wasm ; whelk trace t -w capture.pcap
 * No byte of a frame passes through this module's memory: stream_frame copies
 * it from where it lies. */
#include "whelk.h"

WHELK_MODULE

/* https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap: nanosecond magic,
 * version 2.4, no zone, snap length, Ethernet. */
static const struct {
    whelk_u32 magic;
    whelk_u16 major, minor;
    whelk_u32 zone, accuracy, snap, link;
} header = {0xa1b23c4d, 2, 4, 0, 0, 65535, 1};

WHELK_ON_LOAD { whelk_stream_preamble(&header, sizeof header); }

WHELK_NET_TAP {
    whelk_u64 time = whelk_frame_time();
    whelk_u32 record[4] = {(whelk_u32)(time / 1000000000), (whelk_u32)(time % 1000000000), length, length};
    (void)direction;
    if (!whelk_stream_begin(sizeof record + length)) return;
    whelk_stream_bytes(record, sizeof record);
    whelk_stream_frame(0, length);
    whelk_stream_commit();
}
