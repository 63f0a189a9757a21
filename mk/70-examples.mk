# Programs that know nothing of Whelk: plain C for Linux, static, by musl-gcc.
EXAMPLES := $(B)/examples/httpd $(B)/examples/hello $(B)/examples/abi

$(B)/examples/httpd: examples/http/httpd.c
$(B)/examples/hello: examples/hello/hello.c
$(B)/examples/abi: test/abi/abi.c
$(EXAMPLES):
	@mkdir -p $(@D)
	musl-gcc -static -O2 -g -Wall -Wextra -Werror $< -o $@

# libwhelk.a, for programs that extend themselves; one that does; its rules.
# Neither libc's own: no fortified calls, no stack protector.
LIBWHELK := $(B)/libwhelk.a
$(LIBWHELK): sdk/program/libwhelk.c sdk/program/libwhelk.h include/whelk/ctl.h
	@mkdir -p $(@D)
	musl-gcc -c -fPIC -O2 -g -Wall -Wextra -Werror -fno-stack-protector -Iinclude -Isdk/program $< -o $(B)/libwhelk.o
	rm -f $@ && ar rcs $@ $(B)/libwhelk.o
$(B)/examples/shop: examples/inside/shop.c $(LIBWHELK)
	@mkdir -p $(@D)
	musl-gcc -static -O2 -g -Wall -Wextra -Werror -Isdk/program $^ -o $@
RULES := $(patsubst examples/inside/%.c,$(B)/ext/%.wasm,$(wildcard examples/inside/rule_*.c))
$(RULES): $(B)/ext/%.wasm: examples/inside/%.c sdk/c/whelk.h
	@mkdir -p $(@D)
	$(WASM_CC) $< -o $@

ALL += $(EXAMPLES) $(LIBWHELK) $(B)/examples/shop $(RULES)

$(B)/asan/unit/ext_inside.run: $(RULES)

# Hosted tests of fs/ and of what sys/ has that is pure.
$(B)/asan/unit/program_files: $(B)/asan/fs/cpio.o $(B)/asan/sys/elf64.o
FS_TREE := $(addprefix fs/,vfs.o vfs_names.o vfs_kinds.o tmpfs.o file.o initrd.o cpio.o) test/fs/kernel.o
$(B)/asan/unit/vfs $(B)/asan/unit/initrd: $(FS_TREE:%=$(B)/asan/%)
$(B)/fuzz/bin/elf: $(B)/fuzz/sys/elf64.o
$(B)/fuzz/bin/initrd: $(FS_TREE:%=$(B)/fuzz/%)
