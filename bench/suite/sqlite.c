/* sqlite.c: SQLite (Debian's source package, the amalgamation as it is) on a
 * database in memory: inserts, an index, joins, aggregates, updates, n times.
 * It has no operating system below it: a VFS that can open nothing. */
#include <string.h>

#include "bench.h"
#include "sqlite3.h"

static int no_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out) { return SQLITE_CANTOPEN; }
static int no_delete(sqlite3_vfs *v, const char *name, int sync) { return SQLITE_OK; }
static int no_access(sqlite3_vfs *v, const char *name, int flags, int *out) { return *out = 0; }
static int same_path(sqlite3_vfs *v, const char *name, int n, char *out) {
    sqlite3_snprintf(n, out, "%s", name);
    return SQLITE_OK;
}
static int no_random(sqlite3_vfs *v, int n, char *out) {
    memset(out, 42, (size_t)n);
    return n;
}
static int no_sleep(sqlite3_vfs *v, int us) { return us; }
static int no_time(sqlite3_vfs *v, double *now) {
    *now = 2460000.5;
    return SQLITE_OK;
}

static sqlite3_vfs vfs = {.iVersion = 1, .szOsFile = (int)sizeof(sqlite3_file), .mxPathname = 64, .zName = "none",
                          .xOpen = no_open, .xDelete = no_delete, .xAccess = no_access, .xFullPathname = same_path,
                          .xRandomness = no_random, .xSleep = no_sleep, .xCurrentTime = no_time};

int sqlite3_os_init(void) { return sqlite3_vfs_register(&vfs, 1); }
int sqlite3_os_end(void) { return SQLITE_OK; }

static const char *const schema =
    "CREATE TABLE host(id INTEGER PRIMARY KEY, name TEXT, weight REAL);"
    "CREATE TABLE flow(id INTEGER PRIMARY KEY, host INTEGER, bytes INTEGER, note TEXT);"
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 100)"
    " INSERT INTO host SELECT x, 'host-' || (x * 7919 % 1000), x * 0.5 FROM c;"
    "BEGIN;";
static const char *const insert =
    "INSERT INTO flow(host, bytes, note) VALUES(?1 % 100 + 1, ?1 * 2654435761 % 65536, 'n' || ?1)";
static const char *const work[] = {
    "COMMIT; CREATE INDEX by_bytes ON flow(bytes, host)",
    "SELECT sum(h.weight * f.bytes) FROM flow f JOIN host h ON f.host = h.id WHERE f.bytes > 30000",
    "SELECT count(DISTINCT note) + max(length(note)) FROM flow WHERE note LIKE '%9%'",
    "SELECT sum(n) FROM (SELECT host, count(*) * avg(bytes) AS n FROM flow GROUP BY host HAVING n > 1 ORDER BY n DESC)",
    "UPDATE flow SET bytes = bytes + 1 WHERE host IN (SELECT id FROM host WHERE name LIKE 'host-%1')",
    "DELETE FROM flow WHERE bytes BETWEEN 1000 AND 9000",
    "SELECT total(bytes) + count(*) FROM flow",
};

static int add(void *sum, int columns, char **text, char **names) {
    for (int i = 0; i < columns; i++)
        for (const char *p = text[i] ? text[i] : ""; *p; p++) *(uint32_t *)sum = mix(*(uint32_t *)sum, (uint8_t)*p);
    return 0;
}

static uint32_t once(uint32_t sum) {
    sqlite3 *db;
    sqlite3_stmt *s;
    if (sqlite3_open(":memory:", &db) || sqlite3_exec(db, schema, NULL, NULL, NULL)) return 1;
    if (sqlite3_prepare_v2(db, insert, -1, &s, NULL)) return 2;
    for (int i = 0; i < 3000; i++) {
        sqlite3_bind_int(s, 1, i);
        if (sqlite3_step(s) != SQLITE_DONE) return 3;
        sqlite3_reset(s);
    }
    sqlite3_finalize(s);
    for (size_t i = 0; i < sizeof work / sizeof *work; i++)
        if (sqlite3_exec(db, work[i], add, &sum, NULL)) return 4;
    sqlite3_close(db);
    return sum;
}

uint32_t run(uint32_t n) {
    uint32_t sum = 0x811c9dc5;
    while (n--) sum = once(sum);
    return sum;
}
