# The host command, build/whelk: hosted code, linked with the very objects of
# the engine that the kernel has.
CLI_SRC := $(wildcard cli/*.c) bench/main.c bench/native.c bench/whelk.c bench/micro.c bench/peer.c bench/report.c bench/vm.c
CLI_OBJ := $(CLI_SRC:%.c=$(B)/host/%.o)

$(B)/whelk: $(CLI_OBJ) $(ENGINE)
	$(CC) -pie $^ -lm -lslirp -o $@

# The manual page: man build/whelk.1
$(B)/whelk.1: $(B)/whelk tools/man
	tools/man $< > $@

ALL += $(B)/whelk $(B)/whelk.1

# Hosted: against a fake guest, under ASan and UBSan.
CLI_ASAN := $(B)/asan/whelk
$(CLI_ASAN): $(CLI_SRC:%.c=$(B)/asan/%.o) $(ENGINE_ASAN)
	$(CC) $(SAN) -pie $^ -lm -lslirp -o $@

# With a bug of base/fault.h in its compiler: WHELK_FAULT=NUMBER.
CLI_FAULT := $(B)/fault/whelk
FAULT_JIT := $(patsubst %.c,$(B)/fault/%.o,$(wildcard jit/*.c jit/x86_64/*.c))
$(B)/fault/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(FREE) -DWHELK_FAULTS -c $< -o $@
$(CLI_FAULT): $(CLI_OBJ) $(B)/host/test/fuzz/knob.o $(FAULT_JIT) $(ENGINE)
	$(CC) -pie $^ -lm -lslirp -o $@

.PHONY: cli-test
cli-test: $(CLI_ASAN) $(CLI_FAULT) $(VM_KERNEL) $$(WASI_WASM)
	@WHELK=$(CLI_ASAN) WHELK_FAULTY=$(CLI_FAULT) WHELK_KERNEL=$(VM_KERNEL) timeout 1800 test/e2e/test_cli.py
CHECKS += cli-test

# Hosted tests of its parts.
$(B)/asan/unit/cli_core: $(B)/asan/cli/core.o
