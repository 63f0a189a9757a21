# WASI programs for the hosted tests: built by the compilers that authors use.
WASI_WASM := $(patsubst test/wasi/%.c,$(B)/wasi/%.wasm,$(wildcard test/wasi/*.c)) \
             $(patsubst test/wasi/%.rs,$(B)/wasi/%_rs.wasm,$(wildcard test/wasi/*.rs))
WASI_RUSTC ?= /usr/bin/rustc
WASI_FLAGS_record := -mexec-model=reactor
WASI_FLAGS_wide   := -fstack-protector-strong
$(B)/wasi/wide.wasm: sdk/c/stack_chk.c

$(B)/wasi/%.wasm: test/wasi/%.c
	@mkdir -p $(@D)
	$(CLANG) --target=wasm32-wasi -O2 $(WASI_FLAGS_$*) $(filter %.c,$^) -o $@

$(B)/wasi/%_rs.wasm: test/wasi/%.rs
	@mkdir -p $(@D)
	$(WASI_RUSTC) --target wasm32-wasi -O -C linker=wasm-ld-14 --crate-type=bin $< -o $@

$(B)/asan/unit/wasi_run.run $(B)/asan/unit/ext_ext.run: $(WASI_WASM)

# What the public WASI test suite expects, by our own checks: hosted under ASan
# and UBSan (the command leaves its memory to the exit), and as the program of a
# process; wasi-public-vm: of a VM as well.
.PHONY: wasi-public wasi-public-vm
wasi-public: $(B)/wasi/public.wasm $(B)/whelk $$(CLI_ASAN) $$(PROCESS_KERNEL)
	@ASAN_OPTIONS=detect_leaks=0 WHELK=$(B)/asan/whelk test/wasi/public hosted
	@test/wasi/public process
wasi-public-vm: $(B)/wasi/public.wasm $(B)/whelk $$(VM_KERNEL)
	@test/wasi/public vm
CHECKS += wasi-public
