#include "lua_json.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "json_number.h"
#include "lua_build.h"
#include "rfc3339.h"

struct amp_memory amp_memory_of(lua_State *L)
{
    struct amp_memory memory;
    memory.allocate = lua_getallocf(L, &memory.context);
    return memory;
}

/* --- invalid arguments ----------------------------------------------------------------------- */

/* The registry's key of the function that raises a message at the line of the program that called
 * the library. */
static const char raise_key = 'r';

/* core.raise_with(raise): programming errors that C finds are raised by this function. */
static int l_raise_with(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_pushlightuserdata(L, (void *)&raise_key);
    lua_insert(L, 1);
    lua_rawset(L, LUA_REGISTRYINDEX);
    return 0;
}

int amp_argument_error(lua_State *L, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    lua_pushvfstring(L, format, arguments);
    va_end(arguments);
    lua_pushlightuserdata(L, (void *)&raise_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    lua_pushvalue(L, -2);
    if (lua_isfunction(L, -2))
        lua_call(L, 1, 0);
    return luaL_error(L, "%s", lua_tostring(L, -1));
}

void amp_add_byte(luaL_Buffer *b, char byte)
{
    static const char hex[] = "0123456789abcdef";
    if (byte >= 0x20 && byte < 0x7f) {
        luaL_addchar(b, byte);
        return;
    }
    luaL_addstring(b, "\\x");
    luaL_addchar(b, hex[byte >> 4 & 15]);
    luaL_addchar(b, hex[byte & 15]);
}

void amp_add_number(luaL_Buffer *b, double number)
{
    char text[AMP_NUMBER_ROOM];
    luaL_addlstring(b, text, amp_print_double(text, number));
}

const char *amp_shown(lua_State *L, int index)
{
    int type = lua_type(L, index);
    if (type == LUA_TNUMBER || (type == LUA_TSTRING && lua_rawlen(L, index) <= 40)) {
        lua_pushvalue(L, index);
        return lua_tostring(L, -1);
    }
    return luaL_typename(L, index);
}

/* --- options --------------------------------------------------------------------------------- */

bool amp_get_option(lua_State *L, int options, const char *name)
{
    lua_getfield(L, options, name);
    if (!lua_isnil(L, -1))
        return true;
    lua_pop(L, 1);
    return false;
}

size_t amp_size_option(lua_State *L, int options, const char *name, size_t otherwise)
{
    if (!amp_get_option(L, options, name))
        return otherwise;
    lua_Number value = lua_tonumber(L, -1);
    if (lua_type(L, -1) != LUA_TNUMBER || !(value >= 0))
        amp_argument_error(L, "option %s: expected a number of 0 or more, got %s", name,
                           amp_shown(L, -1));
    lua_pop(L, 1);
    return value < (lua_Number)(SIZE_MAX / 2) ? (size_t)value : SIZE_MAX / 2;
}

bool amp_flag(lua_State *L, int options, const char *name)
{
    lua_getfield(L, options, name);
    bool value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

bool amp_choice_option(lua_State *L, int options, const char *name, const char *yes, const char *no)
{
    if (!amp_get_option(L, options, name))
        return false;
    const char *value = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
    bool chosen = strcmp(value, yes) == 0;
    if (!chosen && strcmp(value, no) != 0)
        amp_argument_error(L, "option %s: expected \"%s\" or \"%s\", got %s", name, no, yes,
                           amp_shown(L, -1));
    lua_pop(L, 1);
    return chosen;
}

/* --- small functions -------------------------------------------------------------------------- */

/* core.array(t): tags the table, or a new one, as an array. */
static int l_array(lua_State *L)
{
    lua_settop(L, 1);
    if (lua_isnil(L, 1)) {
        lua_newtable(L);
        lua_replace(L, 1);
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_pushvalue(L, lua_upvalueindex(UP_ARRAY_MT));
    lua_setmetatable(L, 1);
    return 1;
}

/* core.instant(text, or_date): seconds since 1970 and nanoseconds of an RFC 3339 time, or of a date
 * alone; or nil and what is wrong. */
static int l_instant(lua_State *L)
{
    size_t size;
    const char *text = luaL_checklstring(L, 1, &size);
    struct amp_instant instant;
    const char *why = amp_rfc3339_read(&instant, text, size, lua_toboolean(L, 2));
    if (why) {
        lua_pushnil(L);
        lua_pushstring(L, why);
    } else {
        amp_pushinteger(L, instant.seconds);
        lua_pushinteger(L, instant.nanoseconds);
    }
    return 2;
}

/* --- the module ------------------------------------------------------------------------------ */

void amp_new_class(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction collected)
{
    luaL_newmetatable(L, name);
    lua_pushcfunction(L, collected);
    lua_setfield(L, -2, "__gc");
    if (methods) {
        lua_newtable(L);
        for (int i = 0; i < UP_COUNT; i++)
            lua_pushvalue(L, -UP_COUNT - 2);
        lua_pushvalue(L, -UP_COUNT - 2); /* UP_CLASS */
        amp_setfuncs(L, methods, UP_COUNT + 1);
        lua_setfield(L, -2, "__index");
    }
    lua_pushliteral(L, "ampersand");
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

void amp_set_function(lua_State *L, int module, const char *name, lua_CFunction function)
{
    for (int i = 0; i < UP_COUNT; i++)
        lua_pushvalue(L, -UP_COUNT);
    lua_pushnil(L);
    lua_pushcclosure(L, function, UP_COUNT + 1);
    lua_setfield(L, module, name);
}

void amp_open_json(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"array", l_array}, {"instant", l_instant}, {"raise_with", l_raise_with}, {NULL, NULL}};
    int module = lua_gettop(L);
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, module, "null");
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "array");
    lua_setfield(L, -2, "__jsontype");
    lua_pushvalue(L, -1);
    lua_setfield(L, module, "array_mt");
    lua_pushliteral(L, "__jsontype");
    lua_newtable(L);
    struct amp_strings *strings = (struct amp_strings *)lua_newuserdata(L, sizeof *strings);
    amp_strings_init(strings);
    if (AMP_HAS_SHAPES && amp_push_shapes(L)) {
        lua_rawseti(L, -3, 0);
        strings->shapes.enabled = true;
    }
    amp_open_decoder(L, module);
    amp_open_encoder(L, module);
    amp_open_plan(L, module);
    lua_pushvalue(L, module);
    lua_insert(L, module);
    amp_setfuncs(L, functions, UP_COUNT);
    lua_pop(L, 1);
}
