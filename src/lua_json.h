/*
 * What the two files that bind JSON to Lua share.
 */
#ifndef AMP_LUA_JSON_H
#define AMP_LUA_JSON_H

#include "json_scan.h"
#include "lua_compat.h"

#define AMP_PLAN "ampersand.plan/1" /* the metatable of plans */

#ifdef __GNUC__
#pragma GCC visibility push(hidden) /* also where the build gives no flags */
#endif

/* Adds JSON to the module table on top of the stack. */
void amp_open_json(lua_State *L);

/* core.plan(compiled) and the plan's __gc. */
int amp_new_plan(lua_State *L);
int amp_plan_collected(lua_State *L);

/* Raises a programming error at the line of the program that called the library (core.raise_with).
 */
int amp_argument_error(lua_State *L, const char *format, ...);

/* What a message shows of a value that does not fit: its text or its type. May push it. */
const char *amp_shown(lua_State *L, int index);

/* The allocator of this Lua. */
struct amp_memory amp_memory_of(lua_State *L);

/* Whether field `name` of the table at `index` is set. */
int amp_flag(lua_State *L, int index, const char *name);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#endif
