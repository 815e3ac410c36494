/* Adds JSON to the module table on top of the stack. */
#ifndef AMP_LUA_JSON_H
#define AMP_LUA_JSON_H

#include "lua_compat.h"

#ifdef __GNUC__
#pragma GCC visibility push(hidden) /* also where the build gives no flags */
#endif

void amp_open_json(lua_State *L);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#endif
