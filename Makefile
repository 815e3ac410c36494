# ampersand: build, test, measure. `make help` lists the targets.

LUA_VERSION ?= 5.4
PREFIX      ?= /usr/local
CC          ?= cc
CFLAGS      ?= -O2 -g
VARIANT     ?=

ALL_LUAS := 5.1 5.2 5.3 5.4 jit

# --- one Lua ---------------------------------------------------------------------------------
ABI      := $(if $(filter jit,$(LUA_VERSION)),5.1,$(LUA_VERSION))
LUA      ?= $(if $(filter jit,$(LUA_VERSION)),luajit,lua$(LUA_VERSION))
LUA_PC   := $(if $(filter jit,$(LUA_VERSION)),luajit,lua$(LUA_VERSION))
LUA_INC  ?= $(shell pkg-config --cflags $(LUA_PC) 2>/dev/null || pkg-config --cflags lua-$(ABI) 2>/dev/null)
BUSTED   ?= $(shell command -v busted 2>/dev/null)

# --- flags -----------------------------------------------------------------------------------
WARNINGS := -Wall -Wextra -Wpedantic
STD      := -std=c99
PIC      := -fPIC -fvisibility=hidden
ifneq (,$(findstring asan,$(VARIANT)))
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
WARNINGS += -Werror
endif
ifneq (,$(findstring coverage,$(VARIANT)))
SANITIZE := -O0 --coverage
endif
CURL_CFLAGS   ?= $(shell pkg-config --cflags libcurl zlib 2>/dev/null)
CURL_LIBS     ?= $(shell pkg-config --libs libcurl zlib 2>/dev/null || echo -lcurl -lz)
CRYPTO_CFLAGS ?= $(shell pkg-config --cflags libcrypto 2>/dev/null)
CRYPTO_LIBS   ?= $(shell pkg-config --libs libcrypto 2>/dev/null || echo -lcrypto)
ifeq ($(shell uname),Darwin)
MODULE_LDFLAGS := -bundle -undefined dynamic_lookup
else
MODULE_LDFLAGS := -shared -Wl,-z,nodelete
endif

# --- objects, out of tree and per Lua --------------------------------------------------------
BUILD  := build/$(LUA_VERSION)$(VARIANT)
MODULE := $(BUILD)/ampersand
CORE_SRC   := $(sort $(wildcard src/json_*.c)) src/lua_json.c src/lua_plan.c src/lua_append_file.c src/lua_core.c
HTTP_SRC   := $(sort $(wildcard src/http_*.c)) src/lua_http.c
CRYPTO_SRC := src/lua_crypto.c
object = $(patsubst src/%.c,$(BUILD)/obj/%.o,$(wildcard $(1)))

CORE_OBJ   := $(call object,$(CORE_SRC))
HTTP_OBJ   := $(call object,$(HTTP_SRC))
CRYPTO_OBJ := $(call object,$(CRYPTO_SRC))
MODULES    := $(MODULE)/core.so $(if $(HTTP_OBJ),$(MODULE)/http.so) $(if $(CRYPTO_OBJ),$(MODULE)/crypto.so)

.DEFAULT_GOAL := all
.PHONY: all
all: $(MODULES)

$(BUILD)/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(STD) $(CFLAGS) $(WARNINGS) $(PIC) $(SANITIZE) -MMD -MP -Iinclude $(LUA_INC) $(CURL_CFLAGS) $(CRYPTO_CFLAGS) -c $< -o $@

$(MODULE)/core.so: $(CORE_OBJ)
$(MODULE)/http.so: $(HTTP_OBJ)
$(MODULE)/http.so: LIBS = $(CURL_LIBS) -ldl -lpthread
$(MODULE)/crypto.so: $(CRYPTO_OBJ)
$(MODULE)/crypto.so: LIBS = $(CRYPTO_LIBS)
$(MODULES):
	@mkdir -p $(@D)
	$(CC) $(MODULE_LDFLAGS) $(SANITIZE) -o $@ $^ $(LIBS)

# --- the static library, with the Lua layer inside -------------------------------------------
LUA_FILES := $(shell find lua -name '*.lua' ! -name types.lua | sort)
STATIC    := $(BUILD)/libampersand.a
.PHONY: static embed
static: $(STATIC)
$(BUILD)/lua_sources.c: src/lua_sources.lua $(LUA_FILES)
	@mkdir -p $(@D)
	$(LUA) $< $(LUA_FILES) > $@.tmp && mv $@.tmp $@
