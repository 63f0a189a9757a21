/* sweep.c, for test/e2e/soak: removes what the WASI tracers wrote, when it is unloaded. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

__attribute__((export_name("handle"))) void handle(void) {}

__attribute__((export_name("whelk.unload"))) void sweep(void) {
    static const char *const files[] = {"/trace/wasi.pcap", "/trace/rust.pcap"};
    for (unsigned i = 0; i < sizeof files / sizeof *files; i++)
        if (unlink(files[i]) && errno != ENOENT) perror(files[i]);
}
