# What CI checks beyond the specs.

# --- checks ----------------------------------------------------------------------------------
.PHONY: lint asan check-fast check
lint: all ## formatting, warnings and the boundaries between modules
	luacheck -q --no-color lua spec examples bench bin/ampersand .luacheckrc src .ci
	clang-format --dry-run -Werror $(wildcard src/*.[ch] include/*.h spec/support/*.[ch] spec/fuzz/*.[ch] bench/*.[ch] examples/*/*.[ch])
	MODULES="$(MODULES)" .ci/lint

# The interpreter itself is not instrumented, so the sanitizer's library must be there before it.
ASAN_RUNNER = env LD_PRELOAD="$(shell $(CC) -print-file-name=libasan.so) $(shell $(CC) -print-file-name=libubsan.so)" \
	ASAN_OPTIONS=detect_leaks=1:abort_on_error=0
asan: ## run SPECS under the sanitizers
	$(MAKE) --no-print-directory specs VARIANT=-asan RUNNER='$(ASAN_RUNNER)' LUA_VERSION=$(LUA_VERSION)

check-fast: deps-check ## lint, docs, and the sanitizers for two Luas
	$(MAKE) --no-print-directory lint
	$(MAKE) --no-print-directory docs
	$(MAKE) --no-print-directory asan LUA_VERSION=5.4
	$(MAKE) --no-print-directory asan LUA_VERSION=5.1

# No warnings: both compilers, both ways to optimise.
.PHONY: check-builds
check-builds: ## build without warnings by gcc and clang
	@for cc in gcc clang; do for o in -O2 -Os; do \
	    $(MAKE) --no-print-directory -s static all VARIANT=-$$cc$$o CC=$$cc CFLAGS="$$o -Werror" || exit 1; done; done

# Clean, apart from what is named in .ci/analyze with its reason.
.PHONY: analyze coverage
analyze: ## static analysis of the C code
	LUA_INC="$(LUA_INC)" .ci/analyze

