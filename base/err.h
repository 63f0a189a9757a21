/* err.h: the one error type.
 *
 * enum err: bad input or no resources. Handled by the caller; unless a header
 * says otherwise the state is as it was before the call.
 * panic / assert: our own bug. No packet, module byte, control message, ELF
 * file, initrd or command line can reach one. */
#ifndef WHELK_BASE_ERR_H
#define WHELK_BASE_ERR_H

#define ERRS(X)                                              \
    X(OK, "ok")                                              \
    X(NOMEM, "out of memory")                                \
    X(LIMIT, "limit exceeded")                               \
    X(TRUNCATED, "truncated")                                \
    X(MALFORMED, "malformed")                                \
    X(INVALID, "invalid")                                    \
    X(UNSUPPORTED, "unsupported feature")                    \
    X(NOT_FOUND, "not found")                                \
    X(EXISTS, "already exists")                              \
    X(SIGNATURE, "signature mismatch")                       \
    X(LINK, "link error")                                    \
    X(TRAP, "trap")                                          \
    X(DENIED, "denied by policy")                            \
    X(FULL, "full")                                          \
    X(BUSY, "busy")                                          \
    X(AGAIN, "would block")                                  \
    X(IO, "input/output error")                              \
    X(VERSION, "version mismatch")                           \
    X(PROOF, "machine code refused by the verifier")         \
    X(CLOSED, "closed")

enum err {
#define X(name, text) ERR_##name,
    ERRS(X)
#undef X
        ERR_COUNT
};

/* Never NULL; "unknown error" outside the enum. */
const char *err_text(enum err e);

#endif
