/* contract.h: does a valid module keep the contract of extensions
 * (whelk/hook.h)? The kernel asks the same when it loads one. */
#ifndef WHELK_CLI_CONTRACT_H
#define WHELK_CLI_CONTRACT_H

#include "wasm/module.h"

/* The hook that an export of this name takes, or NULL. */
const char *contract_hook(struct bytes name);
/* _start: of a WASI program. */
bool contract_is_program(struct bytes name);
/* EXIT_OK, or EXIT_FAILED after an error that it has named. */
int contract_check(const char *file, const struct wasm_module *m);

#endif
