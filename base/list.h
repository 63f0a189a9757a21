/* list.h: an intrusive doubly linked ring. A node is in at most one list.
 * An initialised node that is in no list points at itself. */
#ifndef WHELK_BASE_LIST_H
#define WHELK_BASE_LIST_H

#include "base/types.h"

struct list {
    struct list *next, *prev;
};

#define LIST_INIT(name) {&(name), &(name)}

static inline void list_init(struct list *l) { l->next = l->prev = l; }
static inline bool list_empty(const struct list *l) { return l->next == l; }

static inline void list_insert(struct list *before, struct list *node) {
    node->next = before;
    node->prev = before->prev;
    before->prev->next = node;
    before->prev = node;
}
static inline void list_push_back(struct list *head, struct list *node) { list_insert(head, node); }
static inline void list_push_front(struct list *head, struct list *node) {
    list_insert(head->next, node);
}
static inline void list_remove(struct list *node) {
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}
/* NULL when empty. */
static inline struct list *list_pop_front(struct list *head) {
    struct list *node = head->next;
    if (node == head) return NULL;
    list_remove(node);
    return node;
}

#define LIST_ENTRY(node, type, member) CONTAINER_OF(node, type, member)
/* The current entry may be removed inside the loop. */
#define LIST_EACH(it, head)                                                                  \
    for (struct list *it = (head)->next, *it##_next = it->next; it != (head);                \
         it = it##_next, it##_next = it->next)

#endif
