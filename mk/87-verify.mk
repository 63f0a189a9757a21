# Attacks on the verifier of machine code.
#   make verify-faults            each unsafe bug of base/fault.h, built in, is refused
#   make mutate COUNT=1000000     random mutants of emitted code: refused, or harmless in an emulator
#   make mutate VERIFY=off        the same without the verifier: finds escapes, or fails
#   make verify-decode COUNT=...  its decoder beside Zydis on emitted instructions
VERIFY_LIB := $(patsubst %.c,$(B)/fuzz/%.o,$(PURE_SRC) test/verify/faults.c test/lib/wat.c test/lib/test.c)

$(B)/fuzz/verify-faults: $(VERIFY_LIB)
	$(CLANG) -fsanitize=address,undefined -pie $^ -lm -o $@

.PHONY: verify-faults
verify-faults: $(B)/fuzz/verify-faults
	@$<
CHECKS += verify-faults