# Which lines of C (gcov) and of Lua (a line hook) the specs reach: build/coverage/REPORT.md. It fails below 95 %, and where a
# line that is not reached has no reason in .ci/uncovered. nginx runs LuaJIT, HAProxy Lua 5.3, and Debian has copas for Lua 5.1
# and LuaJIT alone. Only LuaJIT makes objects by compiled constructors, and not while lines are counted.
COVERAGE     := $(CURDIR)/build/coverage
COVERAGE_JIT := $(wildcard spec/nginx/*_spec.lua spec/transport/loop_copas_spec.lua spec/client/metrics_spec.lua)
COVERAGE_HOOK = AMP_COVERAGE=$(COVERAGE) $(1)='package.loadlib("$(COVERAGE)/$(2).so", "luaopen_line_coverage")()'
coverage: ## which lines the specs reach: build/coverage/REPORT.md
	@rm -rf $(COVERAGE) build/*-coverage && mkdir -p $(COVERAGE)
	@for lua in lua5.3 lua5.4 luajit; do $(CC) -O1 -shared -fPIC $$(pkg-config --cflags $$lua) spec/support/line_coverage.c \
	    -o $(COVERAGE)/$$lua.so || exit 1; done
	-$(call COVERAGE_HOOK,LUA_INIT_5_4,lua5.4) AMP_NGINX_PRELOAD=$(COVERAGE)/luajit.so \
	    $(MAKE) --no-print-directory specs VARIANT=-coverage LUA_VERSION=5.4
	-$(call COVERAGE_HOOK,LUA_INIT,luajit) AMP_NGINX_PRELOAD=$(COVERAGE)/luajit.so \
	    $(MAKE) --no-print-directory specs LUA_VERSION=jit SPECS='$(COVERAGE_JIT)'
	-$(MAKE) --no-print-directory specs VARIANT=-coverage LUA_VERSION=jit SPECS=spec/json/shapes_spec.lua
	-AMP_COVERAGE=$(COVERAGE) AMP_HAPROXY_PRELOAD=$(COVERAGE)/lua5.3.so \
	    $(MAKE) --no-print-directory specs LUA_VERSION=5.3 SPECS=spec/hosts/haproxy_spec.lua
	@lua5.4 .ci/coverage.lua $(COVERAGE) build/5.4-coverage build/jit-coverage

# The specs in which C does the work; valgrind takes minutes for them.
VALGRIND := valgrind -q --error-exitcode=9 --leak-check=full --show-leak-kinds=definite,indirect \
	--errors-for-leak-kinds=definite,indirect
VALGRIND_SPECS := $(wildcard spec/json/[del]*_spec.lua spec/client/query_spec.lua spec/client/client_spec.lua spec/client/call_spec.lua \
	spec/client/listing_spec.lua spec/client/crypto_spec.lua spec/client/faults_spec.lua spec/transport/curl_spec.lua spec/client/parallel_spec.lua)
.PHONY: check-instructions
check-instructions: all ## instructions of a first list under callgrind
	.ci/instructions

check: check-fast check-builds analyze check-instructions ## everything that takes long: builds, analysis, valgrind, fuzzing
	AMP_SLOW=10 $(MAKE) --no-print-directory specs RUNNER='$(VALGRIND)' SPECS='$(VALGRIND_SPECS)'
	$(MAKE) --no-print-directory check-json
	$(MAKE) --no-print-directory check-noepoll
	$(MAKE) --no-print-directory fuzz

# --- JSON beyond the specs ---------------------------------------------------------------------
# A C host whose allocator fails at the k-th allocation for every k; numbers against strtod, and the suite, without Lua.
JSON_HOST   := $(BUILD)/json_host
JSON_NATIVE := $(BUILD)/json_native
NATIVE_SRC  := spec/support/json_native.c src/memory.c src/rfc3339.c $(sort $(wildcard src/json_*.c))
SUITE       ?= $(wildcard ../shared/json-suite/test_parsing/*.json)
DOUBLES     ?= 1000000
.PHONY: check-json check-foreign fuzz
$(JSON_HOST): spec/support/json_host.c $(CORE_OBJ)
	$(CC) $(STD) $(CFLAGS) $(WARNINGS) $(SANITIZE) -Iinclude -Isrc $(LUA_INC) $^ $(LUA_LIB) -lm -ldl -o $@
$(JSON_NATIVE): $(firstword $(NATIVE_SRC)) $(call object,$(wordlist 2,99,$(NATIVE_SRC)))
	$(CC) $(STD) $(CFLAGS) $(WARNINGS) $(SANITIZE) -Isrc $^ -lm -o $@
check-json: $(JSON_HOST) $(JSON_NATIVE) ## failing allocators, doubles and the suite, in C programs
	$(JSON_HOST) spec/support/json_under_pressure.lua
	$(JSON_NATIVE) doubles $(DOUBLES)
	$(if $(SUITE),$(JSON_NATIVE) suite $(SUITE),@echo "no suite: set SUITE")

# NEON, and a CPU whose numbers begin with the high byte.
check-foreign: deps-check-foreign ## the same for arm64 and s390x, under qemu
	@mkdir -p build
	@for cpu in aarch64 s390x; do \
	    $$cpu-linux-gnu-gcc $(STD) -O2 $(WARNINGS) -Werror -static -Isrc $(NATIVE_SRC) -lm -o build/json_native-$$cpu && \
	    echo "== $$cpu" && qemu-$$cpu-static build/json_native-$$cpu doubles 20000 && \
	    $(if $(SUITE),qemu-$$cpu-static build/json_native-$$cpu suite $(SUITE),echo "no suite: set SUITE") || exit 1; done

# Each target runs for FUZZ_SECONDS. A crash leaves its input in build/.
FUZZ_SECONDS ?= 30
FUZZ_CC      ?= clang
FUZZ_TARGETS := scan stream head
fuzz: $(FUZZ_TARGETS:%=fuzz-%) ## fuzz the JSON scanner, streams, heads and the inflater for FUZZ_SECONDS each
build/fuzz/%: spec/fuzz/%.c $(CORE_SRC) $(wildcard src/*.h)
	@mkdir -p $(@D)
	$(FUZZ_CC) $(STD) -O1 -g -DAMP_PART_NODES=8 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -Wall -Wextra -Iinclude -Isrc \
	    $(LUA_INC) $< $(filter src/%.c,$^) $(LUA_LIB) -lz -lm -ldl -o $@
fuzz-%: build/fuzz/%
	@mkdir -p build/fuzz/corpus-$*
	build/fuzz/$* -max_total_time=$(FUZZ_SECONDS) -max_len=1024 -timeout=10 -artifact_prefix=build/fuzz/ -print_final_stats=1 \
	    build/fuzz/corpus-$* spec/fuzz/seeds

# The path for systems without epoll, on one that has it.
.PHONY: check-noepoll
check-noepoll: ## the specs of transfers without epoll
	$(MAKE) --no-print-directory specs VARIANT=-noepoll CFLAGS="$(CFLAGS) -DAMP_NO_EPOLL" \
	    SPECS="spec/transport/curl_spec.lua spec/client/parallel_spec.lua spec/transport/process_spec.lua"

# Many requests with random faults: nothing may grow.
REQUESTS ?= 100000
.PHONY: soak
soak: all ## REQUESTS requests with random faults: nothing may grow
	$(RUN_ENV) $(LUA) spec/support/soak.lua $(REQUESTS)

# --- the reference -----------------------------------------------------------------------------
# Fails if something public has no description.
.PHONY: docs pictures
pictures: all ## the pictures of docs/pictures.md
	@$(RUN_ENV) $(LUA) docs/images/make.lua

docs: ## the reference: build/docs/index.html
	@rm -rf build/docs && mkdir -p build/docs
	$(RUN_ENV) $(LUA) spec/support/reference.lua build/docs
	@echo "build/docs/index.html"
