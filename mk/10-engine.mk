# The pure folders as archives: one for every user, one with sanitizers.
ENGINE      := $(B)/libengine.a
ENGINE_ASAN := $(B)/asan/libengine.a

$(ENGINE): $(PURE_OBJ)
$(ENGINE_ASAN): $(PURE_SRC:%.c=$(B)/asan/%.o)
$(ENGINE) $(ENGINE_ASAN):
	@mkdir -p $(@D)
	rm -f $@ && ar rcs $@ $^

# What compiled code depends on, as bytes for a C initialiser: the key of a cache.
COMPILER_SRC := $(sort $(wildcard jit/*.[ch] jit/*/*.[ch] abi/*.h wasm/*.[ch]) rt/cache.c)
$(B)/gen/compiler.inc: $(COMPILER_SRC)
	@mkdir -p $(@D)
	@cat $^ | sha256sum | cut -c1-64 | sed 's/../0x&,/g' > $@
$(addsuffix /rt/cache.o,$(B)/obj $(B)/asan $(B)/fuzz $(B)/process-san/obj): $(B)/gen/compiler.inc

ALL += $(ENGINE)
