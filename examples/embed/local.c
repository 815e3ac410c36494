/*
 * A host that loads liblua with RTLD_LOCAL, as plugins do. A module on disk then fails with
 * "undefined symbol: lua_...", until the symbols of liblua are global: a script asks for that with
 * package.loadlib(LIBLUA, "*").
 *
 *     cc -DLIBLUA='"liblua5.4.so.0"' local.c -ldl -o local
 *
 * AMP_API_KEY, AMPERSAND_PROJECT_ID and AMPERSAND_INTEGRATION_ID say whose installations.
 */
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

static const char *const script =
    "assert(package.loadlib('" LIBLUA "', '*'))\n"
    "local ampersand = require 'ampersand'\n"
    "for _, installation in ipairs(ampersand.assert(ampersand.new().installations:list())) do\n"
    "  print(installation.id, installation.healthStatus)\n"
    "end\n";

/* The function NAME of the library, as POSIX has it: through a pointer to void. */
#define FUNCTION(type, variable, name, parameters)                                                 \
    type(*variable) parameters;                                                                    \
    *(void **)(&variable) = dlsym(library, name)

int main(void)
{
    void *library = dlopen(LIBLUA, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return fprintf(stderr, "%s\n", dlerror()), 2;
    FUNCTION(void *, new_state, "luaL_newstate", (void));
    FUNCTION(void, open_libs, "luaL_openlibs", (void *));
    FUNCTION(int, load_string, "luaL_loadstring", (void *, const char *));
    FUNCTION(int, call, "lua_pcallk", (void *, int, int, int, intptr_t, void *));
    FUNCTION(const char *, to_string, "lua_tolstring", (void *, int, size_t *));
    void *L = new_state();
    open_libs(L);
    int failed = load_string(L, script) || call(L, 0, 0, 0, 0, NULL);
    if (failed)
        fprintf(stderr, "%s\n", to_string(L, -1, NULL));
    return failed;
}
