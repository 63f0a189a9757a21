# The engine as a library (doc/embedding.md): build/libwhelk-wasm.a, with wasm.h.
# It is one object, linked of the very objects that kernel and host command have;
# only the names of the interface are left global in it.
CAPI_SRC  := $(wildcard capi/*.c)
CAPI_HOST := cli/host_rt.c cli/host_code.c cli/host_wasi.c
LIBWASM   := $(B)/libwhelk-wasm.a

# Position-independent: it may become part of a shared object, as bindings for other languages are.
CAPI_OBJ := $(patsubst %.c,$(B)/host/%.o,$(CAPI_SRC) $(CAPI_HOST))
$(CAPI_OBJ): HOSTED += -fPIC -fno-semantic-interposition
$(LIBWASM): $(CAPI_OBJ) $(PURE_OBJ)
	@mkdir -p $(B)/capi
	ld -r -o $(B)/capi/whole.o $^
	objcopy --localize-hidden -w -L 'capi_*' -L 'host_*' -L assert_fail $(B)/capi/whole.o $(B)/capi/whelk-wasm.o
	rm -f $@ && ar rcs $@ $(B)/capi/whelk-wasm.o
ALL += $(LIBWASM)

# make install PREFIX=DIR: library, headers, pkg-config's file.
PREFIX ?= /usr/local
.PHONY: install
install: $(LIBWASM)
	@mkdir -p $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/include/whelk
	cp $(LIBWASM) $(DESTDIR)$(PREFIX)/lib/
	cp include/wasm.h $(DESTDIR)$(PREFIX)/include/
	cp include/whelk/engine.h $(DESTDIR)$(PREFIX)/include/whelk/
	sed 's|@PREFIX@|$(PREFIX)|' capi/whelk-wasm.pc.in > $(DESTDIR)$(PREFIX)/lib/pkgconfig/whelk-wasm.pc

# make capi: programs against wasm.h, under sanitizers; then the installed library.
CAPI_TESTS := $(patsubst test/capi/%.c,%,$(wildcard test/capi/*.c))
CAPI_ASAN  := $(patsubst %.c,$(B)/asan/%.o,$(filter-out capi/fail.c,$(CAPI_SRC)) $(CAPI_HOST) test/lib/test.c test/lib/wat.c test/capi/lib/embed.c)
$(CAPI_TESTS:%=$(B)/asan/capi/%-test): $(B)/asan/capi/%-test: $(B)/asan/test/capi/%.o $(CAPI_ASAN) $(ENGINE_ASAN)
	@mkdir -p $(@D)
	$(CC) $(SAN) -pie $(CAPI_WRAP) $^ -lm -o $@
$(B)/asan/capi/scarce-test: CAPI_WRAP := -Wl,--wrap=malloc,--wrap=calloc
.PHONY: capi
capi: $(CAPI_TESTS:%=$(B)/asan/capi/%-test.run) $(LIBWASM)
	+@test/capi/install $(B)/capi/installed
CHECKS += capi
