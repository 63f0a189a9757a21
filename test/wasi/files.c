/* files.c: a WASI program that uses what wasi-libc's stdio needs, and tries to
 * leave its directory. Exit status 0 and "ok" when all is as it should be. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int bad;
#define CHECK(e) ((e) ? (void)0 : (void)(bad++, printf("line %d: %s (errno %d)\n", __LINE__, #e, errno)))

static void stdio(void) {
    FILE *f = fopen("/data/a.txt", "w+");
    CHECK(f);
    for (int i = 0; i < 1000; i++) fprintf(f, "line %d\n", i);
    CHECK(!fseek(f, 0, SEEK_SET));
    char line[64];
    int n = 0;
    while (fgets(line, sizeof line, f)) n++;
    CHECK(n == 1000 && feof(f) && !ferror(f));
    CHECK(ftell(f) == 8890);
    CHECK(!fclose(f));
    f = fopen("/data/a.txt", "a");
    CHECK(f && fputs("end\n", f) >= 0 && !fclose(f));
    struct stat s;
    CHECK(!stat("/data/a.txt", &s) && S_ISREG(s.st_mode) && s.st_size == 8894);
    CHECK(!truncate("/data/a.txt", 5) && !stat("/data/a.txt", &s) && s.st_size == 5);
}

static void names(void) {
    struct stat s;
    CHECK(!mkdir("/data/d", 0777));
    CHECK(mkdir("/data/d", 0777) == -1 && errno == EEXIST);
    CHECK(!rename("/data/a.txt", "/data/d/b.txt"));
    CHECK(stat("/data/a.txt", &s) == -1 && errno == ENOENT);
    CHECK(!symlink("b.txt", "/data/d/link") && !lstat("/data/d/link", &s) && S_ISLNK(s.st_mode));
    char to[16] = {0};
    CHECK(readlink("/data/d/link", to, sizeof to) == 5 && !strcmp(to, "b.txt"));
    DIR *d = opendir("/data/d");
    int n = 0;
    CHECK(d);
    for (struct dirent *e; d && (e = readdir(d));) n += e->d_name[0] != '.';
    CHECK(n == 2);
    if (d) closedir(d);
    CHECK(rmdir("/data/d") == -1 && errno == ENOTEMPTY);
    CHECK(!unlink("/data/d/link") && !unlink("/data/d/b.txt") && !rmdir("/data/d"));
}

static void many_names(void) {
    char name[64];
    int n = 0;
    CHECK(!mkdir("/data/many", 0777));
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "/data/many/file-with-a-name-%d", i);
        int fd = open(name, O_CREAT | O_WRONLY, 0666);
        CHECK(fd >= 0);
        close(fd);
    }
    DIR *d = opendir("/data/many");
    for (struct dirent *e; d && (e = readdir(d));) n += e->d_name[0] != '.';
    CHECK(n == 300);
    closedir(d);
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "/data/many/file-with-a-name-%d", i);
        CHECK(!unlink(name));
    }
    CHECK(!rmdir("/data/many"));
}

static void offsets(void) {
    int fd = open("/data/p", O_CREAT | O_RDWR | O_TRUNC, 0666);
    char b[4] = {0};
    CHECK(fd >= 0 && pwrite(fd, "abcdef", 6, 10) == 6 && pread(fd, b, 3, 12) == 3 && !memcmp(b, "cde", 3));
    CHECK(lseek(fd, 0, SEEK_END) == 16 && lseek(fd, -1, SEEK_SET) == -1 && errno == EINVAL);
    CHECK(read(fd, b, 1) == 0 && !fsync(fd) && !fdatasync(fd) && !posix_fallocate(fd, 0, 100));
    struct stat s;
    CHECK(!fstat(fd, &s) && s.st_size == 100 && !ftruncate(fd, 3));
    CHECK(!close(fd) && close(fd) == -1 && errno == EBADF && !unlink("/data/p"));
}

/* None of these may reach what lies outside. */
static void escapes(void) {
    static const char *const out[] = {"/data/../secret", "/data/x/../../secret", "/secret", "/data/out",
                                      "/data/outdir/secret", "/data/up", "/etc/passwd", "/data/./../secret"};
    for (unsigned i = 0; i < sizeof out / sizeof *out; i++) {
        FILE *f = fopen(out[i], "r");
        CHECK(!f);
        if (f) printf("opened %s\n", out[i]);
    }
    CHECK(symlink("/etc/passwd", "/data/abs") == -1);
    CHECK(mkdir("/data/../evil", 0777) == -1 && mkdir("/data/outdir/evil", 0777) == -1);
    CHECK(rename("/data/keep", "/data/../keep") == -1 && unlink("/data/outdir/secret") == -1);
}

int main(int argc, char **argv) {
    CHECK(argc == 3 && !strcmp(argv[1], "one") && !strcmp(argv[2], ""));
    CHECK(getenv("WHO") && !strcmp(getenv("WHO"), "me") && !getenv("NOBODY"));
    stdio();
    names();
    many_names();
    offsets();
    escapes();
    struct timespec t, u, nap = {0, 2000000};
    CHECK(!clock_gettime(CLOCK_MONOTONIC, &t) && !nanosleep(&nap, NULL) && !clock_gettime(CLOCK_MONOTONIC, &u));
    CHECK((u.tv_sec - t.tv_sec) * 1000000000ll + u.tv_nsec - t.tv_nsec >= 2000000 && time(NULL) > 1000000000);
    unsigned char r[300] = {0};
    CHECK(!getentropy(r, 256) && (r[0] | r[1] | r[2] | r[3] | r[255]));
    puts(bad ? "bad" : "ok");
    exit(bad ? 1 : 42);
}
