/*
 * What the files that bind JSON to Lua share: options, programming errors, classes.
 */
#ifndef AMP_LUA_JSON_H
#define AMP_LUA_JSON_H

#include <stdbool.h>

#include "lua_compat.h"
#include "memory.h"

#ifdef __GNUC__
#pragma GCC visibility push(hidden) /* also where the build gives no flags */
#endif

#define AMP_PLAN "ampersand.plan/1" /* the metatable of plans */

enum { AMP_DEFAULT_DEPTH = 1000 }; /* max_depth, of decode and encode alike */

/* Upvalues of all functions. A class's methods have its metatable behind them, decode and encode
 * what they keep from call to call. */
enum {
    UP_ARRAY_MT = 1,
    UP_SHAPE_NAME, /* "__jsontype": the field by which other metatables give a table's shape */
    UP_ANCHORS,
    UP_STRINGS,
    UP_CLASS,
    UP_COUNT = UP_STRINGS,
    UP_CACHED = UP_CLASS
};

/* Adds JSON to the module table on top of the stack. */
void amp_open_json(lua_State *L);

/* The parts of it. The module is at index `module`, the shared upvalues are on top. */
void amp_open_decoder(lua_State *L, int module);
void amp_open_encoder(lua_State *L, int module);
void amp_open_plan(lua_State *L, int module);

/* Makes a metatable with a finalizer and, unless NULL, methods. */
void amp_new_class(lua_State *L, const char *name, const luaL_Reg *methods,
                   lua_CFunction collected);

/* Sets a function whose last upvalue, UP_CACHED, is nil. */
void amp_set_function(lua_State *L, int module, const char *name, lua_CFunction function);

/* The allocator of this Lua. */
struct amp_memory amp_memory_of(lua_State *L);

/*
 * Raises a programming error at the line of the program that called the library, if
 * core.raise_with was given a function that finds it; else at the line that called the core.
 */
int amp_argument_error(lua_State *L, const char *format, ...);

/* Parts of messages: a byte, as \x7f unless it is printable ASCII, and a number. */
void amp_add_byte(luaL_Buffer *b, char byte);
void amp_add_number(luaL_Buffer *b, double number);

/* What a message shows of a value that does not fit: its text or its type. May push it. */
const char *amp_shown(lua_State *L, int index);

/*
 * Options: `options` is the index of a table. They raise when the value does not fit.
 * amp_get_option pushes the value unless it is nil.
 */
bool amp_get_option(lua_State *L, int options, const char *name);
bool amp_flag(lua_State *L, int options, const char *name);
size_t amp_size_option(lua_State *L, int options, const char *name, size_t otherwise);

/* Whether the option says `yes` and not `no`, the default. */
bool amp_choice_option(lua_State *L, int options, const char *name, const char *yes,
                       const char *no);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#endif
