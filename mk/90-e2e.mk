# End to end: a guest under QEMU, driven by the host command and real clients.
#   make e2e                      short counts, part of make check
#   make e2e-long                 1,000 reloads, 10,000 requests; real WASI programs (mk/82-programs.mk)
#   make soak SECONDS=1800        mixed traffic while extensions come, go and are killed; SEED=N repeats the choices,
#                                 WHELK_OPTIONS="--plat process" takes the other machine
#   make e2e-matrix               the tests of MATRIX_TESTS on each machine, CPU model and way in
E2E := abi hostile reload load wasi machine strace inside boot calls crash bench
# Longer than make check has time for: make e2e-apps, and in e2e-long.
E2E_LONG := apps
.PHONY: e2e e2e-long e2e-matrix
e2e: $(E2E:%=e2e-%)
e2e-wasi: $(WASI_WASM)
e2e-crash: $(foreach p,panic_null panic_overflow,$(B)/vm/test-$(p).elf $(PROCESS)/test-$(p))
e2e-bench: bench-vm-images
e2e-%:
	@test/e2e/$*
e2e-long:
	@CYCLES=1000 test/e2e/reload
	@REQUESTS=10000 test/e2e/load
	@for t in $(E2E_LONG); do test/e2e/$$t || exit 1; done
	@$(MAKE) -s wasi-programs
.PHONY: soak
soak: SECONDS = 1800
soak: $(B)/whelk $(PROCESS_KERNEL) $(B)/vm/whelk.elf $(EXAMPLES) $(EXT_WASM) $(HOSTILE_WASM) $(EXT_TEST)
	@SECONDS=$(SECONDS) test/e2e/soak
# Short enough for make check: the ABI's test on the other machine.
MATRIX_MACHINE := microvm q35
MATRIX_CPU     := max qemu64
MATRIX_TESTS   := abi hostile reload load strace inside calls
MATRIX_KERNEL  := whelk linux-whelk
e2e-q35: $(B)/vm/linux-whelk.elf
	@E2E_OUT=e2e-abi-q35 WHELK_OPTIONS="--machine q35 --cpu qemu64 --kernel $(B)/vm/linux-whelk.elf" test/e2e/abi
e2e: e2e-q35
e2e-matrix: $(B)/vm/linux-whelk.elf
	@for m in $(MATRIX_MACHINE); do for c in $(MATRIX_CPU); do for k in $(MATRIX_KERNEL); do \
	    for t in $(MATRIX_TESTS); do \
	        echo "$$m $$c $$k:"; \
	        WHELK_OPTIONS="--machine $$m --cpu $$c --kernel $(B)/vm/$$k.elf" test/e2e/$$t || exit 1; \
	    done; done; done; done
CHECKS += e2e

# The same tests against the process build, one after the other (both machines
# write the same names under build/).
E2E_PROCESS := abi hostile reload load wasi strace inside
.PHONY: e2e-process
e2e-process: $(B)/whelk $(PROCESS_KERNEL) $(WASI_WASM)
	@for t in $(E2E_PROCESS); do WHELK_OPTIONS="--plat process" E2E_OUT=e2e-$$t-process test/e2e/$$t || exit 1; done
CHECKS += e2e-process
