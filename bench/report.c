/* report.c: samples into medians, a table, JSON lines and a chart. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/harness.h"
#include "cli/cli.h"

enum { SAMPLES = 1024 };

void record_add(struct records *r, const char *bench, const char *engine, const char *metric, const char *unit, double v) {
    struct record *x = (struct record *)(uptr)record_find(r, bench, engine, metric);
    if (!x) {
        r->items = need(realloc(r->items, (r->count + 1) * sizeof *r->items));
        x = &r->items[r->count++];
        *x = (struct record){.engine = engine, .metric = metric, .unit = unit};
        snprintf(x->bench, sizeof x->bench, "%s", bench);
        x->samples = need(malloc(SAMPLES * sizeof(double)));
    }
    if (x->n < SAMPLES) x->samples[x->n++] = v;
}

const struct record *record_find(const struct records *r, const char *bench, const char *engine, const char *metric) {
    for (u32 k = 0; k < r->count; k++) {
        const struct record *x = &r->items[k];
        if (!strcmp(x->bench, bench) && !strcmp(x->engine, engine) && !strcmp(x->metric, metric)) return x;
    }
    return NULL;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double record_median(const struct record *r) {
    double copy[SAMPLES];
    memcpy(copy, r->samples, r->n * sizeof(double));
    qsort(copy, r->n, sizeof(double), ascending);
    return r->n % 2 ? copy[r->n / 2] : (copy[r->n / 2 - 1] + copy[r->n / 2]) / 2;
}

double record_min(const struct record *r) {
    double best = r->samples[0];
    for (u32 k = 1; k < r->n; k++) best = fmin(best, r->samples[k]);
    return best;
}

/* ---- JSON ---- */

static bool in_vm(const char *line) { return strstr(line, "-vm\",") || strstr(line, "-vm-wasi\","); }

/* The lines of path that this run does not replace: those of VMs, or all others. */
static char *others(const struct records *r, const char *path) {
    char line[400], *kept = NULL;
    size_t size;
    FILE *from = fopen(path, "r"), *to = need(open_memstream(&kept, &size));
    bool vm = r->count && strstr(r->items[0].engine, "-vm");
    while (from && fgets(line, sizeof line, from))
        if (in_vm(line) != vm) fputs(line, to);
    if (from) fclose(from);
    fclose(to);
    return need(kept);
}

bool report_json(const struct records *r, const char *path) {
    char *kept = others(r, path);
    FILE *f = fopen(path, "w");
    if (f) fputs(kept, f);
    free(kept);
    if (!f) return !fail("%s: cannot be written", path);
    for (u32 k = 0; k < r->count; k++) {
        const struct record *x = &r->items[k];
        fprintf(f, "{\"bench\":\"%s\",\"engine\":\"%s\",\"metric\":\"%s\",\"unit\":\"%s\",\"median\":%.3f,\"min\":%.3f,\"n\":%u}\n",
                x->bench, x->engine, x->metric, x->unit, record_median(x), record_min(x), x->n);
    }
    return !fclose(f);
}

/* ---- the table ---- */

/* The median of (bench, metric) on an engine, divided by gcc's; 0: none. */
static double ratio(const struct records *r, const char *bench, const char *engine) {
    const struct record *x = record_find(r, bench, engine, "run"), *base = record_find(r, bench, "gcc", "run");
    return x && base ? record_median(x) / record_median(base) : 0;
}

static bool is_program(const struct record *x) { return !strcmp(x->metric, "run") && !strcmp(x->engine, "gcc"); }

/* Programs without vectors in the module, or only those with. */
static bool has_vectors(const char *bench) { return strstr(bench, "_simd") != NULL; }

static double mean(const struct records *r, const char *engine, bool vectors) {
    double sum = 0;
    u32 n = 0;
    for (u32 k = 0; k < r->count; k++) {
        const struct record *x = &r->items[k];
        double v = is_program(x) && has_vectors(x->bench) == vectors ? ratio(r, x->bench, engine) : 0;
        if (v > 0) sum += log(v), n++;
    }
    return n ? exp(sum / n) : 0;
}

