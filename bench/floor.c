/*
 * The table-building floor: builds the tables of a text again and again from one tape.
 * Not part of the module; bench/decode.lua requires it as "floor".
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
    b.depth = 0;
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

AMP_EXPORT int luaopen_floor(lua_State *L);

AMP_EXPORT int luaopen_floor(lua_State *L)
{
    lua_newtable(L);
    lua_pushcfunction(L, l_prepare);
    lua_setfield(L, -2, "prepare");
    return 1;
}
