# Whelk. The commands of a newcomer: make run, make check, make help.
#
# Each area has its fragment in mk/. Products are under build/:
#   build/obj   objects of the pure folders: the same ones go into the kernel,
#               the host command, the tests and the fuzzers
#   build/vm    the kernel;  build/host  host command and hosted tests
#   build/asan  the pure folders and hosted tests under ASan and UBSan
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

CC      := gcc
CLANG   := clang-19
B       := build

PURE    := base abi wasm jit verify rt wasi hook
KERNEL  := arch/x86_64 arch/x86_64/ring0 kern dev net fs sys ext plat/vm init

WARN    := -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wno-unused-parameter
COMMON  := -std=gnu17 -O2 -g -I. -Iinclude $(WARN) -fno-strict-aliasing -fno-common -MMD -MP
# No red zone: these objects run in ring 0. No vector registers: the kernel
# does not save them on entry. PIE: one object fits the high half and a process.
# Builtin: a memcpy of four bytes is a move, not a call; one of any size is a call: in
# its place gcc would put string instructions, slow where they are emulated.
STRINGS := -mmemcpy-strategy=libcall:-1:noalign -mmemset-strategy=libcall:-1:noalign
FREE    := $(COMMON) -ffreestanding -fbuiltin $(STRINGS) -fpie -fvisibility=hidden -mno-red-zone -mgeneral-regs-only \
           -fno-stack-protector -fno-asynchronous-unwind-tables -fno-omit-frame-pointer -fcf-protection=none
HOSTED  := $(COMMON) -D_GNU_SOURCE -fpie
SAN     := -DWHELK_CHECK -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

PURE_SRC := $(filter-out base/freestanding.c,$(wildcard $(addsuffix /*.c,$(PURE)) $(addsuffix /*/*.c,$(PURE))))
PURE_OBJ := $(PURE_SRC:%.c=$(B)/obj/%.o)

include $(sort $(wildcard mk/*.mk))

.PHONY: all clean help
all: $(ALL)

help:
	@sed -n '/^make all /,/^```/{/^```/!p}' README.md

clean:
	rm -rf $(B)

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(FREE) -c $< -o $@

$(B)/host/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(HOSTED) -c $< -o $@

$(B)/asan/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(HOSTED) $(SAN) -c $< -o $@

-include $(shell find $(B) -name '*.d' 2>/dev/null)
