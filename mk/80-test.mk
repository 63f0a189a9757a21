# Hosted unit tests: each test/unit/NAME.c is a program; all run under ASan
# and UBSan. `make check` runs everything that ends within minutes.
UNIT      := $(patsubst test/unit/%.c,%,$(wildcard test/unit/*.c))
UNIT_BIN  := $(UNIT:%=$(B)/asan/unit/%)
TEST_LIB  := $(patsubst %.c,$(B)/asan/%.o,$(wildcard test/lib/*.c) cli/host_rt.c cli/host_wasi.c)

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
