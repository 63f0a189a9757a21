# The host command, build/whelk: hosted code, linked with the very objects of
# the engine that the kernel has.
CLI_SRC := $(wildcard cli/*.c)
CLI_OBJ := $(CLI_SRC:%.c=$(B)/host/%.o)

$(B)/whelk: $(CLI_OBJ) $(ENGINE)
	$(CC) -pie $^ -lm -o $@

ALL += $(B)/whelk

# Hosted: against a fake guest.
.PHONY: cli-test
cli-test: $(B)/whelk
	@timeout 120 test/e2e/test_cli.py
CHECKS += cli-test
