# Builds, installs, tests. `make help` lists all targets, those of the files included at the end, too.

LUA_VERSION ?= 5.4
PREFIX      ?= /usr/local
CC          ?= cc
CFLAGS      ?= -O2 -g
VARIANT     ?=

# $(call once,NAME,COMMAND): what a command prints. It runs where NAME is first used, and not again.
once = $(eval $(1) := $$(shell $(2)))$($(1))
VERSION = $(call once,VERSION,sed -n 's/.*number = "\(.*\)".*/\1/p' lua/ampersand/version.lua)
ALL_LUAS := 5.1 5.2 5.3 5.4 jit

# --- one Lua ---------------------------------------------------------------------------------
ABI      := $(if $(filter jit,$(LUA_VERSION)),5.1,$(LUA_VERSION))
LUA      ?= $(if $(filter jit,$(LUA_VERSION)),luajit,lua$(LUA_VERSION))
LUA_PC   := $(if $(filter jit,$(LUA_VERSION)),luajit,lua$(LUA_VERSION))
LUA_INC  ?= $(call once,LUA_INC,pkg-config --cflags $(LUA_PC) 2>/dev/null || pkg-config --cflags lua-$(ABI) 2>/dev/null)
BUSTED   ?= $(call once,BUSTED,command -v busted 2>/dev/null)

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
CURL_CFLAGS   ?= $(call once,CURL_CFLAGS,pkg-config --cflags libcurl zlib 2>/dev/null)
CURL_LIBS     ?= $(call once,CURL_LIBS,pkg-config --libs libcurl zlib 2>/dev/null || echo -lcurl -lz)
CRYPTO_CFLAGS ?= $(call once,CRYPTO_CFLAGS,pkg-config --cflags libcrypto 2>/dev/null)
CRYPTO_LIBS   ?= $(call once,CRYPTO_LIBS,pkg-config --libs libcrypto 2>/dev/null || echo -lcrypto)
MODULE_LDFLAGS = $(if $(filter Darwin,$(call once,SYSTEM,uname)),-bundle -undefined dynamic_lookup,-shared -Wl,-z,nodelete)

# --- objects, out of tree and per Lua --------------------------------------------------------
BUILD  := build/$(LUA_VERSION)$(VARIANT)
MODULE := $(BUILD)/ampersand
CORE_SRC   := src/memory.c src/rfc3339.c $(sort $(wildcard src/json_*.c)) $(patsubst %,src/lua_%.c,append_file build core decoder encode json plan private_file shape)
HTTP_SRC   := src/memory.c $(sort $(wildcard src/http_*.c)) src/lua_http.c
CRYPTO_SRC := src/lua_crypto.c
object = $(patsubst src/%.c,$(BUILD)/obj/%.o,$(wildcard $(1)))

CORE_OBJ   := $(call object,$(CORE_SRC))
HTTP_OBJ   := $(call object,$(HTTP_SRC))
CRYPTO_OBJ := $(call object,$(CRYPTO_SRC))
MODULES    := $(MODULE)/core.so $(if $(HTTP_OBJ),$(MODULE)/http.so) $(if $(CRYPTO_OBJ),$(MODULE)/crypto.so)

.DEFAULT_GOAL := all
.PHONY: all
all: $(MODULES) ## build for LUA_VERSION (5.4)

$(BUILD)/obj $(MODULE):
	@mkdir -p $@
$(BUILD)/obj/%.o: src/%.c | $(BUILD)/obj
	$(CC) $(STD) $(CFLAGS) $(WARNINGS) $(PIC) $(SANITIZE) -MMD -MP -Iinclude $(LUA_INC) $(CURL_CFLAGS) $(CRYPTO_CFLAGS) -c $< -o $@

$(MODULE)/core.so: $(CORE_OBJ)
$(MODULE)/http.so: $(HTTP_OBJ)
$(MODULE)/http.so: LIBS = $(CURL_LIBS) -ldl -lpthread
$(MODULE)/crypto.so: $(CRYPTO_OBJ)
$(MODULE)/crypto.so: LIBS = $(CRYPTO_LIBS)
$(MODULES): | $(MODULE)
	$(CC) $(MODULE_LDFLAGS) $(SANITIZE) -o $@ $^ $(LIBS)

