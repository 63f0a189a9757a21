# The host command, build/whelk: hosted code, linked with the very objects of
# the engine that the kernel has.
CLI_SRC := $(wildcard cli/*.c)
# `whelk check` joins once the compiler is in the tree; main.c finds it weakly.
ifeq ($(shell cat jit/*.c 2>/dev/null | grep -c '^enum err jit_compile'),0)
CLI_SRC := $(filter-out cli/check.c,$(CLI_SRC))
endif
CLI_OBJ := $(CLI_SRC:%.c=$(B)/host/%.o)

$(B)/whelk: $(CLI_OBJ) $(ENGINE)
	$(CC) -pie $^ -lm -o $@

ALL += $(B)/whelk

# Hosted: against a fake guest.
.PHONY: cli-test
cli-test: $(B)/whelk
	@timeout 120 test/e2e/test_cli.py
CHECKS += cli-test
