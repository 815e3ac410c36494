/*
 * A host that bounds Lua's memory. What does not fit is Lua's own error "not enough memory", after
 * which the state goes on. A stream holds one element at a time: a megabyte is enough for any
 * number of installations.
 *
 *     cc -std=c99 limit.c $(pkg-config --cflags --libs ampersand-lua5.4) -o limit
 *     ./limit 1000000
 *
 * AMP_API_KEY, AMPERSAND_PROJECT_ID and AMPERSAND_INTEGRATION_ID say whose installations.
 */
#include <stdio.h>
#include <stdlib.h>
#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>
#include "ampersand.h"

static const char *const script =
    "local ampersand = require 'ampersand'\n"
    "local client = ampersand.new()\n"
    "local ok, why = pcall(client.installations.list, client.installations)\n"
    "print('list', ok, ok and #why or why)\n"
    "collectgarbage()\n"
    "print('count', ampersand.assert(client.installations:count()))\n"
    "local n, stream = 0, ampersand.assert(client.installations:stream())\n"
    "local installation, err = stream:next()\n"
    "while installation do n, installation, err = n + 1, stream:next() end\n"
    "print('stream', n, err)\n";

struct bound {
    size_t used, most;
};

static void *allocate(void *data, void *old, size_t old_size, size_t size)
{
    struct bound *bound = data;
    size_t before = old ? old_size : 0; /* without a block the number is a type */
    if (size > before && size - before > bound->most - bound->used)
        return NULL;
    void *block = size ? realloc(old, size) : (free(old), NULL);
    if (block || !size)
        bound->used += size - before;
    return block;
}

int main(int argc, char **argv)
{
    struct bound bound = {0, argc > 1 ? strtoul(argv[1], NULL, 10) : 4000000};
    lua_State *L = lua_newstate(allocate, &bound);
    if (!L)
        return fputs("not enough memory for a state\n", stderr), 1;
    luaL_openlibs(L);
    ampersand_preload(L);
    int failed = luaL_loadstring(L, script) || lua_pcall(L, 0, 0, 0);
    if (failed)
        fprintf(stderr, "%s\n", lua_tostring(L, -1));
    lua_close(L);
    return failed;
}
