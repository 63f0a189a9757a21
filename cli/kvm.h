/* kvm.h: is KVM here, and real? On some hosts /dev/kvm is a software
 * emulation that takes hundreds to thousands of cycles for each instruction at
 * CPL 0, and knows only a part of them: worse
 * than TCG. Runs a tiny guest for a few milliseconds to find out. */
#ifndef WHELK_CLI_KVM_H
#define WHELK_CLI_KVM_H

#include "base/types.h"

enum kvm_state { KVM_REAL, KVM_SLOW, KVM_ABSENT };
enum kvm_state kvm_probe(void);

#endif
