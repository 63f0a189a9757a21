# Extensions: the examples and the hostile ones of the tests, build/ext/*.wasm.
WASM_CC   := $(CLANG) --target=wasm32-unknown-unknown -O2 -nostdlib -Wall -Wextra -Werror -Isdk/c -I. -Wl,--no-entry,-s
RUSTC     := /usr/bin/rustc
WASI_CC   := $(CLANG) --target=wasm32-wasi -mexec-model=reactor -O2 -Wall -Wextra -Werror -Wl,-s
EXT_C     := $(patsubst examples/ext/%.c,%,$(filter-out examples/ext/wasi_%,$(wildcard examples/ext/*.c)))
EXT_WASI  := $(patsubst examples/ext/%.c,%,$(wildcard examples/ext/wasi_*.c))
EXT_RUST  := $(patsubst examples/ext/%.rs,%,$(wildcard examples/ext/*.rs))
EXT_WASM  := $(patsubst %,$(B)/ext/%.wasm,$(EXT_C) $(EXT_WASI) $(EXT_RUST))
HOSTILE   := $(patsubst test/ext/hostile/%.wat,%,$(wildcard test/ext/hostile/*.wat)) wrong_abi syscalls truncated
HOSTILE_WASM := $(HOSTILE:%=$(B)/ext/hostile/%.wasm)
EXT_TEST  := $(B)/ext/test/inject.wasm $(B)/ext/test/sweep.wasm

$(EXT_C:%=$(B)/ext/%.wasm): $(B)/ext/%.wasm: examples/ext/%.c sdk/c/whelk.h sys/names.h
	@mkdir -p $(@D)
	$(WASM_CC) $< -o $@
$(EXT_WASI:%=$(B)/ext/%.wasm): $(B)/ext/%.wasm: examples/ext/%.c
	@mkdir -p $(@D)
	$(WASI_CC) $< -o $@
# Debian's rustc (a newer one elsewhere on PATH has no such target); lld-19 does not take the objects of Debian's Rust library.
$(EXT_RUST:%=$(B)/ext/%.wasm): $(B)/ext/%.wasm: examples/ext/%.rs
	@mkdir -p $(@D)
	$(RUSTC) --target wasm32-wasi -O -C linker=wasm-ld-14 -C strip=symbols --crate-type cdylib $< -o $@
$(B)/ext/hostile/%.wasm: test/ext/hostile/%.wat
	@mkdir -p $(@D)
	wat2wasm $< -o $@
$(B)/ext/hostile/wrong_abi.wasm $(B)/ext/hostile/syscalls.wasm: $(B)/ext/hostile/%.wasm: test/ext/hostile/%.c sdk/c/whelk.h
	@mkdir -p $(@D)
	$(WASM_CC) $< -o $@
$(B)/ext/test/inject.wasm: test/e2e/programs/inject.c sdk/c/whelk.h
	@mkdir -p $(@D)
	$(WASM_CC) $< -o $@
$(B)/ext/test/sweep.wasm: test/e2e/programs/sweep.c
	@mkdir -p $(@D)
	$(WASI_CC) $< -o $@
# A whole module, cut in the middle of a section.
$(B)/ext/hostile/truncated.wasm: $(B)/ext/tracer.wasm
	@mkdir -p $(@D)
	head -c $$(($$(stat -c %s $<) / 2)) $< > $@

.PHONY: ext
ext: $(EXT_WASM) $(HOSTILE_WASM)
ALL += $(EXT_WASM) $(HOSTILE_WASM) $(EXT_TEST)

# The unit tests of ext/ run it on a kernel of stand-ins.
EXT_UNIT := $(patsubst test/unit/%.c,$(B)/asan/unit/%,$(wildcard test/unit/ext_*.c))
$(EXT_UNIT): $(patsubst %.c,$(B)/asan/%.o,$(wildcard ext/*.c) test/ext/kernel.c)
$(EXT_UNIT:%=%.run): $(EXT_WASM) $(HOSTILE_WASM)
