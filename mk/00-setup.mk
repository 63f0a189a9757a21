# The two commands of a newcomer. Both make the machine ready, build in
# parallel, then act. They work before any tool but make is installed: nothing
# that this Makefile runs while it is read may need a compiler.
JOBS := $(shell nproc 2>/dev/null || echo 2)
# A -j given by the user reaches the recursive make by itself.
SUB  := $(MAKE) --no-print-directory

.PHONY: run check setup
setup:
	@tools/setup

run: setup
	@echo "building with $(JOBS) jobs"
	@+$(SUB) -s -j$(JOBS) all
	@tools/demo

# Suites, in CHECKS, are targets whose output ends in a line of counts.
check: setup
	@echo "building with $(JOBS) jobs"
	@+$(SUB) -s -j$(JOBS) all
	@tools/check $(JOBS) $(CHECKS)