-include $(wildcard $(BUILD)/obj/*.d)

# --- running things --------------------------------------------------------------------------
# The project's own files come first; the system's Lua packages are found through the closing ";;". What `luarocks path` has
# set for one version would go before that.
unexport LUA_PATH LUA_CPATH LUA_INIT $(foreach version,5_2 5_3 5_4 5_5,LUA_PATH_$(version) LUA_CPATH_$(version) LUA_INIT_$(version))
RUN_ENV := LUA_PATH="lua/?.lua;spec/?.lua;;" LUA_CPATH="$(BUILD)/?.so;;" LUA="$(LUA)" LUA_VERSION="$(LUA_VERSION)"
SPECS   ?= spec
RUNNER  ?=

.PHONY: deps deps-% demo specs test test-all test-hosts
deps: deps-build ## install what building needs
deps-%:
	@LUA_VERSION=$(LUA_VERSION) .ci/deps $*

# The variables above were read before the packages were there: the work is done by a second make.
JOBS  ?= $(call once,JOBS,nproc 2>/dev/null || echo 2)
BESIDE = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(JOBS))
demo: deps-demo ## install what is missing, build, list installations against the mock server
	@$(MAKE) --no-print-directory -s $(BESIDE) all
	@$(RUN_ENV) $(LUA) examples/demo.lua examples/list_installations.lua

test: deps-test ## install what is missing, build, run the specs
	@$(MAKE) --no-print-directory $(BESIDE) all static
	@$(MAKE) --no-print-directory specs

specs: all $(BUILD)/libampersand.a ## run SPECS (files or folders; default: all), JOBS at a time
	BUSTED="$(BUSTED)" RUNNER='$(RUNNER)' $(RUN_ENV) spec/support/run $(SPECS)

test-hosts: deps-hosts ## install the programs that host Lua, run the specs in them
	@for v in 5.2 5.3 5.4 jit; do $(MAKE) --no-print-directory specs SPECS=spec/hosts LUA_VERSION=$$v || exit 1; done

test-all: deps-test-all ## test with every Lua
	@failed=0; for v in $(ALL_LUAS); do \
	    echo "== Lua $$v"; $(MAKE) --no-print-directory test LUA_VERSION=$$v || failed=1; done; exit $$failed

# --- installing ------------------------------------------------------------------------------
LUADIR := $(DESTDIR)$(PREFIX)/share/lua/$(ABI)
LIBDIR := $(DESTDIR)$(PREFIX)/lib/lua/$(ABI)/ampersand
BINDIR := $(DESTDIR)$(PREFIX)/bin
SHARE  := $(DESTDIR)$(PREFIX)/share
# The manual page and the completions, in the order of src/install_words.lua.
WORD_FILES := man/man1/ampersand.1 bash-completion/completions/ampersand zsh/site-functions/_ampersand fish/vendor_completions.d/ampersand.fish
in_share    = $(foreach name,$(1),"$(SHARE)/$(name)")
.PHONY: install install-files install-words uninstall
install: deps-install ## install below PREFIX (DESTDIR) for LUA_VERSION
	@$(MAKE) --no-print-directory install-files
install-files: all
	install -d "$(LUADIR)" "$(LIBDIR)" "$(BINDIR)" $(call in_share,$(dir $(WORD_FILES)))
	cd lua && find . -mindepth 1 -type d -o -name '*.lua' | tar -cf - --no-recursion --mode=u=rwX,go=rX -T - | \
	    tar -xpmf - --no-same-owner -C "$(LUADIR)"
	install -m 755 $(MODULES) "$(LIBDIR)"
	sed '1s,.*,#!/usr/bin/env $(LUA),' bin/ampersand > "$(BINDIR)/ampersand" && chmod 755 "$(BINDIR)/ampersand"
	@$(WORDS) || [ $$? = 2 ] # argparse is absent, and WORDS has said so

# Every user may read what it writes, whatever the umask.
WORDS = umask 022; $(RUN_ENV) $(LUA) src/install_words.lua $(call in_share,$(WORD_FILES))
install-words: all ## install the manual page and the completions again
	$(WORDS)

# What all Luas share stays while one of them needs it; the command goes on with the latest that is left.
uninstall: ## remove what install and install-static installed for LUA_VERSION
	rm -rf "$(LUADIR)/ampersand.lua" "$(LUADIR)/ampersand" "$(LIBDIR)" "$(STATICDIR)/$(STATIC_AS)" "$(PC)"
	@set -- "$(STATICDIR)"/libampersand-*.a; [ -e "$$1" ] || rm -f "$(DESTDIR)$(PREFIX)/include/ampersand.h"; \
	for left in "$(SHARE)"/lua/*/ampersand.lua; do :; done; command="$(BINDIR)/ampersand"; \
	if [ ! -e "$$left" ]; then rm -f "$$command" $(call in_share,$(WORD_FILES)); \
	elif [ -e "$$command" ] && read -r first < "$$command" && [ "$$first" = '#!/usr/bin/env $(LUA)' ]; then \
	    abi=$${left%/*}; abi=$${abi##*/}; lua=$$(command -v lua$$abi || command -v luajit || echo lua$$abi); \
	    sed "1s,.*,#!/usr/bin/env $${lua##*/}," bin/ampersand > "$$command"; fi

# --- the rest --------------------------------------------------------------------------------
.PHONY: clean help
clean: ## remove build/
	rm -rf build

help: ## list the targets
	@sed -n 's/^\([a-z][a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' $(filter-out %.d,$(MAKEFILE_LIST)) | sort | awk -F'|' '{ printf "%-24s %s\n", $$1, $$2 }'

include src/embedding.mk examples/openresty/dashboard/dashboard.mk bench/bench.mk .ci/cache.mk .ci/check.mk .ci/release.mk
