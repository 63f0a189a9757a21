# The official suite: make spec (hosted, under ASan and UBSan),
# make spec-vm (in ring 0, on two CPU models). SCRIPT=NAME runs one file.
# The suite is not part of the project; see the message below.
SPEC_SUITE := $(or $(WASM_TESTSUITE),$(wildcard ../shared/spec/testsuite))
SPEC_PACK  := $(B)/spec/pack.bin
SPEC_SRC   := $(wildcard test/spec/*.c)
SPEC_HOST  := $(patsubst %.c,$(B)/asan/%.o,$(SPEC_SRC) $(wildcard test/spec/host/*.c) cli/host_rt.c cli/host_code.c test/lib/test.c)
SPEC_ABSENT = @echo "spec: skipped: no suite; git clone https://github.com/WebAssembly/testsuite, check out 193e551ff22663995b1ac95dc62344133669e14b, set WASM_TESTSUITE"

$(B)/asan/spec: $(SPEC_HOST) $(ENGINE_ASAN)
	$(CC) $(SAN) -pie $^ -o $@

# A few modules are in a syntax that only jco reads. Without it they are skipped.
JCO ?= $(B)/spec/jco
$(B)/spec/jco.stamp:
	@mkdir -p $(B)/spec/jco
	@[ -d $(JCO)/node_modules/@bytecodealliance/jco ] || ! command -v npm > /dev/null || \
	    (cd $(B)/spec/jco && timeout 120 npm install --silent --no-audit --no-fund @bytecodealliance/jco@1.35) || \
	    echo "spec: jco could not be installed; the modules that need it are skipped"
	@touch $@

$(SPEC_PACK): $(B)/spec/jco.stamp $(wildcard $(SPEC_SUITE)/*.wast) $(wildcard test/spec/*.py) test/spec/deferred.txt
	@mkdir -p $(@D)
	JCO=$(JCO) python3 test/spec/convert.py $(SPEC_SUITE) test/spec/deferred.txt $(B)/spec/wat $@

$(B)/obj/test/spec/vm/spec.o: $(SPEC_PACK)
$(B)/vm/test-spec.elf: $(B)/obj/test/spec/vm/spec.o $(SPEC_SRC:%.c=$(B)/obj/%.o) $(VM_TEST_LIB) $$(KERNEL_OBJ) $(VM_LD) plat/vm/symbols.awk
	$(vm_link)

.PHONY: spec spec-vm
ifneq ($(wildcard $(SPEC_SUITE)/i32.wast),)
spec: $(B)/asan/spec $(SPEC_PACK)
	@timeout 600 $(B)/asan/spec $(SPEC_PACK) $(SCRIPT)
	@SPEC_CPU=baseline timeout 600 $(B)/asan/spec $(SPEC_PACK) $(SCRIPT) > $(B)/spec/baseline.log || \
	    { cat $(B)/spec/baseline.log; exit 1; }
	@SPEC_CHECKED=1 SPEC_CPU=sse4 timeout 600 $(B)/asan/spec $(SPEC_PACK) $(SCRIPT) > $(B)/spec/checked.log || \
	    { cat $(B)/spec/checked.log; exit 1; }
spec-vm: $(B)/vm/test-spec.elf
	@VM_MEMORY=512M VM_TIMEOUT=600 test/vm/run $< max
	@VM_MEMORY=512M VM_TIMEOUT=600 test/vm/run $< qemu64
else
spec spec-vm:
	$(SPEC_ABSENT)
	@echo "0 passed, 0 failed, 1 skipped"
endif

CHECKS += spec spec-vm
