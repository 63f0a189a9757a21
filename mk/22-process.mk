# The kernel as a process of Linux (plat/process): build/process/whelk, and test
# images build/process/test-NAME. Objects of folders that see arch/ (kern, sys,
# init, tests) are compiled for it anew; all others are the VM's very own.
PROCESS       := $(B)/process
PROCESS_OWN   := arch/x86_64 arch/process kern sys init plat/process
PROCESS_SRC   := $(wildcard $(addsuffix /*.c,$(PROCESS_OWN)))
PROCESS_ASM   := $(wildcard $(addsuffix /*.S,$(PROCESS_OWN)))
PROCESS_SAME  := dev/net.c $(wildcard net/*.c fs/*.c ext/*.c)
# Later fragments may add to KERNEL_EXTRA: it is expanded late.
PROCESS_OBJ    = $(PROCESS_SRC:%.c=$(PROCESS)/obj/%.o) $(PROCESS_ASM:%.S=$(PROCESS)/obj/%.o) \
                 $(PROCESS_SAME:%.c=$(B)/obj/%.o) $(B)/obj/base/freestanding.o $(PURE_OBJ) $(KERNEL_EXTRA)
PROCESS_KERNEL := $(PROCESS)/whelk
PROCESS_LD     := plat/process/kernel.ld
PROCESS_LINK    = $(CC) -nostdlib -static -no-pie -Wl,-T,$(PROCESS_LD),-z,max-page-size=4096,--build-id=none,--no-relax

define process_link
	@mkdir -p $(@D)
	awk -f plat/vm/symbols.awk < /dev/null > $@.S
	$(CC) -c $@.S -o $@.symbols.o
	$(PROCESS_LINK) $(filter %.o,$^) $@.symbols.o -o $@.1
	nm -n $@.1 | awk -v base=0000700080000000 -f plat/vm/symbols.awk > $@.S
	$(CC) -c $@.S -o $@.symbols.o
	$(PROCESS_LINK) $(filter %.o,$^) $@.symbols.o -o $@
	@rm -f $@.1
endef

$(PROCESS_KERNEL): $$(PROCESS_OBJ) $(PROCESS_LD) plat/vm/symbols.awk
	$(process_link)

$(PROCESS)/test-%: $(PROCESS)/obj/test/vm/%.o $(VM_TEST_LIB) $$(PROCESS_OBJ) $(PROCESS_LD) plat/vm/symbols.awk
	$(process_link)

$(PROCESS)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(FREE) -DWHELK_PROCESS -c $< -o $@
$(PROCESS)/obj/%.o: %.S
	@mkdir -p $(@D)
	$(CC) -I. -MMD -MP -g -c $< -o $@
$(VM_WAT:%.wat=$(PROCESS)/obj/%.o): $(PROCESS)/obj/%.o: $(B)/gen/%.inc

ALL += $(PROCESS_KERNEL)

# make process-test: the images of vm-test that need no device of a VM.
PROCESS_TESTS := kernel engine shared step program panic_code panic_execute panic_null panic_overflow
.PHONY: process-test
process-test: $(PROCESS_TESTS:%=%.prun)
# A signal for each instruction.
step.prun: export PROCESS_TIMEOUT := 600
%.prun: $(PROCESS)/test-%
	@test/process/run $< test/vm/$*.c

CHECKS += process-test

# test/process/NAME.c: images for this machine alone.
PROCESS_ALONE := $(patsubst test/process/%.c,%,$(wildcard test/process/*.c))
$(PROCESS_ALONE:%=$(PROCESS)/test-%): $(PROCESS)/test-%: $(PROCESS)/obj/test/process/%.o $(VM_TEST_LIB) $$(PROCESS_OBJ) $(PROCESS_LD) plat/vm/symbols.awk
	$(process_link)
process-test: $(PROCESS_ALONE:%=%.palone)
scatter.palone: export PROCESS_MEMORY := 384M
%.palone: $(PROCESS)/test-%
	@test/process/run $< test/process/$*.c
	@test/process/run $< test/process/$*.c crash=stop

# make process-san: all of the kernel and engine (not lwIP) once more under
# AddressSanitizer and UBSan (plat/process/asan), through the images and a guest;
# process-san-check, in make check: the images alone.
PROCESS_SAN     := $(B)/process-san
PROCESS_SAN_SRC  = $(PROCESS_SRC) plat/process/asan/asan.c $(PROCESS_SAME) base/freestanding.c $(PURE_SRC)
PROCESS_SAN_OBJ  = $(PROCESS_SAN_SRC:%.c=$(PROCESS_SAN)/obj/%.o) $(PROCESS_ASM:%.S=$(PROCESS)/obj/%.o) $(LWIP_OBJ)
# gcc 12 forgets `volatile` where it checks a bool.
SAN_KERNEL      := -DWHELK_ASAN -fsanitize=undefined -fno-sanitize=bool,enum -fsanitize-undefined-trap-on-error -Wno-maybe-uninitialized
SAN_ADDRESS     := -fsanitize=kernel-address --param asan-stack=0 --param asan-globals=0 \
                   --param asan-instrumentation-with-call-threshold=0
$(PROCESS_SAN)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(FREE) -DWHELK_PROCESS $(SAN_KERNEL) $(SAN_ADDRESS) -c $< -o $@
$(PROCESS_SAN)/obj/kern/heap.o $(PROCESS_SAN)/obj/plat/process/asan/asan.o: SAN_ADDRESS :=
$(PROCESS_SAN)/obj/plat/process/asan/asan.o: FREE += -fno-builtin # what it defines gcc knows, with pointers
$(PROCESS_SAN)/obj/net/%.o: FREE += $(LWIP_INC)
$(VM_WAT:%.wat=$(PROCESS_SAN)/obj/%.o): $(PROCESS_SAN)/obj/%.o: $(B)/gen/%.inc
$(PROCESS_SAN)/whelk: $$(PROCESS_SAN_OBJ) $(PROCESS_LD) plat/vm/symbols.awk
	$(process_link)
$(PROCESS_SAN)/test-%: $(PROCESS_SAN)/obj/test/vm/%.o $(VM_TEST_LIB) $$(PROCESS_SAN_OBJ) $(PROCESS_LD) plat/vm/symbols.awk
	$(process_link)
.PHONY: process-san process-san-check
SAN_FAULTS := $(patsubst test/process/san/%.c,%,$(wildcard test/process/san/*.c))
$(SAN_FAULTS:%=$(PROCESS_SAN)/test-%): $(PROCESS_SAN)/test-%: $(PROCESS_SAN)/obj/test/process/san/%.o $(VM_TEST_LIB) $$(PROCESS_SAN_OBJ) $(PROCESS_LD) plat/vm/symbols.awk
	$(process_link)
%.pfault: $(PROCESS_SAN)/test-%
	@test/process/run $< test/process/san/$*.c
process-san-check: $(patsubst %,%.psan,kernel engine shared program) $(SAN_FAULTS:%=%.pfault)
CHECKS += process-san-check
process-san: process-san-check $(PROCESS_SAN)/whelk $(B)/whelk
	@for t in abi hostile inside; do \
	    WHELK_PROCESS_KERNEL=$(PROCESS_SAN)/whelk WHELK_OPTIONS="--plat process" E2E_OUT=e2e-$$t-san test/e2e/$$t || exit 1; done
%.psan: $(PROCESS_SAN)/test-%
	@PROCESS_MEMORY=96M test/process/run $< test/vm/$*.c
