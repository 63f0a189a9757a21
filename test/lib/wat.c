#include "test/lib/wat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void die(const char *what) {
    perror(what);
    exit(1);
}

struct bytes read_all(const char *path) {
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END)) die(path);
    long n = ftell(f);
    rewind(f);
    u8 *p = malloc((size_t)n + 1);
    if (!p || fread(p, 1, (size_t)n, f) != (size_t)n) die(path);
    fclose(f);
    return (struct bytes){p, (size_t)n};
}

struct bytes wat(const char *text) {
    char in[] = "/tmp/whelk-wat-XXXXXX", out[64], command[400];
    int fd = mkstemp(in);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) die(in);
    close(fd);
    snprintf(out, sizeof out, "%s.wasm", in);
    /* What wabt cannot read, the tests' own assembler can. */
    snprintf(command, sizeof command,
             "wat2wasm --debug-names --enable-extended-const --enable-multi-memory --enable-memory64 --enable-threads "
             "--enable-tail-call --enable-exceptions -o %s %s 2> /dev/null || python3 test/lib/asm.py %s %s",
             out, in, in, out);
    if (system(command)) die(command);
    struct bytes b = read_all(out);
    unlink(in);
    unlink(out);
    return b;
}
