/* record.c: a reactor whose handler finds one record on standard input per
 * call and appends it to a file with stdio, as a packet tracer would. */
#include <stdio.h>
#include <unistd.h>

static FILE *out;

__attribute__((export_name("handle"))) void handle(void) {
    static char record[2048];
    unsigned n = (unsigned)fread(record, 1, sizeof record, stdin);
    clearerr(stdin); /* each record ends with end of file */
    if (!out) out = fopen("/data/log", "w");
    fwrite(&n, sizeof n, 1, out);
    fwrite(record, 1, n, out);
    fflush(out);
}

__attribute__((export_name("say"))) void say(void) { fprintf(stderr, "hello %s\n", "log"); }
