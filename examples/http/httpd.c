/* httpd.c: a small HTTP/1.1 server for Linux: several threads, each with its own
 * epoll, share one listening socket. It serves files below a directory.
 *
 *   httpd [-t THREADS] PORT DIRECTORY
 *
 *   GET /n/123   answers "123\n": numbered requests, for tests
 *   GET /path    a file; of a directory its index.html, or a listing
 *
 * I1 a connection belongs to one worker thread, from accept to close.
 * I2 a connection holds at most IN_MAX bytes of requests and OUT_MAX of answers;
 *    a client that does not read is not read from.
 * I3 no path leaves the directory: "." and ".." parts are refused, links followed
 *    as the file system has them. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { IN_MAX = 8192, OUT_MAX = 65536, EVENTS = 64, PATH_BYTES = 1024, IDLE_MS = 30000 };

struct connection {
    int fd;
    size_t in_used;
    size_t out_used, out_sent;
    int file;        /* of the answer under way; -1: none */
    off_t file_left; /* bytes of it that are still to be sent */
    bool close_after;
    char in[IN_MAX];
    char out[OUT_MAX];
};

static int listener = -1;
static int root = -1;

static void die(const char *what) {
    fprintf(stderr, "httpd: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* --- answers --- */

static size_t room(const struct connection *c) { return OUT_MAX - c->out_used; }

/* Callers have checked that an answer's head fits: ANSWER_ROOM. */
enum { ANSWER_ROOM = 2048 };

static void put(struct connection *c, const char *p, size_t n) {
    if (n > room(c)) n = room(c);
    memcpy(c->out + c->out_used, p, n);
    c->out_used += n;
}

static void put_head(struct connection *c, const char *status, const char *type, unsigned long long length) {
    char head[512];
    int n = snprintf(head, sizeof head,
                     "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %llu\r\nConnection: %s\r\n\r\n", status,
                     type, length, c->close_after ? "close" : "keep-alive");
    put(c, head, (size_t)n);
}

static void put_text(struct connection *c, const char *status, const char *text, bool head_only) {
    put_head(c, status, "text/plain", strlen(text));
    if (!head_only) put(c, text, strlen(text));
}

static const char *type_of(const char *path) {
    static const struct {
        const char *end, *type;
    } types[] = {{".html", "text/html; charset=utf-8"}, {".css", "text/css"}, {".js", "text/javascript"},
                 {".png", "image/png"}, {".svg", "image/svg+xml"}, {".txt", "text/plain; charset=utf-8"},
                 {".json", "application/json"}, {".wasm", "application/wasm"},
                 {".pcap", "application/vnd.tcpdump.pcap"}};
    size_t n = strlen(path);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        size_t k = strlen(types[i].end);
        if (n >= k && !strcmp(path + n - k, types[i].end)) return types[i].type;
    }
    return "application/octet-stream";
}

static void answer_listing(struct connection *c, int dir, bool head_only) {
    char page[16384];
    size_t n = 0;
    DIR *d = fdopendir(dir);
    if (!d) {
        close(dir);
        put_text(c, "500 Internal Server Error", "cannot list\n", head_only);
        return;
    }
    for (struct dirent *e; (e = readdir(d)) && n < sizeof page - 512;)
        n += (size_t)snprintf(page + n, sizeof page - n, "%s%s\n", e->d_name, e->d_type == DT_DIR ? "/" : "");
    closedir(d);
    put_head(c, "200 OK", "text/plain; charset=utf-8", n);
    if (!head_only) put(c, page, n);
}

/* Takes fd. */
static void answer_file(struct connection *c, int fd, const struct stat *st, const char *path, bool head_only) {
    put_head(c, "200 OK", type_of(path), (unsigned long long)st->st_size);
    if (head_only || !st->st_size) {
        close(fd);
        return;
    }
    c->file = fd;
    c->file_left = st->st_size;
}

static void answer_path(struct connection *c, const char *path, bool head_only) {
    struct stat st;
    int fd = openat(root, *path ? path : ".", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0) {
        if (fd >= 0) close(fd);
        put_text(c, "404 Not Found", "not found\n", head_only);
        return;
    }
    if (S_ISDIR(st.st_mode)) {
        int index = openat(fd, "index.html", O_RDONLY | O_CLOEXEC);
        if (index < 0 || fstat(index, &st) < 0 || !S_ISREG(st.st_mode)) {
            if (index >= 0) close(index);
            answer_listing(c, fd, head_only);
            return;
        }
        close(fd);
        answer_file(c, index, &st, ".html", head_only);
    } else if (S_ISREG(st.st_mode)) {
        answer_file(c, fd, &st, path, head_only);
    } else {
        close(fd);
        put_text(c, "403 Forbidden", "not a file\n", head_only);
    }
}

/* --- requests --- */

static int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes the target's path, without its first slash and query. */
static bool decode(const char *target, size_t n, char *out) {
    size_t k = 0;
    if (!n || target[0] != '/') return false;
    for (size_t i = 1; i < n && target[i] != '?' && target[i] != '#'; i++) {
        char c = target[i];
        if (c == '%') {
            if (i + 2 >= n || hex(target[i + 1]) < 0 || hex(target[i + 2]) < 0) return false;
            c = (char)(hex(target[i + 1]) * 16 + hex(target[i + 2]));
            i += 2;
        }
        if (!c || k + 1 >= PATH_BYTES) return false;
        out[k++] = c;
    }
    out[k] = 0;
    return true;
}

static bool stays_inside(const char *path) {
    while (*path) {
        size_t n = strcspn(path, "/");
        if ((n == 1 && path[0] == '.') || (n == 2 && path[0] == '.' && path[1] == '.') || n == 0) return false;
        path += n;
        if (*path) path++;
    }
    return true;
}

static bool is_number(const char *s) {
    if (!*s || strlen(s) > 20) return false;
    for (; *s; s++)
        if (!isdigit((unsigned char)*s)) return false;
    return true;
}

/* The value of a header in [head, end), or NULL; *n its length. */
static const char *header(const char *head, const char *end, const char *name, size_t *n) {
    size_t k = strlen(name);
    for (const char *p = head; p < end;) {
        const char *line = memmem(p, (size_t)(end - p), "\r\n", 2);
        if (!line) line = end;
        if ((size_t)(line - p) > k && p[k] == ':' && !strncasecmp(p, name, k)) {
            const char *v = p + k + 1;
            while (v < line && (*v == ' ' || *v == '\t')) v++;
            *n = (size_t)(line - v);
            return v;
        }
        p = line + 2;
    }
    return NULL;
}

static bool value_has(const char *value, size_t n, const char *word) {
    size_t k = strlen(word);
    for (size_t i = 0; value && i + k <= n; i++)
        if (!strncasecmp(value + i, word, k)) return true;
    return false;
}

static void answer(struct connection *c, const char *target, size_t n, bool head_only) {
    char path[PATH_BYTES], text[32];
    if (!decode(target, n, path)) {
        c->close_after = true;
        put_text(c, "400 Bad Request", "bad path\n", head_only);
    } else if (!strncmp(path, "n/", 2) && is_number(path + 2)) {
        snprintf(text, sizeof text, "%s\n", path + 2);
        put_text(c, "200 OK", text, head_only);
    } else if (!stays_inside(path)) {
        put_text(c, "403 Forbidden", "no\n", head_only);
    } else {
        answer_path(c, path, head_only);
    }
}

/* One request whose head is [in, in+n). */
static void serve(struct connection *c, const char *in, size_t n) {
    const char *end = in + n, *line = memmem(in, n, "\r\n", 2);
    const char *method_end = line ? memchr(in, ' ', (size_t)(line - in)) : NULL;
    const char *target = method_end ? method_end + 1 : NULL;
    const char *target_end = target ? memchr(target, ' ', (size_t)(line - target)) : NULL;
    size_t k = 0, body = 0;
    if (!target_end || line - target_end != 9 || strncmp(target_end + 1, "HTTP/1.", 7)) {
        c->close_after = true;
        put_text(c, "400 Bad Request", "bad request\n", false);
        return;
    }
    bool old = target_end[8] == '0', head_only = method_end - in == 4 && !memcmp(in, "HEAD", 4);
    const char *connection = header(line + 2, end, "connection", &k);
    if (old ? !value_has(connection, k, "keep-alive") : value_has(connection, k, "close")) c->close_after = true;
    /* A body is not read: whatever follows would be taken for a request. */
    const char *length = header(line + 2, end, "content-length", &body);
    if ((length && (body != 1 || *length != '0')) || header(line + 2, end, "transfer-encoding", &body)) c->close_after = true;
    if (!head_only && !(method_end - in == 3 && !memcmp(in, "GET", 3))) {
        c->close_after = true;
        put_text(c, "405 Method Not Allowed", "only GET and HEAD\n", false);
        return;
    }
    answer(c, target, (size_t)(target_end - target), head_only);
}

/* Serves what is complete in c->in, while there is room for answers. */
static void serve_all(struct connection *c) {
    size_t at = 0;
    while (c->file < 0 && !c->close_after && room(c) > ANSWER_ROOM + 16384) {
        char *end = memmem(c->in + at, c->in_used - at, "\r\n\r\n", 4);
        if (!end) break;
        serve(c, c->in + at, (size_t)(end + 2 - (c->in + at)));
        at = (size_t)(end + 4 - c->in);
    }
    memmove(c->in, c->in + at, c->in_used - at);
    c->in_used -= at;
    if (c->in_used == IN_MAX && c->file < 0 && !c->close_after && c->out_used == 0) {
        c->close_after = true;
        put_text(c, "431 Request Header Fields Too Large", "too large\n", false);
    }
}

/* --- connections --- */

static void drop(struct connection *c) {
    if (c->file >= 0) close(c->file);
    close(c->fd);
    free(c);
}

/* More of the file into the buffer; a file that shrank ends the connection. */
static bool refill(struct connection *c) {
    if (c->file < 0 || !room(c)) return true;
    size_t want = (off_t)room(c) < c->file_left ? room(c) : (size_t)c->file_left;
    ssize_t n = read(c->file, c->out + c->out_used, want);
    if (n <= 0) return false;
    c->out_used += (size_t)n;
    c->file_left -= n;
    if (!c->file_left) {
        close(c->file);
        c->file = -1;
    }
    return true;
}

/* false: the connection is done for. *blocked: the socket takes no more now. */
static bool flush(struct connection *c, bool *blocked) {
    *blocked = false;
    for (;;) {
        if (!refill(c)) return false;
        if (c->out_sent == c->out_used) break;
        ssize_t n = send(c->fd, c->out + c->out_sent, c->out_used - c->out_sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) {
            *blocked = true;
            return true;
        }
        if (n <= 0) return false;
        c->out_sent += (size_t)n;
        if (c->out_sent == c->out_used) c->out_sent = c->out_used = 0;
    }
    return true;
}

/* Edge-triggered: reads and writes until the socket says EAGAIN. */
static bool work(struct connection *c) {
    for (;;) {
        bool blocked;
        serve_all(c);
        if (!flush(c, &blocked)) return false;
        if (blocked) return true;
        if (c->close_after) {
            shutdown(c->fd, SHUT_WR);
            return false;
        }
        if (memmem(c->in, c->in_used, "\r\n\r\n", 4)) continue;
        ssize_t n = read(c->fd, c->in + c->in_used, IN_MAX - c->in_used);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno == EAGAIN;
        if (n == 0) return false;
        c->in_used += (size_t)n;
    }
}

static void accept_all(int poll) {
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
        if (fd < 0) {
            if (errno == EINTR || errno == ECONNABORTED) continue;
            if (errno != EAGAIN) fprintf(stderr, "httpd: accept: %s\n", strerror(errno));
            return;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct connection *c = malloc(sizeof *c);
        if (!c) {
            close(fd);
            continue;
        }
        c->fd = fd;
        c->in_used = c->out_used = c->out_sent = 0;
        c->file = -1;
        c->close_after = false;
        struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};
        if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &e) < 0) drop(c);
    }
}

