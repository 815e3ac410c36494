/* Files that one process at a time may append to: see lua_append_file.c. */
#ifndef AMP_LUA_APPEND_FILE_H
#define AMP_LUA_APPEND_FILE_H

#include "lua_compat.h"

#ifdef __GNUC__
#pragma GCC visibility push(hidden) /* also where the build gives no flags */
#endif

/* Adds append_file and process_id to the module table on top of the stack. */
void amp_open_append_file(lua_State *L);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#endif