static void head(const char *title, const struct engine *engines, u32 count) {
    printf("\n%-26s", title);
    for (u32 k = 0; k < count; k++)
        if (!engines[k].absent) printf(" %11s", engines[k].name);
    printf("\n");
}

static void cell(double v, const char *format) {
    char text[32] = "-";
    if (v > 0) snprintf(text, sizeof text, format, v);
    printf(" %11s", text);
}

static void micro_rows(const struct records *r, const struct engine *engines, u32 count) {
    const char *seen = "";
    head("nanoseconds", engines, count);
    for (u32 k = 0; k < r->count; k++) {
        const struct record *x = &r->items[k];
        char title[80];
        if (!strcmp(x->metric, "run") || !strcmp(x->metric, seen)) continue;
        bool first = true;
        for (u32 i = 0; i < k; i++) first &= strcmp(r->items[i].metric, x->metric) || strcmp(r->items[i].bench, x->bench);
        if (!first) continue;
        snprintf(title, sizeof title, "%s %s", x->metric, x->bench);
        printf("%-26s", title);
        for (u32 e = 0; e < count; e++) {
            const struct record *y = engines[e].absent ? NULL : record_find(r, x->bench, engines[e].name, x->metric);
            if (!engines[e].absent) cell(y ? record_median(y) : 0, y && record_median(y) < 1000 ? "%.2f" : "%.0f");
        }
        printf("\n");
    }
}

static void mean_row(const struct records *r, const struct engine *engines, u32 count, const char *title, bool vectors) {
    printf("%-26s", title);
    for (u32 e = 0; e < count; e++)
        if (!engines[e].absent) cell(mean(r, engines[e].name, vectors), "%.2f");
    printf("\n");
}

void report_table(const struct records *r, const struct engine *engines, u32 count) {
    micro_rows(r, engines, count);
    head("run time, gcc -O2 = 1", engines, count);
    for (u32 k = 0; k < r->count; k++) {
        if (!is_program(&r->items[k])) continue;
        printf("%-26s", r->items[k].bench);
        for (u32 e = 0; e < count; e++)
            if (!engines[e].absent) cell(ratio(r, r->items[k].bench, engines[e].name), "%.2f");
        printf("\n");
    }
    mean_row(r, engines, count, "geometric mean", false);
    mean_row(r, engines, count, "geometric mean, SIMD", true);
}

/* ---- the chart: geometric means as bars ---- */

bool report_svg(const struct records *r, const struct engine *engines, u32 count, const char *path) {
    enum { ROW = 26, LEFT = 110, WIDTH = 640, SCALE = 200 };
    u32 row = 0, rows = 0;
    for (u32 e = 0; e < count; e++) rows += mean(r, engines[e].name, false) > 0;
    FILE *f = fopen(path, "w");
    if (!f) return !fail("%s: cannot be written", path);
    fprintf(f, "<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%u' font-family='sans-serif' font-size='13'>\n", WIDTH,
            (rows + 2) * ROW);
    fprintf(f, "<rect width='100%%' height='100%%' fill='white'/>\n<text x='8' y='18'>run time of the suite, gcc -O2 = 1 (geometric mean; shorter is better)</text>\n");
    for (u32 e = 0; e < count; e++) {
        double value = mean(r, engines[e].name, false);
        if (value <= 0) continue;
        u32 y = ++row * ROW;
        fprintf(f, "<text x='8' y='%u'>%s</text>\n<rect x='%d' y='%u' width='%.0f' height='18' fill='%s'/>\n<text x='%.0f' y='%u'>%.2f</text>\n",
                y + 18, engines[e].name, LEFT, y + 4, fmin(value * SCALE, WIDTH - LEFT - 50),
                strcmp(engines[e].name, "whelk") ? "#9ab" : "#c63", LEFT + 6 + fmin(value * SCALE, WIDTH - LEFT - 50), y + 18, value);
    }
    fprintf(f, "<line x1='%d' x2='%d' y1='%d' y2='%u' stroke='#333' stroke-dasharray='3'/>\n</svg>\n", LEFT + SCALE, LEFT + SCALE, ROW,
            (rows + 1) * ROW);
    return !fclose(f);
}
