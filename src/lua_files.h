/* What Lua's io has no files for: see lua_append_file.c and lua_private_file.c. */
#ifndef AMP_LUA_FILES_H
#define AMP_LUA_FILES_H

#include "lua_compat.h"

#ifdef __GNUC__
#pragma GCC visibility push(hidden) /* also where the build gives no flags */
#endif

/* They add to the module table on top of the stack. */
void amp_open_append_file(lua_State *L);
void amp_open_private_file(lua_State *L);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#endif