$(BUILD)/obj/lua_sources.o: $(BUILD)/lua_sources.c
	$(CC) $(STD) $(CFLAGS) $(PIC) -Isrc -c $< -o $@
$(STATIC): $(CORE_OBJ) $(HTTP_OBJ) $(CRYPTO_OBJ) $(BUILD)/obj/lua_preload.o $(BUILD)/obj/lua_sources.o
	$(AR) rcs $@ $^

LUA_LIB ?= $(shell pkg-config --libs $(LUA_PC) 2>/dev/null || pkg-config --libs lua-$(ABI) 2>/dev/null)
embed: $(BUILD)/embed
$(BUILD)/embed: examples/embed/embed.c $(STATIC)
	$(CC) $(STD) $(CFLAGS) $(WARNINGS) -Iinclude $(LUA_INC) $^ $(LUA_LIB) $(CURL_LIBS) $(CRYPTO_LIBS) -ldl -lpthread -lm -o $@

# The library as one C file and its header, for programs that keep their dependencies in their own tree.
AMALGAM := $(BUILD)/amalgamation
.PHONY: amalgamation
amalgamation: $(AMALGAM)/ampersand.c $(AMALGAM)/ampersand.h
	@ls -l $^
$(AMALGAM)/ampersand.h: include/ampersand.h
	@mkdir -p $(@D)
	cp $< $@
$(AMALGAM)/ampersand.c: src/amalgamate.lua $(BUILD)/lua_sources.c $(wildcard src/*.[ch])
	@mkdir -p $(@D)
	$(LUA) $< $(BUILD)/lua_sources.c $(CORE_SRC) $(HTTP_SRC) $(CRYPTO_SRC) src/lua_preload.c > $@.tmp && mv $@.tmp $@

# The host of examples/embed out of that file. COMPILE is a compiler with its dialect; -x none ends a -x c++ in it.
$(AMALGAM)/%: $(AMALGAM)/ampersand.c $(AMALGAM)/ampersand.h examples/embed/embed.c
	$(COMPILE) $(WARNINGS) -Werror -I$(AMALGAM) $(LUA_INC) $(CURL_CFLAGS) $(CRYPTO_CFLAGS) \
	    examples/embed/embed.c $(AMALGAM)/ampersand.c -x none $(LUA_LIB) $(CURL_LIBS) $(CRYPTO_LIBS) -ldl -lpthread -lm -o $@

-include $(wildcard $(BUILD)/obj/*.d)

# --- running things --------------------------------------------------------------------------
# The project's own files come first; the system's Lua packages are found through the closing ";;".
RUN_ENV := LUA_PATH="lua/?.lua;spec/?.lua;;" LUA_CPATH="$(BUILD)/?.so;;" LUA="$(LUA)" LUA_VERSION="$(LUA_VERSION)"
SPECS   ?= spec
RUNNER  ?=

.PHONY: deps deps-% demo specs test test-all
deps: deps-build
deps-%:
	@LUA_VERSION=$(LUA_VERSION) .ci/deps $*

# The variables above were read before the packages were there: the work is done by a second make.
demo: deps-demo
	@$(MAKE) --no-print-directory -s all
	@$(RUN_ENV) $(LUA) examples/demo.lua examples/list_installations.lua

test: deps-test
	@$(MAKE) --no-print-directory specs

specs: all
	BUSTED="$(BUSTED)" RUNNER='$(RUNNER)' $(RUN_ENV) spec/support/run $(SPECS)

# The dashboard: `make dashboard INSTALLATIONS=10000`, or with AMP_API_KEY and AMPERSAND_PROJECT_ID set `make dashboard API=real`.
INSTALLATIONS ?= 250
API           ?= mock
PORT          ?= 8080
JIT_ENV       := LUA_PATH="lua/?.lua;spec/?.lua;;" LUA_CPATH="build/jit/?.so;;" LUA=luajit LUA_VERSION=jit
.PHONY: dashboard test-dashboard
dashboard: deps-dashboard
	@$(MAKE) --no-print-directory -s all LUA_VERSION=jit
	@$(JIT_ENV) luajit examples/openresty/dashboard/start.lua --port $(PORT) $(if $(filter real,$(API)),--real,--installations $(INSTALLATIONS))

# In a browser; screenshots go to build/dashboard.
BROWSER_DRIVER := build/node/node_modules/playwright-core/package.json
$(BROWSER_DRIVER):
	npm install --silent --no-audit --no-fund --prefix build/node playwright-core@1
test-dashboard: deps-test-dashboard
	@$(MAKE) --no-print-directory -s $(BROWSER_DRIVER)
	@AMP_BROWSER=1 $(MAKE) --no-print-directory specs LUA_VERSION=jit SPECS=spec/nginx/dashboard_spec.lua

test-all: deps-test-all
	@failed=0; for v in $(ALL_LUAS); do \
	    echo "== Lua $$v"; $(MAKE) --no-print-directory test LUA_VERSION=$$v || failed=1; done; exit $$failed

# Against Lua-cURL and lua-cjson: RIVAL_PATH, RIVAL_CPATH find Lua-cURLv3, else the system's lua-curl for Lua 5.1.
.PHONY: bench-http
$(BUILD)/download: bench/download.c
	$(CC) $(STD) $(CFLAGS) $(WARNINGS) $(CURL_CFLAGS) $< $(CURL_LIBS) -o $@
bench-http: all $(BUILD)/download
	@DOWNLOAD=$(BUILD)/download $(RUN_ENV) $(LUA) bench/http.lua

# How cost grows up to GROWTH installations.
.PHONY: bench-growth
bench-growth: all
	@$(RUN_ENV) $(LUA) bench/growth.lua

.PHONY: bench-cli
bench-cli: all
	@$(RUN_ENV) $(LUA) bench/cli.lua

# --- checks ----------------------------------------------------------------------------------
.PHONY: lint asan check-fast check
lint: all
	luacheck -q --no-color lua spec examples bench bin/ampersand .luacheckrc src .ci
	clang-format --dry-run -Werror $(wildcard src/*.[ch] include/*.h spec/support/*.[ch] spec/fuzz/*.[ch] bench/*.[ch] examples/*/*.[ch])
	MODULES="$(MODULES)" .ci/lint

