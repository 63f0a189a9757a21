# Attacks on the verifier of machine code.
#   make verify-faults            each unsafe bug of base/fault.h, built in, is refused
#   make allocation               bugs of register allocation, built in, are found by its checker
#   make mutate COUNT=1000000     random mutants of emitted code: refused, or harmless in an emulator;
#                                 PROCESSES=2 (as many as processors), SEED=1
#   make mutate VERIFY=off        the same without the verifier: finds escapes, or fails
#   make verify-native COUNT=...  generated functions that it accepts, run by this processor; SEED=1
#   make verify-decode COUNT=...  its decoder beside Zydis: all that it takes, and emitted instructions
#   make verify-speed             nanoseconds an instruction, and the proof's part of loading
VERIFY_LIB := $(patsubst %.c,$(B)/fuzz/%.o,$(PURE_SRC) test/verify/faults.c test/lib/wat.c test/lib/test.c)

$(B)/fuzz/verify-faults: $(VERIFY_LIB)
	$(CLANG) -fsanitize=address,undefined -pie $^ -lm -o $@

.PHONY: verify-faults
verify-faults: $(B)/fuzz/verify-faults
	@$<
CHECKS += verify-faults

$(B)/fuzz/allocation: $(patsubst %.c,$(B)/fuzz/%.o,$(PURE_SRC) test/verify/allocation.c test/verify/audit.c test/fuzz/gen.c test/lib/test.c)
	$(CLANG) -fsanitize=address,undefined -pie $^ -lZydis -lm -o $@

.PHONY: allocation
allocation: $(B)/fuzz/allocation
	@$<
CHECKS += allocation

# Without sanitizers: the emulator is the check, and time is short.
VERIFY_TOOL := $(patsubst %,$(B)/host/%.o,test/fuzz/gen cli/host_rt cli/host_code) $(ENGINE)
$(B)/host/mutate: $(patsubst %,$(B)/host/test/verify/%.o,mutate mutants edit replay machine watch) $(VERIFY_TOOL)
	$(CC) -pie $^ -lunicorn -lZydis -lm -o $@
$(B)/host/verify-native: $(patsubst %,$(B)/host/test/%.o,verify/native verify/native_make verify/native_run lib/proof lib/wat lib/test) $(ENGINE)
	$(CC) -pie $^ -lm -o $@
$(B)/host/verify-decode: $(B)/host/test/verify/decode.o $(VERIFY_TOOL)
	$(CC) -pie $^ -lZydis -lm -o $@
$(B)/host/verify-speed: $(patsubst %,$(B)/host/%.o,test/verify/speed cli/host_rt cli/host_code) $(ENGINE)
	$(CC) -pie $^ -lZydis -lm -o $@

.PHONY: mutate mutate-check verify-native verify-native-check verify-decode verify-decode-check verify-speed
mutate: $(B)/host/mutate
	@$< $(if $(PROCESSES),-j $(PROCESSES)) $(if $(SEED),-s $(SEED)) $(COUNT) $(VERIFY)
mutate-check: $(B)/host/mutate
	@$< 20000 on
	@$< -a 1000 on
	@$< 300 off
verify-native: $(B)/host/verify-native
	@$< $(or $(COUNT),100000) $(SEED)
verify-native-check: $(B)/host/verify-native
	@$< 50000
verify-decode: $(B)/host/verify-decode
	@$< $(COUNT) $(wildcard $(B)/ext/*.wasm $(B)/wasi/*.wasm) $(shell find $(B)/spec/wat -name '*.wasm' 2>/dev/null)
verify-speed: $(B)/host/verify-speed $(BENCH)/wasm/sqlite.wasm $(BENCH)/micro/tiny.wasm
	@$< $(or $(ROUNDS),30) $(filter %.wasm,$^)
verify-decode-check: $(B)/host/verify-decode
	@$< 50000
CHECKS += mutate-check verify-native-check verify-decode-check
