#include "base/err.h"

#include "base/types.h"

static const char *const texts[] = {
#define X(name, text) text,
    ERRS(X)
#undef X
};

const char *err_text(enum err e) {
    return (size_t)e < ARRAY_LEN(texts) ? texts[e] : "unknown error";
}
