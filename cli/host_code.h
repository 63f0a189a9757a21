/* host_code.h: rt_host's code_alloc, code_seal and code_free in a Linux process. */
#ifndef WHELK_CLI_HOST_CODE_H
#define WHELK_CLI_HOST_CODE_H

#include "base/err.h"
#include "base/types.h"

enum err host_code_alloc(void *self, size_t n, void **write, void **exec);
enum err host_code_seal(void *self, void *write, void *exec, size_t n);
void host_code_free(void *self, void *exec, size_t n);

#endif
