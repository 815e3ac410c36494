/*
 * The differences between Lua 5.1, LuaJIT, 5.2, 5.3, 5.4 and 5.5, as far as this project meets
 * them.
 */
#ifndef AMP_LUA_COMPAT_H
#define AMP_LUA_COMPAT_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#ifdef __cplusplus
}
#endif

#if defined(_WIN32)
#define AMP_EXPORT __declspec(dllexport)
#elif defined(__GNUC__)
#define AMP_EXPORT __attribute__((visibility("default")))
#else
#define AMP_EXPORT
#endif

#if LUA_VERSION_NUM == 501 && defined(LUAI_MAXSTACK) && defined(LUAI_MAXCSTACK)
#define AMP_HAS_SHAPES 1 /* LuaJIT: lua_shape.h pays */
#else
#define AMP_HAS_SHAPES 0
#endif

#if LUA_VERSION_NUM >= 503 && LUA_MAXINTEGER < 9223372036854775807
#error "ampersand needs a Lua whose integers have 64 bits: ids and counts would be cut"
#endif
#if LUA_VERSION_NUM >= 503 && LUA_FLOAT_TYPE != LUA_FLOAT_DOUBLE
#error "ampersand needs a Lua whose floats are doubles"
#endif
typedef char
    amp_needs_a_lua_whose_numbers_are_doubles[sizeof(lua_Number) == sizeof(double) ? 1 : -1];

#if LUA_VERSION_NUM >= 503
#define AMP_INTEGER_BITS 63 /* integers are exact over the range of int64 */
#else
#define AMP_INTEGER_BITS 53 /* every number is a double */
#endif

#if LUA_VERSION_NUM >= 504
#define amp_newuserdata(L, size) lua_newuserdatauv(L, size, 1)
#define amp_getuservalue(L, index) ((void)lua_getiuservalue(L, index, 1))
#define amp_setuservalue(L, index) ((void)lua_setiuservalue(L, index, 1))
#elif LUA_VERSION_NUM >= 502
#define amp_newuserdata(L, size) lua_newuserdata(L, size)
#define amp_getuservalue(L, index) ((void)lua_getuservalue(L, index))
#define amp_setuservalue(L, index) lua_setuservalue(L, index)
#else
#define amp_newuserdata(L, size) lua_newuserdata(L, size)
#define amp_getuservalue(L, index) lua_getfenv(L, index)
#define amp_setuservalue(L, index) ((void)lua_setfenv(L, index))
#endif

#if LUA_VERSION_NUM < 502
#define lua_rawlen(L, index) lua_objlen(L, index)

/* LuaJIT may have it, Lua 5.1 does not. Sets the functions with `count` shared upvalues, taken
 * from the top. */
static inline void amp_setfuncs(lua_State *L, const luaL_Reg *functions, int count)
{
    for (; functions->name; functions++) {
        for (int i = 0; i < count; i++)
            lua_pushvalue(L, -count);
        lua_pushcclosure(L, functions->func, count);
        lua_setfield(L, -count - 2, functions->name);
    }
    lua_pop(L, count);
}
#else
#define amp_setfuncs(L, functions, count) luaL_setfuncs(L, functions, count)
#endif

#if LUA_VERSION_NUM >= 505 && !defined(LUAI_MAXSTACK)
#define LUAI_MAXSTACK 1000000 /* the value of 5.5, which no longer declares it */
#endif

/*
 * Makes room for `slots` more values. Returns false at this Lua's limit and raises when memory
 * ends, which lua_checkstack does not distinguish since 5.2.
 */
static inline bool amp_reserve_stack(lua_State *L, size_t slots)
{
    if (slots < 1000000 && lua_checkstack(L, (int)slots))
        return true;
#if defined(LUAI_MAXSTACK) && defined(LUAI_MAXCSTACK) /* LuaJIT */
    if (slots + (size_t)lua_gettop(L) <= LUAI_MAXCSTACK)
        luaL_error(L, "not enough memory");
#elif defined(LUAI_MAXSTACK)
    if (slots + (size_t)lua_gettop(L) < LUAI_MAXSTACK / 2)
        luaL_error(L, "not enough memory");
#endif
    return false;
}

/* The userdata at index 1 of a method whose upvalue `upvalue` is the metatable of its class: for
 * less than luaL_checkudata, which looks it up by its name. */
static inline void *amp_check_self(lua_State *L, int upvalue, const char *name)
{
    void *self = lua_touserdata(L, 1);
    bool fits = false;
    if (self && lua_getmetatable(L, 1)) {
        fits = lua_rawequal(L, -1, lua_upvalueindex(upvalue));
        lua_pop(L, 1);
    }
    return fits ? self : luaL_checkudata(L, 1, name); /* raises */
}

/* Pushes an int64 exactly where the Lua can hold it, else the nearest double. */
#if LUA_VERSION_NUM >= 503
#define amp_pushinteger(L, value) lua_pushinteger(L, (lua_Integer)(value))
#else
#define amp_pushinteger(L, value) lua_pushnumber(L, (lua_Number)(value))
#endif

#endif
