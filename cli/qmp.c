#include "cli/qmp.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/cli.h"

enum { WAIT_MS = 2000, LINE = 4096, LINES = 100 };

enum got { LINE_GOT, LINE_NONE, LINE_END };

/* The next line; NONE: not in time, or too long; END: QEMU has closed. */
static enum got take_line(int fd, char out[LINE]) {
    for (size_t n = 0; n + 1 < LINE; n++) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, WAIT_MS) != 1) return LINE_NONE;
        if (read(fd, out + n, 1) != 1) return LINE_END;
        out[n + 1] = 0;
        if (out[n] == '\n') return LINE_GOT;
    }
    return LINE_NONE;
}

/* Events may come before the answer; and a guest whose button was pressed may
 * be gone before QEMU has answered. */
static bool ask(int fd, const char *text) {
    char line[LINE];
    if (!write_all(fd, text, strlen(text))) return false;
    for (int i = 0; i < LINES; i++) {
        enum got got = take_line(fd, line);
        if (got != LINE_GOT) return got == LINE_END;
        if (strstr(line, "\"error\"")) return false;
        if (strstr(line, "\"return\"")) return true;
    }
    return false;
}

static bool run(const struct guest *g, const char *text) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    char path[256], greeting[LINE];
    guest_path(g, "qmp.sock", path);
    if (strlen(path) >= sizeof(a.sun_path)) return false;
    strcpy(a.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    bool ok = !connect(fd, (struct sockaddr *)&a, sizeof(a)) && take_line(fd, greeting) == LINE_GOT &&
              ask(fd, "{\"execute\":\"qmp_capabilities\"}\n") && ask(fd, text);
    close(fd);
    return ok;
}

bool qmp_command(const struct guest *g, const char *command) {
    char text[200];
    int n = snprintf(text, sizeof(text), "{\"execute\":\"%s\"}\n", command);
    return n < (int)sizeof(text) && run(g, text);
}

bool qmp_monitor(const struct guest *g, const char *line) {
    char text[600];
    int n = snprintf(text, sizeof(text), "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"%s\"}}\n", line);
    return n < (int)sizeof(text) && run(g, text);
}
