# Programs that know nothing of Whelk: plain C for Linux, static, by musl-gcc.
EXAMPLES := $(B)/examples/httpd $(B)/examples/hello

$(B)/examples/httpd: examples/http/httpd.c
$(B)/examples/hello: examples/hello/hello.c
$(EXAMPLES):
	@mkdir -p $(@D)
	musl-gcc -static -O2 -g -Wall -Wextra -Werror $< -o $@

ALL += $(EXAMPLES)
