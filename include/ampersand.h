/*
 * ampersand: a client for the Ampersand API, for programs that host Lua.
 *
 * A C host either lets Lua find the modules (package.cpath) or links them
 * statically and registers them itself:
 *
 *     lua_State *L = luaL_newstate();
 *     luaL_openlibs(L);
 *     ampersand_preload(L);
 */
#ifndef AMPERSAND_H
#define AMPERSAND_H

#define AMPERSAND_VERSION "0.2.0"

#ifdef __cplusplus
extern "C" {
#endif

struct lua_State;

/* lua_CFunction of the module "ampersand.core": JSON, clock. Leaves one table on the stack. */
int luaopen_ampersand_core(struct lua_State *L);

/* lua_CFunction of the module "ampersand.http": the HTTP engine. Needs libcurl. */
int luaopen_ampersand_http(struct lua_State *L);

/* lua_CFunction of the module "ampersand.crypto": HMAC and RSA. Needs libcrypto. */
int luaopen_ampersand_crypto(struct lua_State *L);

/*
 * Registers the C modules in package.preload, so that require finds them without
 * a file. Leaves the stack as it was; raises a Lua error when memory runs out.
 */
void ampersand_preload(struct lua_State *L);

#ifdef __cplusplus
}
#endif

#endif
