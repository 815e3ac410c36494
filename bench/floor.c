/*
 * Lower bounds of what any C library does through Lua's API. The table-building floor builds the
 * tables of a text again and again from one tape; the walking floor visits every key and value, as
 * an encoder must, and makes a string as long as the text.
 * Not part of the module; bench/whole.lua requires it as "floor".
 */
#include <string.h>

#include "lua_build.h"

struct floor {
    struct amp_scan scan;
    struct amp_strings strings;
    char *scratch;
    size_t scratch_room;
};

/* Upvalues: the struct, the strings' anchors, the metatable of arrays, the text. */
static int l_build(lua_State *L)
{
    struct floor *f = (struct floor *)lua_touserdata(L, lua_upvalueindex(1));
    struct amp_builder b;
    lua_settop(L, 0);
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_pushvalue(L, lua_upvalueindex(3));
    b.scan = &f->scan;
    b.strings = &f->strings;
    b.anchors = 1;
    b.array_mt = 2;
    b.scratch = &f->scratch;
    b.scratch_room = &f->scratch_room;
    b.first = b.depth = 0;
    b.shapes = 0;
    memset(&b.frame, 0, sizeof b.frame);
    return amp_build(L, &b);
}

/* floor.prepare(text): a function that builds the text's tables. Its memory is never given back. */
static int l_prepare(lua_State *L)
{
    size_t size;
    const char *text = luaL_checklstring(L, 1, &size);
    struct amp_memory memory;
    memory.allocate = lua_getallocf(L, &memory.context);
    struct floor *f = (struct floor *)lua_newuserdata(L, sizeof *f);
    memset(f, 0, sizeof *f);
    amp_scan_init(&f->scan, &memory);
    f->scan.max_depth = 1000;
    f->scan.max_values = SIZE_MAX;
    f->scan.integer_bits = AMP_INTEGER_BITS;
    if (!amp_scan_start(&f->scan, text + size, 0) || !amp_scan_record(&f->scan, text))
        return luaL_error(L, "not JSON");
    lua_newtable(L);
    lua_newtable(L);
    lua_pushvalue(L, 1);
    lua_pushcclosure(L, l_build, 4);
    return 1;
}

/* The table on top: all keys and strings are looked at. Returns their bytes. */
static size_t walk(lua_State *L)
{
    size_t bytes = 0, size;
    luaL_checkstack(L, 8, NULL);
    lua_pushnil(L);
    for (; lua_next(L, -2); lua_pop(L, 1)) {
        if (lua_type(L, -2) == LUA_TSTRING && lua_tolstring(L, -2, &size))
            bytes += size;
        int type = lua_type(L, -1);
        if (type == LUA_TTABLE)
            bytes += walk(L);
        else if (type == LUA_TSTRING && lua_tolstring(L, -1, &size))
            bytes += size;
    }
    return bytes;
}

/* Upvalues: the value, a copy of its text, the text's size. */
static int l_walk(lua_State *L)
{
    lua_settop(L, 0);
    lua_pushvalue(L, lua_upvalueindex(1));
    walk(L);
    lua_pushlstring(L, (const char *)lua_touserdata(L, lua_upvalueindex(2)),
                    (size_t)lua_tonumber(L, lua_upvalueindex(3)));
    return 1;
}

/* floor.walker(value, text): a function that walks the value, a table of which this is the text. */
static int l_walker(lua_State *L)
{
    size_t size;
    const char *text = luaL_checklstring(L, 2, &size);
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    lua_pushvalue(L, 1);
    char *copy = (char *)memcpy(lua_newuserdata(L, size), text, size);
    copy[0] = ' '; /* not the text itself, which LuaJIT would find among its strings */
    lua_pushnumber(L, (lua_Number)size);
    lua_pushcclosure(L, l_walk, 3);
    return 1;
}

AMP_EXPORT int luaopen_floor(lua_State *L);

AMP_EXPORT int luaopen_floor(lua_State *L)
{
    lua_newtable(L);
    lua_pushcfunction(L, l_prepare);
    lua_setfield(L, -2, "prepare");
    lua_pushcfunction(L, l_walker);
    lua_setfield(L, -2, "walker");
    return 1;
}
