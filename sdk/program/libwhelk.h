/* libwhelk.h: for programs inside a Whelk image: extend yourself while you run.
 * Link with libwhelk.a (musl and glibc alike). Outside of Whelk whelk_open fails.
 *
 *   struct whelk *w = whelk_open();
 *   whelk_define(w, "app", "price", "ii:I", price, NULL);
 *   whelk_load(w, "rule", NULL, module, module_bytes);
 *   long n = whelk_call(w, "rule", NULL, "in", 2, out, sizeof out);
 *   whelk_unload(w, "rule");
 *   whelk_close(w);
 *
 * Errors: 0 or a length for success, -1 for failure; whelk_error says why. A
 *   failure changes nothing.
 * Threads: a connection is used by one thread at a time; take one for each
 *   thread (functions belong to the connection that defined them, extensions to
 *   all).
 * A function runs in the thread that called whelk_call, as ordinary code: it may
 *   block and use other connections. Its extension is busy meanwhile: it cannot
 *   be called, and hooks that fire for it follow their fail policy. From a hook
 *   (net.rx and the like) such a function cannot be called: that traps. */
#ifndef WHELK_SDK_LIBWHELK_H
#define WHELK_SDK_LIBWHELK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct whelk;
struct whelk_caller; /* the extension that calls a function; valid during that call */

/* NULL: no /dev/whelk, or no memory; errno says which. */
struct whelk *whelk_open(void);
/* Extensions stay loaded; those that import functions of w trap where they call them. */
void whelk_close(struct whelk *w);
const char *whelk_error(const struct whelk *w); /* of the last call that failed */

/* A function for the modules that are loaded through w from now on: imported as
 * (module, name). type: "PARAMETERS:RESULTS", i for i32, I for i64, at most five
 * parameters and one result, as in "iI:i". An i32 is in the low half. */
typedef uint64_t whelk_function(struct whelk_caller *c, const uint64_t *arguments, void *data);
int whelk_define(struct whelk *w, const char *module, const char *name, const char *type, whelk_function *fn, void *data);
/* Inside a function: the caller's memory. -1: not all of it is inside. */
int whelk_peek(struct whelk_caller *c, uint32_t at, void *to, uint32_t n);
int whelk_poke(struct whelk_caller *c, uint32_t at, const void *from, uint32_t n);
/* Inside a function: the extension traps when it returns. */
void whelk_fail(struct whelk_caller *c);

/* Loads a module under a name; hook: NULL for what its exports are named as, or
 * "HOOK[:EXPORT]". replace: another of that name goes, if this one loads. */
int whelk_load(struct whelk *w, const char *name, const char *hook, const void *module, size_t n);
int whelk_replace(struct whelk *w, const char *name, const char *hook, const void *module, size_t n);
int whelk_unload(struct whelk *w, const char *name);
/* Ends a quarantine: a new instance, its memory as after loading. */
int whelk_resume(struct whelk *w, const char *name);
/* Calls its ctl.call (or an export of that type) on some bytes; how many bytes it
 * answered, of which out has as many as fit. */
long whelk_call(struct whelk *w, const char *name, const char *export_name, const void *in, size_t n, void *out, size_t cap);
/* JSON: all extensions, a line each; one (name), or the system (NULL). free() it. NULL: failed. */
char *whelk_list(struct whelk *w);
char *whelk_stat(struct whelk *w, const char *name);

#ifdef __cplusplus
}
#endif

#endif