# The interpreter itself is not instrumented, so the sanitizer's library must be there before it.
ASAN_RUNNER = env LD_PRELOAD="$(shell $(CC) -print-file-name=libasan.so) $(shell $(CC) -print-file-name=libubsan.so)" \
	ASAN_OPTIONS=detect_leaks=1:abort_on_error=0
asan:
	$(MAKE) --no-print-directory specs VARIANT=-asan RUNNER='$(ASAN_RUNNER)' LUA_VERSION=$(LUA_VERSION)

check-fast: deps-check
	$(MAKE) --no-print-directory lint
	$(MAKE) --no-print-directory docs
	$(MAKE) --no-print-directory asan LUA_VERSION=5.4
	$(MAKE) --no-print-directory asan LUA_VERSION=5.1

# No warnings: both compilers, both ways to optimise.
.PHONY: check-builds
check-builds:
	@for cc in gcc clang; do for o in -O2 -Os; do \
	    $(MAKE) --no-print-directory -s static all VARIANT=-$$cc$$o CC=$$cc CFLAGS="$$o -Werror" || exit 1; done; done

# Clean, apart from what is named in .ci/analyze with its reason.
.PHONY: analyze coverage
analyze:
	LUA_INC="$(LUA_INC)" .ci/analyze

# Which lines of C (gcov) and of Lua (a line hook) the specs reach: build/coverage/REPORT.md. It fails below 95 %, and where a
# line that is not reached has no reason in .ci/uncovered. nginx runs LuaJIT, and Debian has copas for Lua 5.1 and LuaJIT alone.
COVERAGE     := $(CURDIR)/build/coverage
COVERAGE_JIT := $(wildcard spec/nginx/*_spec.lua spec/transport/loop_copas_spec.lua)
COVERAGE_HOOK = AMP_COVERAGE=$(COVERAGE) $(1)='package.loadlib("$(COVERAGE)/$(2).so", "luaopen_line_coverage")()'
coverage:
	@rm -rf $(COVERAGE) build/5.4-coverage && mkdir -p $(COVERAGE)
	@for lua in lua5.4 luajit; do $(CC) -O1 -shared -fPIC $$(pkg-config --cflags $$lua) spec/support/line_coverage.c \
	    -o $(COVERAGE)/$$lua.so || exit 1; done
	-$(call COVERAGE_HOOK,LUA_INIT_5_4,lua5.4) $(MAKE) --no-print-directory specs VARIANT=-coverage LUA_VERSION=5.4
	-$(call COVERAGE_HOOK,LUA_INIT,luajit) AMP_NGINX_PRELOAD=$(COVERAGE)/luajit.so \
	    $(MAKE) --no-print-directory specs LUA_VERSION=jit SPECS='$(COVERAGE_JIT)'
	@lua5.4 .ci/coverage.lua build/5.4-coverage $(COVERAGE)

# The specs in which C does the work; valgrind takes minutes for them.
VALGRIND := valgrind -q --error-exitcode=9 --leak-check=full --show-leak-kinds=definite,indirect \
	--errors-for-leak-kinds=definite,indirect
VALGRIND_SPECS := $(wildcard spec/json/[del]*_spec.lua spec/client/query_spec.lua spec/client/client_spec.lua spec/client/call_spec.lua \
	spec/client/listing_spec.lua spec/client/crypto_spec.lua spec/client/faults_spec.lua spec/transport/curl_spec.lua spec/client/parallel_spec.lua)
check: check-fast check-builds analyze
	AMP_SLOW=10 $(MAKE) --no-print-directory specs RUNNER='$(VALGRIND)' SPECS='$(VALGRIND_SPECS)'
	$(MAKE) --no-print-directory check-json
	$(MAKE) --no-print-directory check-noepoll
	$(MAKE) --no-print-directory fuzz

# --- JSON beyond the specs ---------------------------------------------------------------------
# A C host whose allocator fails at the k-th allocation for every k, and numbers against strtod.
JSON_HOST := $(BUILD)/json_host
DOUBLES   ?= 1000000
.PHONY: check-json fuzz
$(JSON_HOST): spec/support/json_host.c $(CORE_OBJ)
	$(CC) $(STD) $(CFLAGS) $(WARNINGS) $(SANITIZE) -Iinclude -Isrc $(LUA_INC) $^ $(LUA_LIB) -lm -ldl -o $@
check-json: $(JSON_HOST)
	$(JSON_HOST) allocations spec/support/json_under_pressure.lua
	$(JSON_HOST) doubles $(DOUBLES)

# Each target runs for FUZZ_SECONDS. A crash leaves its input in build/.
FUZZ_SECONDS ?= 30
FUZZ_CC      ?= clang
FUZZ_TARGETS := scan stream
fuzz: $(FUZZ_TARGETS:%=fuzz-%)
build/fuzz/%: spec/fuzz/%.c $(wildcard src/json_*.[ch]) src/lua_json.c src/lua_plan.c src/lua_append_file.c src/lua_core.c
	@mkdir -p $(@D)
	$(FUZZ_CC) $(STD) -O1 -g -DAMP_PART_NODES=8 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -Wall -Wextra -Iinclude -Isrc \
	    $(LUA_INC) $< $(filter src/%.c,$^) $(LUA_LIB) -lm -ldl -o $@
fuzz-%: build/fuzz/%
	@mkdir -p build/fuzz/corpus-$*
	build/fuzz/$* -max_total_time=$(FUZZ_SECONDS) -max_len=1024 -timeout=10 -artifact_prefix=build/fuzz/ -print_final_stats=1 \
	    build/fuzz/corpus-$* spec/fuzz/seeds

# The path for systems without epoll, on one that has it.
.PHONY: check-noepoll
check-noepoll:
	$(MAKE) --no-print-directory specs VARIANT=-noepoll CFLAGS="$(CFLAGS) -DAMP_NO_EPOLL" \
	    SPECS="spec/transport/curl_spec.lua spec/client/parallel_spec.lua spec/transport/process_spec.lua"

# Many requests with random faults: nothing may grow.
REQUESTS ?= 100000
.PHONY: soak
soak: all
	$(RUN_ENV) $(LUA) spec/support/soak.lua $(REQUESTS)

.PHONY: bench-nginx
bench-nginx:
	@$(MAKE) --no-print-directory -s all LUA_VERSION=jit
	@AMP_SERVER_LIFETIME=900 LUA_PATH="lua/?.lua;spec/?.lua;;" LUA_CPATH="build/jit/?.so;;" luajit bench/nginx.lua $(PART)

# --- measuring ---------------------------------------------------------------------------------
# RIVALS=module,... races more libraries: bench/support/rivals.lua.
BENCH_COUNT ?= 100000
BENCH_PART  ?= all
PORTABLE    := build/$(LUA_VERSION)-portable
.PHONY: bench bench-json report
# Everything, one after the other, and bench/report/ out of it: about half an hour on a quiet machine.
BENCHED := build/bench
bench: deps-bench
	@mkdir -p $(BENCHED) && rm -f $(BENCHED)/*.json
	BENCH_ROWS=$(BENCHED)/decode-5.4.json $(MAKE) --no-print-directory bench-json LUA_VERSION=5.4
	BENCH_ROWS=$(BENCHED)/decode-jit.json $(MAKE) --no-print-directory bench-json LUA_VERSION=jit
	BENCH_ROWS=$(BENCHED)/growth.json $(MAKE) --no-print-directory bench-growth
	BENCH_ROWS=$(BENCHED)/http.json $(MAKE) --no-print-directory bench-http
	BENCH_ROWS=$(BENCHED)/cli.json $(MAKE) --no-print-directory bench-cli
	BENCH_ROWS=$(BENCHED)/nginx.json $(MAKE) --no-print-directory bench-nginx
	@$(MAKE) --no-print-directory report
report: all
	@mkdir -p bench/report
	@$(RUN_ENV) $(LUA) bench/report.lua $(BENCHED) bench/report
$(BUILD)/floor.so: bench/floor.c $(filter %/json_decode.o %/json_scan.o %/json_number.o,$(CORE_OBJ))
	$(CC) $(STD) $(CFLAGS) $(WARNINGS) $(PIC) $(MODULE_LDFLAGS) -Isrc $(LUA_INC) $^ -o $@
bench-json: all $(BUILD)/floor.so
	@$(MAKE) --no-print-directory -s all VARIANT=-portable CFLAGS="$(CFLAGS) -DAMP_NO_SIMD"
	@PORTABLE_CPATH="$(PORTABLE)/?.so;;" $(RUN_ENV) $(LUA) bench/decode.lua $(BENCH_PART) $(BENCH_COUNT)

# --- the reference -----------------------------------------------------------------------------
# What is public and not described stops it.
.PHONY: docs
docs:
	@mkdir -p build/docs/source
	$(RUN_ENV) $(LUA) spec/support/reference.lua build/docs/source
	cd build/docs/source && ldoc --fatalwarnings -q -d .. .
	@echo "build/docs/index.html"

# --- installing ------------------------------------------------------------------------------
LUADIR := $(DESTDIR)$(PREFIX)/share/lua/$(ABI)
LIBDIR := $(DESTDIR)$(PREFIX)/lib/lua/$(ABI)/ampersand
BINDIR := $(DESTDIR)$(PREFIX)/bin
SHARE  := $(DESTDIR)$(PREFIX)/share
COMPLETIONS := $(SHARE)/bash-completion/completions/ampersand $(SHARE)/zsh/site-functions/_ampersand \
	$(SHARE)/fish/vendor_completions.d/ampersand.fish
MANUAL := $(SHARE)/man/man1/ampersand.1
.PHONY: install uninstall
install: all
	cd lua && find . -name '*.lua' | while read -r f; do install -D -m 644 "$$f" "$(LUADIR)/$$f"; done
	install -d "$(LIBDIR)"
	install -m 755 $(MODULES) "$(LIBDIR)"
	install -d "$(BINDIR)" $(sort $(dir $(COMPLETIONS) $(MANUAL)))
	sed '1s,.*,#!/usr/bin/env $(LUA),' bin/ampersand > "$(BINDIR)/ampersand" && chmod 755 "$(BINDIR)/ampersand"
	@if $(LUA) -e 'require "argparse"' 2>/dev/null; then $(MAKE) --no-print-directory install-words; else \
		echo "The command needs argparse (Debian: lua-argparse); install it, then: make install-words"; fi

.PHONY: install-words
install-words: all
	$(RUN_ENV) $(LUA) bin/ampersand man > "$(MANUAL)"
	for file in $(COMPLETIONS); do case $$file in */bash*) s=bash ;; */zsh/*) s=zsh ;; *) s=fish ;; esac; \
		$(RUN_ENV) $(LUA) bin/ampersand completion $$s > "$$file" || exit 1; done

uninstall:
	rm -rf "$(LUADIR)/ampersand.lua" "$(LUADIR)/ampersand" "$(LIBDIR)" "$(BINDIR)/ampersand" "$(MANUAL)" $(COMPLETIONS)
	rm -f "$(STATICDIR)/$(STATIC_AS)" "$(PC)" "$(DESTDIR)$(PREFIX)/include/ampersand.h"

# For C hosts: cc host.c `pkg-config --cflags --libs ampersand-lua5.4`. The library is built for one Lua and named after it.
NAME      := ampersand-$(LUA_PC)
STATIC_AS := lib$(NAME).a
STATICDIR := $(DESTDIR)$(PREFIX)/lib
PC        := $(STATICDIR)/pkgconfig/$(NAME).pc
.PHONY: install-static
$(BUILD)/$(NAME).pc: Makefile lua/ampersand/version.lua
	@mkdir -p $(@D)
	@printf '%s\n' 'prefix=$(PREFIX)' 'Name: ampersand' 'Description: client for the Ampersand API, as a static library for $(LUA)' \
	    'Version: $(VERSION)' "Requires: `pkg-config --exists $(LUA_PC) && echo $(LUA_PC) || echo lua-$(ABI)`, libcurl, zlib, libcrypto" \
	    'Cflags: -I$${prefix}/include' 'Libs: -L$${prefix}/lib -l$(NAME) -ldl -lpthread -lm' > $@
install-static: $(STATIC)
	@rm -f $(BUILD)/$(NAME).pc && $(MAKE) --no-print-directory -s $(BUILD)/$(NAME).pc
	install -d "$(STATICDIR)/pkgconfig" "$(DESTDIR)$(PREFIX)/include"
	install -m 644 $(STATIC) "$(STATICDIR)/$(STATIC_AS)"
	install -m 644 include/ampersand.h "$(DESTDIR)$(PREFIX)/include/ampersand.h"
	install -m 644 $(BUILD)/$(NAME).pc "$(PC)"

# --- releasing -------------------------------------------------------------------------------
VERSION := $(shell sed -n 's/.*number = "\(.*\)".*/\1/p' lua/ampersand/version.lua)
ARCHIVE := build/ampersand-$(VERSION).tar.gz
ROOMS   := ampersand-*.rockspec src include lua spec examples docs bench bin Makefile README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md LICENSE \
	.ci .luacheckrc .clang-format .gitignore
