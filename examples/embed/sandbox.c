/*
 * A host whose scripts have no require, no files and no io: only what it hands to them. A script
 * can use the client; its key cannot be read from it.
 *
 *     cc -std=c99 sandbox.c $(pkg-config --cflags --libs ampersand-lua5.4) -o sandbox
 *
 * AMP_API_KEY, AMPERSAND_PROJECT_ID and AMPERSAND_INTEGRATION_ID say whose installations.
 */
#include <stdio.h>
#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>
#include "ampersand.h"

/* The host's own part: it loads everything at once, since nothing can be loaded later. */
static const char *const prepare =
    "local ampersand = require 'ampersand'\n"
    "ampersand.load()\n"
    "client, describe = ampersand.new(), ampersand.assert\n"
    "require, package, io, os, debug, dofile, loadfile, load, loadstring = nil\n";

static const char *const script =
    "print('require', require, 'io', io, 'os', os)\n"
    "for installation in client.installations:where { healthStatus = 'healthy' }:each() do\n"
    "  print(installation.id, installation.healthStatus)\n"
    "end\n"
    "print(client, select(2, client.installations:get 'no-such-id'))\n"
    "print(select(2, pcall(client.installations.list, client.installations, { timout = 1 })))\n";

int main(void)
{
    lua_State *L = luaL_newstate();
    if (!L)
        return 1;
    luaL_openlibs(L);
    ampersand_preload(L);
    int failed = luaL_dostring(L, prepare) || luaL_dostring(L, script);
    if (failed)
        fprintf(stderr, "%s\n", lua_tostring(L, -1));
    lua_close(L);
    return failed;
}