static void *worker(void *arg) {
    struct epoll_event events[EVENTS], e = {.events = EPOLLIN, .data.ptr = NULL};
    int poll = epoll_create1(EPOLL_CLOEXEC);
    if (poll < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, listener, &e) < 0) die("epoll");
    for (;;) {
        int n = epoll_wait(poll, events, EVENTS, -1);
        if (n < 0 && errno != EINTR) die("epoll_wait");
        for (int i = 0; i < n; i++) {
            struct connection *c = events[i].data.ptr;
            if (!c) accept_all(poll);
            else if ((events[i].events & EPOLLERR) || !work(c)) drop(c);
        }
    }
    return arg;
}

static void listen_on(int port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    int one = 1;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0) die("socket");
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&a, sizeof a) < 0) die("bind");
    if (listen(listener, 128) < 0) die("listen");
}

static void usage(void) {
    fprintf(stderr, "usage: httpd [-t THREADS] PORT DIRECTORY\n");
    exit(2);
}

int main(int argc, char **argv) {
    int threads = 4, option;
    while ((option = getopt(argc, argv, "t:")) != -1) {
        if (option == 't') threads = atoi(optarg);
        else usage();
    }
    if (optind + 2 != argc) usage();
    int port = atoi(argv[optind]);
    const char *directory = argv[optind + 1];
    if (port < 1 || port > 65535 || threads < 1 || threads > 64) usage();
    signal(SIGPIPE, SIG_IGN);
    root = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) die(directory);
    listen_on(port);
    printf("httpd: serving %s on port %d with %d threads\n", directory, port, threads);
    fflush(stdout);
    for (int i = 1; i < threads; i++) {
        pthread_t t;
        int e = pthread_create(&t, NULL, worker, NULL);
        if (e) {
            errno = e;
            die("thread");
        }
    }
    worker(NULL);
    return 0;
}