.PHONY: dist rock rockspecs
# Always the same bytes for the same files, whoever makes it; and whole, or not there.
dist:
	@mkdir -p build
	@rm -rf build/dist.$$$$ && mkdir build/dist.$$$$ && trap 'rm -rf build/dist.$$$$' EXIT && \
	tar --format=ustar --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime='2024-01-01 00:00Z' \
	    --exclude='*.o' --exclude='*.so' --exclude='*.tmp' --transform='s,^,ampersand-$(VERSION)/,' -cf build/dist.$$$$/tar $(ROOMS) && \
	gzip -9n build/dist.$$$$/tar && mv build/dist.$$$$/tar.gz $(ARCHIVE)
	@ls -l $(ARCHIVE)

# A source rock out of that archive: luarocks wants the whole path in the rockspec, which only this machine knows.
ROCKSPEC := ampersand-$(VERSION)-1.rockspec
rock: dist
	sed 's,file://build,file://$(CURDIR)/build,' $(ROCKSPEC) > build/$(ROCKSPEC)
	cd build && luarocks --lua-version $(ABI) pack $(ROCKSPEC)

# The rockspecs' lists, from the files that are there.
rockspecs:
	$(LUA) .ci/rockspecs.lua

.PHONY: clean help
clean:
	rm -rf build

help:
	@sed -n 's/^\([a-z][a-z-]*\):.*/  make \1/p' Makefile | sort -u
