#include "cli/broker.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "cli/cli.h"
#include "base/err.h"
#include "cli/frame.h"

enum {
    CLIENTS = 32,
    REQUESTS = 1024,          /* open at once, over all clients */
    BACKLOG_LIMIT = 64 << 20, /* bytes that a client may leave unread before it is cut off */
};

struct client {
    int fd; /* -1: free */
    struct queue in, out;
};

struct request {
    u32 guest_id;  /* 0: free */
    u32 client_id; /* the id that the client chose */
    i32 client;    /* index; -1 when it left (I3) */
    bool stream;
};

struct broker {
    int guest, listener;
    struct queue from_guest, to_guest;
    struct client clients[CLIENTS];
    struct request requests[REQUESTS];
    u32 last_id;
};

struct broker *broker_new(int guest, int listener) {
    struct broker *b = need(calloc(1, sizeof(*b)));
    b->guest = guest;
    b->listener = listener;
    for (int i = 0; i < CLIENTS; i++) b->clients[i].fd = -1;
    return b;
}

static struct request *request_of_client(struct broker *b, i32 client, u32 client_id) {
    for (int i = 0; i < REQUESTS; i++) {
        struct request *r = &b->requests[i];
        if (r->guest_id && r->client == client && r->client_id == client_id) return r;
    }
    return NULL;
}

static struct request *request_of_guest(struct broker *b, u32 guest_id) {
    for (int i = 0; i < REQUESTS && guest_id; i++)
        if (b->requests[i].guest_id == guest_id) return &b->requests[i];
    return NULL;
}

static struct request *request_new(struct broker *b, i32 client, u32 client_id, u16 kind) {
    for (int i = 0; i < REQUESTS; i++) {
        struct request *r = &b->requests[i];
        if (r->guest_id) continue;
        if (!++b->last_id) ++b->last_id;
        *r = (struct request){b->last_id, client_id, client, kind == CTL_STREAM || kind == CTL_READ};
        return r;
    }
    return NULL;
}

static void client_close(struct broker *b, i32 index) {
    struct client *c = &b->clients[index];
    for (int i = 0; i < REQUESTS; i++) {
        struct request *r = &b->requests[i];
        if (!r->guest_id || r->client != index) continue;
        r->client = -1;
        if (r->stream) frame_put(&b->to_guest, CTL_END, r->guest_id, "client left", 11);
    }
    close(c->fd);
    queue_free(&c->in);
    queue_free(&c->out);
    c->fd = -1;
}

void broker_free(struct broker *b) {
    for (int i = 0; i < CLIENTS; i++)
        if (b->clients[i].fd >= 0) client_close(b, i);
    queue_free(&b->from_guest);
    queue_free(&b->to_guest);
    close(b->guest);
    close(b->listener);
    free(b);
}

static void refuse(struct client *c, u32 id, u32 err, const char *text, size_t n) {
    u8 payload[100];
    assert(n <= sizeof(payload) - 4);
    for (int i = 0; i < 4; i++) payload[i] = (u8)(err >> 8 * i);
    for (size_t i = 0; i < n; i++) payload[4 + i] = (u8)text[i];
    frame_put(&c->out, CTL_ERROR, id, payload, n + 4);
}

/* Client -> guest, under an id of ours. */
static void pass_up(struct broker *b, i32 index) {
    struct client *c = &b->clients[index];
    struct ctl_header h;
    size_t skipped = 0;
    while (frame_next(&c->in, &h, &skipped)) {
        struct request *r = request_of_client(b, index, h.id);
        if (h.kind == CTL_END || h.kind == CTL_DATA) {
            if (r) frame_put(&b->to_guest, h.kind, r->guest_id, frame_payload(&c->in), h.length);
        } else if (r) {
            static const char text[] = "this id is of a request that is still open";
            refuse(c, h.id, ERR_BUSY, text, sizeof(text) - 1);
        } else if (!(r = request_new(b, index, h.id, h.kind))) {
            static const char text[] = "too many requests are open at once";
            refuse(c, h.id, ERR_FULL, text, sizeof(text) - 1);
        } else {
            frame_put(&b->to_guest, h.kind, r->guest_id, frame_payload(&c->in), h.length);
        }
        frame_drop(&c->in, &h);
    }
}

/* Guest -> client. The last answer of a request frees its id. */
static void pass_down(struct broker *b) {
    struct ctl_header h;
    size_t skipped = 0;
    while (frame_next(&b->from_guest, &h, &skipped)) {
        struct request *r = request_of_guest(b, h.id);
        if (r && r->client >= 0) {
            struct client *c = &b->clients[r->client];
            frame_put(&c->out, h.kind, r->client_id, frame_payload(&b->from_guest), h.length);
        }
        if (r && (h.kind == CTL_ERROR || h.kind == CTL_END || (h.kind == CTL_OK && !r->stream))) r->guest_id = 0;
        frame_drop(&b->from_guest, &h);
    }
}

static void accept_client(struct broker *b) {
    int fd = accept4(b->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    for (int i = 0; i < CLIENTS; i++) {
        if (b->clients[i].fd >= 0) continue;
        b->clients[i] = (struct client){.fd = fd};
        return;
    }
    close(fd);
}

static void serve_client(struct broker *b, i32 index, short events) {
    struct client *c = &b->clients[index];
    bool ok = !(events & (POLLERR | POLLNVAL));
    if (ok && (events & (POLLIN | POLLHUP))) {
        ok = queue_fill(&c->in, c->fd);
        pass_up(b, index);
    }
    if (!ok) client_close(b, index);
}

static void flush_clients(struct broker *b) {
    for (i32 i = 0; i < CLIENTS; i++) {
        struct client *c = &b->clients[i];
        if (c->fd < 0) continue;
        if (!queue_flush(&c->out, c->fd) || queue_size(&c->out) > BACKLOG_LIMIT) client_close(b, i);
    }
}

bool broker_step(struct broker *b, int timeout_ms) {
    struct pollfd fds[CLIENTS + 2];
    fds[0] = (struct pollfd){b->guest, (short)(POLLIN | (queue_size(&b->to_guest) ? POLLOUT : 0)), 0};
    fds[1] = (struct pollfd){b->listener, POLLIN, 0};
    for (int i = 0; i < CLIENTS; i++) {
        struct client *c = &b->clients[i];
        fds[i + 2] = (struct pollfd){c->fd, (short)(POLLIN | (queue_size(&c->out) ? POLLOUT : 0)), 0};
    }
    if (poll(fds, CLIENTS + 2, timeout_ms) <= 0) return true;
    if (fds[1].revents & POLLIN) accept_client(b);
    for (i32 i = 0; i < CLIENTS; i++)
        if (fds[i + 2].fd >= 0 && fds[i + 2].revents) serve_client(b, i, fds[i + 2].revents);
    bool open = true;
    if (fds[0].revents & (POLLIN | POLLHUP | POLLERR)) {
        open = queue_fill(&b->from_guest, b->guest);
        pass_down(b);
    }
    flush_clients(b);
    return open && queue_flush(&b->to_guest, b->guest);
}
