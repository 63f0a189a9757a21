/* audit.h: what the emitter did for one instruction, beside what it had said to the
 * allocator: registers written are the result's, a scratch register, declared as
 * clobbered, or borrowed and given back; stores to the frame go to the result's slot
 * or the spare ones. Decoded by Zydis. A breach is an assertion that fails. */
#ifndef WHELK_TEST_VERIFY_AUDIT_H
#define WHELK_TEST_VERIFY_AUDIT_H

/* From now on every compile of this process is audited (jit/check.c's hook). */
void audit_start(void);

#endif
