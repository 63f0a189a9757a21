# Golden tests of the compiler: test/golden/NAME.wat beside NAME.txt.
#   make golden              compares
#   make golden UPDATE=1     writes the answers anew: read the diff before committing
$(B)/asan/golden: $(B)/asan/test/golden/dump.o $(TEST_LIB) $(ENGINE_ASAN)
	$(CC) $(SAN) -pie $^ -o $@

.PHONY: golden
golden: $(B)/asan/golden
	@test/golden/run $< $(if $(UPDATE),--update)

CHECKS += golden
