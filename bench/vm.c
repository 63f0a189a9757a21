/* vm.c: `whelk bench --vm`: what the kernel measures inside a VM (bench/vm), as instructions
 * under QEMU's -icount, or as times where KVM is real.
 *
 * I1 lines of the guests are samples only if they are whole and of known names. */
#include "bench/vm.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/harness.h"
#include "cli/cli.h"
#include "cli/kvm.h"

enum { SAMPLES_MOST = 4096 };

/* whelk-vm: in the kernel, as an extension; the others: the program, as WASI module and natively. */
static const char *const engines[] = {"whelk-vm", "whelk-vm-wasi", "gcc-vm"};
static const char *const benches[] = {"tiny", "filter", "micro", "dhrystone"};

struct sample {
    const char *metric, *bench, *engine;
    double ticks;
    u32 operations;
    bool is_ns; /* else cycles of the TSC */
};

struct session {
    bool counting; /* instructions */
    bool warm;     /* past a guest's first round */
    double cycles, ns; /* the same span by both clocks */
    const char *sum;
    bool wrong;
    u32 count;
    struct sample samples[SAMPLES_MOST];
};

static const char *one_of(const char *const *names, u32 count, const char *name) {
    for (u32 i = 0; i < count; i++)
        if (!strcmp(names[i], name)) return names[i];
    return NULL;
}

static const char *known_metric(const char *name) {
    for (u32 m = 0; m < METRIC_COUNT; m++)
        if (!strcmp(metric_name((enum metric)m), name)) return metric_name((enum metric)m);
    return strcmp(name, "run") ? NULL : "run";
}

static void take_sample(struct session *s, const char *line, bool is_ns) {
    char metric[32], bench[32], engine[32];
    struct sample x = {.is_ns = is_ns};
    if (sscanf(line, "%31s %31s %31s %lf %u", metric, bench, engine, &x.ticks, &x.operations) != 5 || !x.operations) return;
    x.metric = known_metric(metric);
    x.bench = one_of(benches, ARRAY_LEN(benches), bench);
    x.engine = one_of(engines, ARRAY_LEN(engines), engine);
    if (x.metric && x.bench && x.engine && s->warm && s->count < SAMPLES_MOST) s->samples[s->count++] = x;
}

/* Every Dhrystone answers the same. */
static void take_sum(struct session *s, const char *sum) {
    if (!s->sum) s->sum = need(strdup(sum));
    s->wrong |= strcmp(s->sum, sum) != 0;
}

static void take_line(struct session *s, char *line) {
    char *at = strstr(line, "bench");
    u32 round;
    if (!at) return;
    line[strcspn(line, "\r\n")] = 0;
    if (sscanf(at, "bench: round %u", &round) == 1) s->warm = round > 0;
    else if (!strncmp(at, "bench: sum ", 11)) take_sum(s, at + 11);
    else if (!strncmp(at, "bench: clock ", 13)) sscanf(at + 13, "%lf %lf", &s->cycles, &s->ns);
    else if (!strncmp(at, "bench: ", 7)) take_sample(s, at + 7, false);
    else if (!strncmp(at, "bench-ns: ", 10)) take_sample(s, at + 10, true);
}

/* `whelk run` of this very command; its console is read. argv ends with NULL. */
static bool run_guest(struct session *s, const char *const *argv) {
    char line[512];
    int out[2], status = 0;
    if (pipe(out)) return !fail("pipe");
    fflush(NULL);
    pid_t pid = fork();
    if (!pid) {
        dup2(out[1], 1);
        close(out[0]);
        execv("/proc/self/exe", (char *const *)(uptr)argv);
        _exit(EXIT_RUN);
    }
    close(out[1]);
    FILE *f = need(fdopen(out[0], "r"));
    s->warm = false;
    while (fgets(line, sizeof line, f)) take_line(s, line);
    fclose(f);
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status))
        return !fail("the guest ended with status %d", WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_RUN);
    fprintf(stderr, ".");
    return true;
}

static bool run_all(struct session *s) {
    char image[300], program[300], module[300], rounds[24], word[16];
    const char *accel = s->counting ? "icount" : "kvm";
    snprintf(image, sizeof image, "%s/vm/image.elf", bench_options.dir);
    snprintf(program, sizeof program, "%s/vm/dhrystone", bench_options.dir);
    snprintf(module, sizeof module, "%s/vm/dhrystone.wasm", bench_options.dir);
    snprintf(rounds, sizeof rounds, "rounds=%u", bench_options.rounds);
    snprintf(word, sizeof word, "%u", bench_options.rounds);
    if (access(image, R_OK) || access(program, R_OK) || access(module, R_OK))
        return !fail("%s: no image to boot: `make bench-vm-images` first, from the top of the tree", image);
    const char *const native[] = {"whelk", "run", "--accel", accel, "--ip", "off", "--crash-dir", "none", "--kernel", image,
                                  "--append", rounds, program, "--", "dhrystone", "gcc-vm", word, NULL};
    const char *const wasi[] = {"whelk", "run", "--accel", accel, "--ip", "off", "--crash-dir", "none", module, "--",
                                "dhrystone", "whelk-vm-wasi", word, NULL};
    bool ok = run_guest(s, native) && run_guest(s, wasi);
    fprintf(stderr, "\n");
    if (ok && (s->wrong || s->cycles <= 0 || s->ns <= 0)) return !fail("the guests' answers do not agree: not counted");
    return ok;
}

/* --- from ticks to what is reported --- */

static void convert(const struct session *s, struct records *r) {
    double per_ns = s->cycles / s->ns;
    for (u32 i = 0; i < s->count; i++) {
        const struct sample *x = &s->samples[i];
        double cycles = x->is_ns ? x->ticks * per_ns : x->ticks;
        record_add(r, x->bench, x->engine, x->metric, s->counting ? "instructions" : "ns",
                   (s->counting ? cycles : cycles / per_ns) / x->operations);
    }
}

static bool is_first(const struct records *r, u32 at) {
    for (u32 i = 0; i < at; i++)
        if (!strcmp(r->items[i].metric, r->items[at].metric) && !strcmp(r->items[i].bench, r->items[at].bench)) return false;
    return true;
}

static void table(const struct records *r, const char *unit) {
    char title[80];
    printf("\n%-26s", unit);
    for (u32 e = 0; e < ARRAY_LEN(engines); e++) printf(" %14s", engines[e]);
    for (u32 k = 0; k < r->count; k++) {
        const struct record *x = &r->items[k];
        if (!is_first(r, k)) continue;
        snprintf(title, sizeof title, "%s %s", x->metric, x->bench);
        printf("\n%-26s", title);
        for (u32 e = 0; e < ARRAY_LEN(engines); e++) {
            const struct record *y = record_find(r, x->bench, engines[e], x->metric);
            if (y) printf(" %14.*f", record_median(y) < 1000 ? 2 : 0, record_median(y));
            else printf(" %14s", "-");
        }
    }
    printf("\n");
}

int bench_vm(void) {
    static struct session s;
    struct records r = {0};
    char path[300];
    s.counting = kvm_probe() != KVM_REAL;
    fprintf(stderr, "bench: %s\n", s.counting ? "instructions, by QEMU's -icount: KVM is not real here" : "times, by KVM");
    if (!run_all(&s)) return EXIT_FAILED;
    convert(&s, &r);
    table(&r, s.counting ? "instructions" : "nanoseconds");
    snprintf(path, sizeof path, "%s.json", bench_options.dir);
    return report_json(&r, path) ? EXIT_OK : EXIT_FAILED;
}
