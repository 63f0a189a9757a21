# Hosted unit tests: each test/unit/NAME.c is a program; all run under ASan
# and UBSan. `make check` runs everything that ends within minutes.
UNIT      := $(patsubst test/unit/%.c,%,$(wildcard test/unit/*.c))
UNIT_BIN  := $(UNIT:%=$(B)/asan/unit/%)
TEST_LIB  := $(patsubst %.c,$(B)/asan/%.o,$(wildcard test/lib/*.c) cli/host_rt.c cli/host_code.c cli/host_wasi.c)

$(B)/asan/unit/%: $(B)/asan/test/unit/%.o $(TEST_LIB) $(ENGINE_ASAN)
	@mkdir -p $(@D)
	$(CC) $(SAN) -pie $(filter %.o,$^) $(filter %.a,$^) -lm -o $@

.PHONY: unit tidy
unit: $(UNIT_BIN:%=%.run)
%.run: %
	@$<

tidy:
	@test/tidy/tidy

CHECKS += unit tidy
.SECONDARY:

# Guests of tests, by the compiler that extensions are built with.
$(B)/guest/jumps.wasm: test/guest/jumps.c test/guest/jumps_cxx.cc sdk/c/setjmp.c sdk/c/setjmp.h
	@mkdir -p $(@D)
	clang-19 --target=wasm32-unknown-unknown -O2 -nostdlib -Wl,--no-entry -Isdk/c -mllvm -wasm-enable-sjlj \
	    -mexception-handling -Wall -Wextra -Wno-infinite-recursion $(filter %.c %.cc,$^) -o $@
$(B)/asan/unit/rt_setjmp.run: $(B)/guest/jumps.wasm

# The corpus of hostile modules, for test/unit/rt_corpus.c.
$(B)/hostile/index: test/hostile/make.py
	@python3 test/hostile/make.py $(B)/hostile
$(B)/asan/unit/rt_corpus.run: $(B)/hostile/index
