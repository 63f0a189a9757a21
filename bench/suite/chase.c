/* chase.c: a walk of 1,000,000 n steps through a shuffled ring of 64 Ki nodes: latency of dependent loads. */
#include "bench.h"

enum { NODES = 1 << 16 };
struct node {
    struct node *next;
    uint32_t value;
};
static struct node nodes[NODES];
static uint32_t order[NODES];

static void shuffle(void) {
    uint32_t seed = 77;
    for (uint32_t i = 0; i < NODES; i++) order[i] = i;
    for (uint32_t i = NODES - 1; i > 0; i--) {
        uint32_t j = next(&seed) % (i + 1), t = order[i];
        order[i] = order[j];
        order[j] = t;
    }
    for (uint32_t i = 0; i < NODES; i++) {
        nodes[order[i]].next = &nodes[order[(i + 1) % NODES]];
        nodes[order[i]].value = i * 2654435761u;
    }
}

uint32_t run(uint32_t n) {
    uint32_t sum = 0;
    shuffle();
    const struct node *at = nodes;
    for (uint32_t i = 0; i < n * 1000000; i++) {
        sum += at->value;
        at = at->next;
    }
    return sum;
}
