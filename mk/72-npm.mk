# Modules of real packages from npm: make npm. Fetches some 300 MB: not part of make check.
.PHONY: npm
npm: $(B)/whelk
	@test/npm/run $(B)/whelk $(B)/npm
