# The kernel as a VM image, and images that boot and check themselves:
# build/vm/test-NAME.elf is the kernel with test/vm/NAME.c, whose vm_test()
# runs in place of the program.
KERNEL_SRC := $(wildcard $(addsuffix /*.c,$(KERNEL)) $(addsuffix /*/*.c,$(KERNEL)))
KERNEL_ASM := $(wildcard $(addsuffix /*.S,$(KERNEL)))
# Later fragments (lwIP) may add objects to KERNEL_EXTRA: it is expanded late.
KERNEL_OBJ  = $(sort $(KERNEL_SRC:%.c=$(B)/obj/%.o)) $(KERNEL_ASM:%.S=$(B)/obj/%.o) \
              $(B)/obj/base/freestanding.o $(PURE_OBJ) $(KERNEL_EXTRA)
VM_KERNEL  := $(B)/vm/whelk.elf
VM_TESTS   := $(patsubst test/vm/%.c,%,$(wildcard test/vm/*.c))
VM_TEST_LIB := $(patsubst %.c,$(B)/obj/%.o,$(wildcard test/vm/lib/*.c))
VM_LD      := plat/vm/kernel.ld
VM_LINK     = $(CC) -nostdlib -static -no-pie -Wl,-T,$(VM_LD),-z,max-page-size=4096,--build-id=none,--no-warn-rwx-segments

.SECONDEXPANSION:

# Two links: the first yields the addresses of the functions, the second adds
# the table of their names for backtraces.
define vm_link
	@mkdir -p $(@D)
	awk -f plat/vm/symbols.awk < /dev/null > $@.S
	$(CC) -c $@.S -o $@.symbols.o
	$(VM_LINK) $(filter %.o,$^) $@.symbols.o -o $@.1
	nm -n $@.1 | awk -f plat/vm/symbols.awk > $@.S
	$(CC) -c $@.S -o $@.symbols.o
	$(VM_LINK) $(filter %.o,$^) $@.symbols.o -o $@
	@rm -f $@.1
endef

$(VM_KERNEL): $$(KERNEL_OBJ) $(VM_LD) plat/vm/symbols.awk
	$(vm_link)

$(B)/vm/test-%.elf: $(B)/obj/test/vm/%.o $(VM_TEST_LIB) $$(KERNEL_OBJ) $(VM_LD) plat/vm/symbols.awk
	$(vm_link)

$(B)/obj/%.o: %.S
	@mkdir -p $(@D)
	$(CC) -I. -MMD -MP -g -c $< -o $@

# A module for a test image: test/vm/NAME.wat as bytes for a C initialiser.
VM_WAT := $(wildcard test/vm/*.wat)
$(VM_WAT:%.wat=$(B)/obj/%.o): $(B)/obj/%.o: $(B)/gen/%.inc
$(B)/obj/test/vm/step.o $(B)/process/obj/test/vm/step.o: $(B)/gen/test/vm/step_careful.inc $(B)/gen/test/vm/step_other.inc
$(B)/gen/%.inc: %.wat
	@mkdir -p $(@D)
	wat2wasm --enable-multi-memory --enable-threads --enable-exceptions --enable-tail-call $< -o $@.wasm
	od -v -An -tu1 $@.wasm | sed 's/[0-9][0-9]*/&,/g' > $@

# The same images behind a loader that enters them as Linux's 64-bit boot
# protocol does: build/vm/linux-NAME.elf. Its kernel is stripped: it is copied.
LINUX_LOADER := $(B)/obj/test/vm/linux/load.o
$(B)/vm/linux-%.elf: $(B)/vm/%.elf $(LINUX_LOADER) test/vm/linux/entry.S test/vm/linux/loader.ld
	strip -s $< -o $@.kernel
	$(CC) -c -DKERNEL='"$@.kernel"' test/vm/linux/entry.S -o $@.o
	$(CC) -nostdlib -static -no-pie -Wl,-T,test/vm/linux/loader.ld,--build-id=none,--no-warn-rwx-segments $@.o $(LINUX_LOADER) -o $@
	@rm -f $@.kernel $@.o

# Machines and ways in, beside those of each test: boot's runs are the quickest.
boot.vmrun: $(B)/vm/test-boot.elf $(B)/vm/linux-test-boot.elf
	@for machine in microvm microvm,acpi=on q35 pc; do for image in test linux-test; do for cpu in max qemu64; do \
	    case $$machine in microvm*) bus=device ;; *) bus=pci ;; esac; \
	    VM_MACHINE=$$machine VM_ARGS="-device virtio-rng-$$bus" test/vm/run $(B)/vm/$$image-boot.elf $$cpu || exit 1; done; done; done

.PHONY: vm vm-test
vm: $(VM_KERNEL)
vm-test: $(VM_TESTS:%=%.vmrun)
%.vmrun: $(B)/vm/test-%.elf
	@test/vm/run $< max test/vm/$*.c
	@test/vm/run $< qemu64 test/vm/$*.c

# Every instruction of an extension's way interrupted; make step: all programs, and every step of the short ones.
step.vmrun: $(B)/vm/test-step.elf
	@VM_TIMEOUT=600 test/vm/run $< max
.PHONY: step
step: $(B)/vm/test-step.elf
	@VM_APPEND=every VM_TIMEOUT=1200 test/vm/run $< max

# Hosted tests of what reads the boot protocols.
BOOT_READERS := plat/vm/acpi.o plat/vm/pvh.o plat/vm/linux.o kern/bootinfo.o
$(B)/asan/unit/vm_boot: $(BOOT_READERS:%=$(B)/asan/%)
$(B)/fuzz/bin/boot: $(addprefix $(B)/fuzz/,$(BOOT_READERS) test/lib/boot_tables.o)

ALL    += $(VM_KERNEL)
CHECKS += vm-test
