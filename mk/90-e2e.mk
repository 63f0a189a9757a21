# End to end: a guest under QEMU, driven by the host command and real clients.
#   make e2e                      short counts, part of make check
#   make e2e-long                 1,000 reloads, 10,000 requests
E2E := abi hostile reload load wasi
.PHONY: e2e e2e-long
e2e: $(E2E:%=e2e-%)
e2e-wasi: $(WASI_WASM)
e2e-%:
	@test/e2e/$*
e2e-long:
	@CYCLES=1000 test/e2e/reload
	@REQUESTS=10000 test/e2e/load
CHECKS += e2e
