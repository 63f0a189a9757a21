/* main.c: the verbs on one screen, and help. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static const struct verb verbs[] = {
    {"run", "[OPTIONS] PROGRAM [-- ARGS]", "boot a program in a Whelk virtual machine", run_main},
    {"ps", "[-a] [-q] [--json]", "list the guests", ps_main},
    {"logs", "[-f] [-n LINES] NAME", "the console of a guest in the background", logs_main},
    {"stop", "NAME", "shut a guest down in order", stop_main},
    {"rm", "[-f] NAME ...", "forget guests that have ended", rm_main},
    {"ext", "load|ls|stat|resume|unload NAME ...", "the extensions of a running guest", ext_main},
    {"trace", "NAME [-w FILE|-]", "capture a guest's packets while it runs", trace_main},
    {"stream", "NAME EXT", "write what an extension streams", stream_main},
    {"call", "NAME EXT [EXPORT] [-i FILE]", "call an extension", call_main},
    {"cp", "NAME:PATH DEST", "copy a file out of a guest", cp_main},
    {"gdb", "NAME|FOLDER [GDB-OPTION ...]", "gdb on a running guest, or on what a panic left", gdb_main},
    {"perf", "NAME [PERF-COMMAND ...]", "perf on a guest that is a process, with the names of compiled code", perf_main},
    {"wasm", "[OPTIONS] FILE.wasm [-- ARGS]", "run a WASI program in this process", wasm_main},
    {"check", "[--dump[=PASSES]] FILE.wasm", "validate, compile and prove a module on the host", check_main},
    {"lines", "FILE.wasm [FUNCTION+OFFSET ...]", "source lines for the backtraces of traps", lines_main},
    {"completion", "bash", "a script that completes words in a shell", completion_main},
    {"bench", "[OPTIONS]", "measure the engine beside native code and other engines", bench_main},
};

static void help(FILE *to) {
    fprintf(to, "whelk: run programs in a unikernel that can be extended while it runs\n\n"
                "usage: whelk VERB [OPTIONS] ...\n\n");
    for (u32 i = 0; i < ARRAY_LEN(verbs); i++)
        fprintf(to, "  %-10s %-36s %s\n", verbs[i].name, verbs[i].args, verbs[i].summary);
    fprintf(to, "\n`whelk VERB --help` tells more. Exit status: 0 done, 1 failed, 2 wrong usage;\n"
                "`whelk run`: the program's status, or 125 to 127 (see its help).\n");
}

int main(int argc, char **argv) {
    if (argc < 2) {
        help(stderr);
        return EXIT_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        help(stdout);
        return EXIT_OK;
    }
    for (u32 i = 0; i < ARRAY_LEN(verbs); i++)
        if (!strcmp(argv[1], verbs[i].name)) return verbs[i].main(argc - 1, argv + 1);
    return usage("no verb '%s'", argv[1]);
}
