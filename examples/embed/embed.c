/*
 * A C program that hosts Lua and links ampersand statically: no module file is searched on disk.
 *
 *     cc -std=c99 embed.c $(pkg-config --cflags --libs ampersand-lua5.4) -o embed
 *     AMP_API_KEY=… ./embed my-project hubspot
 */
#include <stdio.h>
#ifdef __cplusplus
#include <lua.hpp>
#else
#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>
#endif
#include "ampersand.h"

static const char *const script =
    "package.path, package.cpath = '', ''\n"
    "local ampersand = require 'ampersand'\n"
    "local client = ampersand.new { project = arg[1], integration = arg[2] }\n"
    "local stream = ampersand.assert(client.installations:stream())\n"
    "local installation, err = stream:next()\n"
    "while installation do\n"
    "  print(installation.id, installation.healthStatus)\n"
    "  installation, err = stream:next()\n"
    "end\n"
    "ampersand.assert(not err, err)\n";

static void push_arguments(lua_State *L, int argc, char **argv)
{
    lua_newtable(L);
    for (int i = 0; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i);
    }
    lua_setglobal(L, "arg");
}

int main(int argc, char **argv)
{
    lua_State *L = luaL_newstate();
    if (!L)
        return 1;
    luaL_openlibs(L);
    ampersand_preload(L);
    push_arguments(L, argc, argv);
    int failed = luaL_loadstring(L, script) || lua_pcall(L, 0, 0, 0);
    if (failed)
        fprintf(stderr, "%s\n", lua_tostring(L, -1));
    lua_close(L);
    return failed;
}
