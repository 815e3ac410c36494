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
CURL_CFLAGS   ?= $(shell pkg-config --cflags libcurl 2>/dev/null)
CURL_LIBS     ?= $(shell pkg-config --libs libcurl 2>/dev/null || echo -lcurl)
CRYPTO_CFLAGS ?= $(shell pkg-config --cflags libcrypto 2>/dev/null)
CRYPTO_LIBS   ?= $(shell pkg-config --libs libcrypto 2>/dev/null || echo -lcrypto)
ifeq ($(shell uname),Darwin)
MODULE_LDFLAGS := -bundle -undefined dynamic_lookup
else
MODULE_LDFLAGS := -shared
endif

# --- objects, out of tree and per Lua --------------------------------------------------------
BUILD  := build/$(LUA_VERSION)$(VARIANT)
MODULE := $(BUILD)/ampersand
CORE_SRC   := $(sort $(wildcard src/json_*.c)) src/lua_json.c src/lua_core.c
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

-include $(wildcard $(BUILD)/obj/*.d)

# --- specs -----------------------------------------------------------------------------------
# The project's own files come first; Debian's Lua packages are found through the closing ";;".
RUN_ENV := LUA_PATH="lua/?.lua;lua/?/init.lua;spec/?.lua;;" LUA_CPATH="$(BUILD)/?.so;;" LUA="$(LUA)" LUA_VERSION="$(LUA_VERSION)"
SPECS   ?= spec
.PHONY: specs test-all
specs: all
	$(RUN_ENV) $(PRELOAD) $(LUA) $(BUSTED) --output=plainTerminal --pattern=_spec $(SPECS)

test-all:
	@for v in $(ALL_LUAS); do echo "== Lua $$v"; $(MAKE) --no-print-directory specs LUA_VERSION=$$v || exit 1; done

.PHONY: clean
clean:
	rm -rf build
