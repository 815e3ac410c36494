/* Registers everything in package.preload, for hosts that link the library statically. */
#include "ampersand.h"
#include "lua_compat.h"
#include "lua_sources.h"

static const luaL_Reg c_modules[] = {
    {"ampersand.core", luaopen_ampersand_core},
    {"ampersand.http", luaopen_ampersand_http},
    {"ampersand.crypto", luaopen_ampersand_crypto},
    {NULL, NULL},
};

/* package.preload calls this with the module's name; upvalue 1 is the module's place in the list.
 */
static int load_lua_module(lua_State *L)
{
    const struct amp_lua_source *source = &amp_lua_sources[lua_tointeger(L, lua_upvalueindex(1))];
    if (luaL_loadbuffer(L, source->text, source->size, source->chunk_name) != 0)
        return lua_error(L);
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

void ampersand_preload(lua_State *L)
{
    luaL_checkstack(L, 4, "ampersand_preload");
    lua_getglobal(L, "package");
    if (!lua_istable(L, -1))
        luaL_error(L, "ampersand_preload: the package library is not open");
    lua_getfield(L, -1, "preload");
    for (const luaL_Reg *module = c_modules; module->name; module++) {
        lua_pushcfunction(L, module->func);
        lua_setfield(L, -2, module->name);
    }
    for (int i = 0; amp_lua_sources[i].name; i++) {
        lua_pushinteger(L, i);
        lua_pushcclosure(L, load_lua_module, 1);
        lua_setfield(L, -2, amp_lua_sources[i].name);
    }
    lua_pop(L, 2);
}
