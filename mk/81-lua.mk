# Lua's interpreter, unchanged: natively, and as a WASI program whose errors are
# longjmps by sdk/c/setjmp.c, clang's legacy exceptions. Both say the same.
#   make lua        (fetches Lua's sources once, as make bench does)
LUA_C := $(addprefix $(BENCH_LUA)/,$(addsuffix .c,lua lapi lauxlib lbaselib lcode lcorolib lctype ldblib ldebug ldo ldump lfunc \
         lgc linit liolib llex lmathlib lmem loadlib lobject lopcodes loslib lparser lstate lstring lstrlib ltable ltablib ltm \
         lundump lutf8lib lvm lzio))

$(B)/guest/lua.wasm: $(BENCH)/lua/.fetched test/guest/lua/missing.c sdk/c/setjmp.c sdk/c/setjmp.h
	@mkdir -p $(@D)
	$(CLANG) --target=wasm32-wasi -O2 -w -mllvm -wasm-enable-sjlj -mexception-handling -Isdk/c -DL_tmpnam=32 \
	    -D_WASI_EMULATED_SIGNAL -D_WASI_EMULATED_PROCESS_CLOCKS $(LUA_C) $(filter %.c,$^) \
	    -lwasi-emulated-signal -lwasi-emulated-process-clocks -lm -Wl,-s -o $@
$(B)/guest/lua: $(BENCH)/lua/.fetched
	@mkdir -p $(@D)
	$(CC) -O2 -w -DLUA_USE_POSIX $(LUA_C) -lm -o $@

.PHONY: lua
lua: $(B)/guest/lua.wasm $(B)/guest/lua $(B)/whelk
	@cd test/guest/lua && passed=0 failed=0; for s in *.lua; do \
	    $(CURDIR)/$(B)/guest/lua $$s > $(CURDIR)/$(B)/guest/native.txt 2>&1; \
	    $(CURDIR)/$(B)/whelk wasm --dir=. $(CURDIR)/$(B)/guest/lua.wasm -- $$s > $(CURDIR)/$(B)/guest/wasm.txt 2>&1; \
	    if cmp $(CURDIR)/$(B)/guest/native.txt $(CURDIR)/$(B)/guest/wasm.txt; then passed=$$((passed + 1)); \
	    else failed=$$((failed + 1)); fi; done; \
	    echo "lua: $$passed passed, $$failed failed"; [ $$failed = 0 ]
