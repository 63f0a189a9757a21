/* cli.h: what the verbs of the host command share.
 *
 * Errors: a function that can fail says why on stderr itself ("whelk: ...",
 * naming the file and the remedy) and returns a status; callers pass it on. */
#ifndef WHELK_CLI_CLI_H
#define WHELK_CLI_CLI_H

#include "base/types.h"

/* Exit statuses that scripts may rely on. From EXIT_RUN on they are `whelk
 * run`'s own (as docker's); below that it passes on the program's. */
enum {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_RUN = 125,      /* whelk or QEMU could not run the guest, or the kernel panicked */
    EXIT_NOT_EXEC = 126, /* the program is not one that can run */
    EXIT_NOT_FOUND = 127,
};

/* Prints "whelk: TEXT" to stderr; returns EXIT_FAILED. */
int fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same with a hint at --help; returns EXIT_USAGE. */
int usage(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* malloc, realloc, strdup that end the command when memory is out. */
void *need(void *p);

/* One verb: a line of the table in main.c. argv[0] is the verb. */
struct verb {
    const char *name;
    const char *args;    /* synopsis after the name */
    const char *summary; /* one line */
    int (*main)(int argc, char **argv);
};

/* An option of a verb. Options end at the first word that is none, or at --. */
enum opt_kind { OPT_FLAG /* bool */, OPT_TEXT /* const char * */, OPT_LIST /* struct words */ };
struct words {
    const char **items;
    u32 count;
};
struct opt {
    char letter;       /* 0: none */
    const char *name;  /* without dashes */
    const char *value; /* its name in the help; NULL for flags */
    const char *help;
    enum opt_kind kind;
    void *out;
};
struct command {
    const char *usage; /* "whelk run [OPTIONS] PROGRAM [-- ARGS]" */
    const char *about; /* paragraphs, ended by a newline */
    const struct opt *opts;
    u32 opt_count;
};
/* The index of the first word that is no option (argc if none); -1 after a
 * wrong option, which it has named; -2 after --help, which it has printed. */
int opts_parse(const struct command *c, int argc, char **argv);
/* The same for who needs a word: -1, and the usage, if there is none. */
int opts_operand(const struct command *c, int argc, char **argv);
/* What main returns for a negative result of the two. */
static inline int opts_status(int at) { return at == -2 ? EXIT_OK : EXIT_USAGE; }
void words_add(struct words *w, const char *word);

/* The whole file, allocated; p is NULL after an error, which it has named. */
struct bytes file_read(const char *path);
/* All of it, or an error. */
bool write_all(int fd, const void *p, size_t n);

/* FILE[@HOOK[:EXPORT]]: the parts, allocated. Name: the file's, without folder and .wasm. */
struct ext_spec {
    char *file, *hook, *name;
};
struct ext_spec ext_spec_parse(const char *text);

int run_main(int argc, char **argv);
int ps_main(int argc, char **argv);
int logs_main(int argc, char **argv);
int rm_main(int argc, char **argv);
int completion_main(int argc, char **argv);
int stop_main(int argc, char **argv);
int ext_main(int argc, char **argv);
int trace_main(int argc, char **argv);
int stream_main(int argc, char **argv);
int call_main(int argc, char **argv);
int cp_main(int argc, char **argv);
int wasm_main(int argc, char **argv);
int check_main(int argc, char **argv);
int lines_main(int argc, char **argv);
int gdb_main(int argc, char **argv);
int perf_main(int argc, char **argv);
int bench_main(int argc, char **argv); /* bench/main.c */

#endif
