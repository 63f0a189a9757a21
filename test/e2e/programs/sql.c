/* sql: runs SQL statements on a database file; rows go to standard output. Built on Debian's libsqlite3.a. */
#include <sqlite3.h>
#include <stdio.h>

static int row(void *data, int n, char **values, char **names) {
    (void)data, (void)names;
    for (int i = 0; i < n; i++) printf("%s%s", i ? "|" : "", values[i] ? values[i] : "NULL");
    puts("");
    return 0;
}

int main(int argc, char **argv) {
    sqlite3 *db;
    char *error = NULL;
    if (argc < 2) return 2;
    if (sqlite3_open(argv[1], &db)) return fprintf(stderr, "%s\n", sqlite3_errmsg(db)), 1;
    for (int i = 2; i < argc; i++)
        if (sqlite3_exec(db, argv[i], row, NULL, &error)) return fprintf(stderr, "%s\n", error), 1;
    return sqlite3_close(db);
}
