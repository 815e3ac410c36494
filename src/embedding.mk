# What C programs embed: the static library, or the library as one C file.

lua_files = $(foreach path,$(wildcard $(1)/*),$(if $(filter %.lua,$(path)),$(path),$(call lua_files,$(path))))
LUA_FILES := $(filter-out %/types.lua,$(sort $(call lua_files,lua)))
STATIC    := $(BUILD)/libampersand.a
.PHONY: static embed
static: $(STATIC) ## build the static library, with the Lua layer inside
$(BUILD)/lua_sources.c: src/lua_sources.lua $(LUA_FILES)
	@mkdir -p $(@D)
	$(LUA) $< $(LUA_FILES) > $@.$$$$ && mv $@.$$$$ $@
$(BUILD)/obj/lua_sources.o: $(BUILD)/lua_sources.c | $(BUILD)/obj
	$(CC) $(STD) $(CFLAGS) $(PIC) -Isrc -c $< -o $@
$(STATIC): $(CORE_OBJ) $(HTTP_OBJ) $(CRYPTO_OBJ) $(BUILD)/obj/lua_preload.o $(BUILD)/obj/lua_sources.o
	$(AR) rcs $@ $^

LUA_LIB ?= $(call once,LUA_LIB,pkg-config --libs $(LUA_PC) 2>/dev/null || pkg-config --libs lua-$(ABI) 2>/dev/null)
embed: $(BUILD)/embed ## build examples/embed
$(BUILD)/embed: examples/embed/embed.c $(STATIC)
	$(CC) $(STD) $(CFLAGS) $(WARNINGS) -Iinclude $(LUA_INC) $^ $(LUA_LIB) $(CURL_LIBS) $(CRYPTO_LIBS) -ldl -lpthread -lm -o $@.$$$$ && mv $@.$$$$ $@

# For C hosts: cc host.c `pkg-config --cflags --libs ampersand-lua5.4`. The library is built for one Lua and named after it.
NAME      := ampersand-$(LUA_PC)
STATIC_AS := lib$(NAME).a
STATICDIR := $(DESTDIR)$(PREFIX)/lib
PC        := $(STATICDIR)/pkgconfig/$(NAME).pc
.PHONY: install-static
install-static: $(STATIC) ## install the static library, its header and pkg-config file
	install -d "$(STATICDIR)/pkgconfig" "$(DESTDIR)$(PREFIX)/include"
	install -m 644 $(STATIC) "$(STATICDIR)/$(STATIC_AS)"
	install -m 644 include/ampersand.h "$(DESTDIR)$(PREFIX)/include/ampersand.h"
	@umask 022; printf '%s\n' 'prefix=$(PREFIX)' 'Name: ampersand' 'Description: client for the Ampersand API, as a static library for $(LUA)' \
	    'Version: $(VERSION)' "Requires: `pkg-config --exists $(LUA_PC) && echo $(LUA_PC) || echo lua-$(ABI)`, libcurl, zlib, libcrypto" \
	    'Cflags: -I$${prefix}/include' 'Libs: -L$${prefix}/lib -l$(NAME) -ldl -lpthread -lm' > "$(PC)"

# The library as one C file and its header, for programs that keep their dependencies in their own tree.
AMALGAM := $(BUILD)/amalgamation
.PHONY: amalgamation
amalgamation: $(AMALGAM)/ampersand.c $(AMALGAM)/ampersand.h ## the library as one C file and one header
	@ls -l $^
$(AMALGAM)/ampersand.h: include/ampersand.h
	@mkdir -p $(@D)
	cp $< $@
$(AMALGAM)/ampersand.c: src/amalgamate.lua $(BUILD)/lua_sources.c $(wildcard src/*.[ch])
	@mkdir -p $(@D)
	$(LUA) $< $(BUILD)/lua_sources.c $(CORE_SRC) $(filter-out $(CORE_SRC),$(HTTP_SRC)) $(CRYPTO_SRC) src/lua_preload.c > $@.$$$$ && mv $@.$$$$ $@

# The host of examples/embed out of that file. COMPILE is a compiler with its dialect. It is whole or not there, as all
# that specs make while others may run.
$(AMALGAM)/%: $(AMALGAM)/ampersand.c $(AMALGAM)/ampersand.h examples/embed/embed.c
	$(COMPILE) $(WARNINGS) -Werror -I$(AMALGAM) $(LUA_INC) $(CURL_CFLAGS) $(CRYPTO_CFLAGS) \
	    examples/embed/embed.c $(AMALGAM)/ampersand.c $(LUA_LIB) $(CURL_LIBS) $(CRYPTO_LIBS) -ldl -lpthread -lm -o $@.$$$$ && mv $@.$$$$ $@
