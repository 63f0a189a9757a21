# The host command, build/whelk: hosted code, linked with the very objects of
# the engine that the kernel has.
CLI_SRC := $(wildcard cli/*.c)
CLI_OBJ := $(CLI_SRC:%.c=$(B)/host/%.o)

$(B)/whelk: $(CLI_OBJ) $(ENGINE)
	$(CC) -pie $^ -lm -o $@

ALL += $(B)/whelk

# End to end: each test/e2e/test_*.py is a program that ends in a line of counts.
E2E := $(sort $(wildcard test/e2e/test_*.py))
.PHONY: e2e
e2e: all
	@status=0; for t in $(E2E); do timeout 600 python3 $$t || status=1; done; exit $$status
CHECKS += e2e
