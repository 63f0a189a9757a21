# Real programs over WASI beside their native builds: SQLite's shell, bzip2, C++
# (errors: with exceptions, sdk/cxx/throw.cc), Lua. Sources are Debian's, fetched once, nothing changed in them.
#   make wasi-programs     as WASI programs of this host, of a VM and of a process,
#                          and as extensions of both
#   make wasi-sqlite       the SQL of SQLite's own tests through both shells
#   make wasi-bzip2        bzip2's own test script, with the WASI program
PROGRAMS  := $(B)/guest
UNIX      := test/guest/programs/unix
WASI_UNIX := --target=wasm32-wasi -O2 -w -D_WASI_EMULATED_SIGNAL -D_WASI_EMULATED_PROCESS_CLOCKS -D_WASI_EMULATED_GETPID \
             -I$(UNIX) -include $(UNIX)/unix.h
WASI_LIBS := -lwasi-emulated-signal -lwasi-emulated-process-clocks -lwasi-emulated-getpid -lm -Wl,-s
SQLITE_C  := $(BENCH_SQLITE)/sqlite3.c $(BENCH_SQLITE)/shell.c
# One program at a time opens a file: no locks (unix-none), no shared memory.
SQLITE_D  := -I$(BENCH_SQLITE) -DSQLITE_THREADSAFE=0 -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_OMIT_WAL -DSQLITE_MAX_MMAP_SIZE=0 \
             -DSQLITE_OMIT_POPEN -DSQLITE_NOHAVE_SYSTEM -DSQLITE_DEFAULT_UNIX_VFS='"unix-none"' -DSQLITE_ENABLE_FTS5 \
             -DSQLITE_ENABLE_MATH_FUNCTIONS
BZIP2     := $(PROGRAMS)/bzip2-source
BZIP2_C   := $(addprefix $(BZIP2)/tree/,$(addsuffix .c,bzip2 blocksort bzlib compress crctable decompress huffman randtable))

$(BZIP2)/.fetched: tools/fetch-source
	@mkdir -p $(@D)
	tools/fetch-source bzip2 1.0.8-5 bzip2_1.0.8.orig.tar.gz \
	    ab5a03176ee106d3f0fa90e381da478ddae405918153cca248e682cd0c4a2269 $(@D)
	@touch $@

$(PROGRAMS)/sqlite.wasm $(PROGRAMS)/sqlite: $(BENCH)/sqlite/.fetched
$(PROGRAMS)/bzip2.wasm $(PROGRAMS)/bzip2: $(BZIP2)/.fetched
$(PROGRAMS)/sqlite.wasm $(PROGRAMS)/bzip2.wasm: $(wildcard $(UNIX)/*)
$(PROGRAMS)/sqlite.wasm:
	@mkdir -p $(@D)
	$(CLANG) $(WASI_UNIX) $(SQLITE_D) $(SQLITE_C) $(UNIX)/unix.c $(WASI_LIBS) -o $@
$(PROGRAMS)/sqlite:
	@mkdir -p $(@D)
	$(CC) -O2 -w $(SQLITE_D) $(SQLITE_C) -lm -o $@
$(PROGRAMS)/bzip2.wasm:
	@mkdir -p $(@D)
	$(CLANG) $(WASI_UNIX) $(BZIP2_C) $(UNIX)/unix.c $(WASI_LIBS) -o $@
$(PROGRAMS)/bzip2:
	@mkdir -p $(@D)
	$(CC) -O2 -w $(BZIP2_C) -o $@
$(PROGRAMS)/words.wasm: test/guest/programs/words.cc
	@mkdir -p $(@D)
	$(CLANG) --driver-mode=g++ --target=wasm32-wasi -std=c++20 -O2 -fno-exceptions -stdlib=libc++ $< -Wl,-s -o $@
$(PROGRAMS)/errors.wasm: test/guest/programs/errors.cc sdk/cxx/throw.cc
	@mkdir -p $(@D)
	$(CLANG) --driver-mode=g++ --target=wasm32-wasi -std=c++20 -O2 -fwasm-exceptions -stdlib=libc++ $^ -Wl,-s -o $@
$(PROGRAMS)/words $(PROGRAMS)/errors: $(PROGRAMS)/%: test/guest/programs/%.cc
	@mkdir -p $(@D)
	$(CXX) -std=c++20 -O2 $< -o $@

WASI_PROGRAMS := $(foreach p,sqlite bzip2 words errors lua,$(PROGRAMS)/$(p) $(PROGRAMS)/$(p).wasm)
.PHONY: wasi-programs wasi-sqlite wasi-bzip2
wasi-programs: $(WASI_PROGRAMS) $(B)/whelk $(VM_KERNEL) $(PROCESS_KERNEL) $(B)/examples/httpd wasi-bzip2
	@for m in hosted process vm ext-process ext-vm; do test/guest/programs/run $$m || exit 1; done

# Its Makefile's own "test", where ./bzip2 is ours.
wasi-bzip2: $(PROGRAMS)/bzip2.wasm $(B)/whelk
	@printf '#!/bin/sh\nexec $(CURDIR)/$(B)/whelk wasm $(CURDIR)/$(PROGRAMS)/bzip2.wasm -- "$$@"\n' > $(BZIP2)/tree/bzip2
	@chmod +x $(BZIP2)/tree/bzip2
	@$(MAKE) -s -C $(BZIP2)/tree -o bzip2 test > $(PROGRAMS)/bzip2.log 2>&1 && echo "wasi-bzip2: 1 passed, 0 failed" || \
	    { cat $(PROGRAMS)/bzip2.log; echo "wasi-bzip2: 0 passed, 1 failed"; exit 1; }

SQLITE_TESTS := aggerror aggnested alter alter2 alter3 altertab altertrig autoinc between cast check collate1 collate2 collate3 \
    collate4 count date2 delete delete2 distinct distinct2 e_insert e_select e_update expr expr2 fkey1 fkey2 fkey3 fkey5 func \
    func2 func4 gencol1 having in in3 index index2 index3 index6 insert insert2 insert3 insert4 intpkey join join2 join4 join5 \
    join6 join7 joinB json101 json102 like limit minmax minmax2 minmax3 minmax4 misc1 misc3 misc5 notnull null orderby1 orderby5 \
    returning1 rowvalue rowvalue2 savepoint select1 select2 select3 select4 select5 select6 select7 select8 select9 \
    selectA selectB sort subquery subquery2 table trigger1 trigger2 trigger3 types types2 update upsert1 upsert2 upsert3 upsert4 \
    vacuum view where where2 where3 where4 window1 window2 window3 window5 window8 windowC windowD with1 with2 with3 \
    without_rowid1
wasi-sqlite: $(PROGRAMS)/sqlite $(PROGRAMS)/sqlite.wasm $(B)/whelk
	@test/guest/programs/sqlite_tests $(BENCH_SQLITE)/tree/test $(SQLITE_TESTS)
