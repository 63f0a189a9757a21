# Programs that know nothing of Whelk: plain C for Linux, static, by musl-gcc.
EXAMPLES := $(B)/examples/httpd $(B)/examples/hello $(B)/examples/abi

$(B)/examples/httpd: examples/http/httpd.c
$(B)/examples/hello: examples/hello/hello.c
$(B)/examples/abi: test/abi/abi.c
$(EXAMPLES):
	@mkdir -p $(@D)
	musl-gcc -static -O2 -g -Wall -Wextra -Werror $< -o $@

ALL += $(EXAMPLES)

# Hosted tests of fs/ and of what sys/ has that is pure.
$(B)/asan/unit/program_files: $(B)/asan/fs/cpio.o $(B)/asan/sys/elf64.o
$(B)/asan/unit/vfs: $(addprefix $(B)/asan/fs/,vfs.o vfs_names.o vfs_kinds.o tmpfs.o file.o initrd.o cpio.o)
$(B)/fuzz/bin/files: $(B)/fuzz/fs/cpio.o $(B)/fuzz/sys/elf64.o
