# The pure folders as archives: one for every user, one with sanitizers.
ENGINE      := $(B)/libengine.a
ENGINE_ASAN := $(B)/asan/libengine.a

$(ENGINE): $(PURE_OBJ)
$(ENGINE_ASAN): $(PURE_SRC:%.c=$(B)/asan/%.o)
$(ENGINE) $(ENGINE_ASAN):
	@mkdir -p $(@D)
	rm -f $@ && ar rcs $@ $^

ALL += $(ENGINE)
