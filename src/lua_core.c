/*
 * ampersand.core: JSON, clocks, a random number, locked and private files, a way to load libraries.
 * Links no libcurl.
 */
#include "clock.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ampersand.h"
#include "lua_files.h"
#include "lua_json.h"

/* core.now(): seconds of a clock that never jumps. */
static int l_now(lua_State *L)
{
    lua_pushnumber(L, amp_seconds(CLOCK_MONOTONIC));
    return 1;
}

/* core.time(): seconds since 1970. */
static int l_time(lua_State *L)
{
    lua_pushnumber(L, amp_seconds(CLOCK_REALTIME));
    return 1;
}

/* core.is_terminal(descriptor): whether 0, 1 or 2 is one. */
static int l_is_terminal(lua_State *L)
{
    lua_pushboolean(L, isatty((int)luaL_checknumber(L, 1)));
    return 1;
}

/* core.columns(): of the terminal that standard output is; 0 where that is not known. */
static int l_columns(lua_State *L)
{
    struct winsize size;
    lua_pushnumber(L, ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0);
    return 1;
}

/* For jitter, not for secrets. A child after fork has another process id and seeds anew. */
struct random {
    pid_t process;
    uint64_t state;
};

static void seed(struct random *r)
{
    struct timespec now;
    FILE *source = fopen("/dev/urandom", "rb");
    clock_gettime(CLOCK_REALTIME, &now);
    r->process = getpid();
    if (!source || fread(&r->state, sizeof r->state, 1, source) != 1)
        r->state = (uint64_t)(uintptr_t)r;
    if (source)
        fclose(source);
    r->state ^= (uint64_t)now.tv_nsec << 32 ^ (uint64_t)now.tv_sec ^ (uint64_t)r->process << 48;
}

/* A step of a Weyl sequence, mixed. */
static uint64_t next_random(struct random *r)
{
    uint64_t x = r->state += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* core.random(): a double in [0, 1). */
static int l_random(lua_State *L)
{
    struct random *r = (struct random *)lua_touserdata(L, lua_upvalueindex(1));
    if (r->process != getpid())
        seed(r);
    lua_pushnumber(L, (lua_Number)(next_random(r) >> 11) / 9007199254740992.0);
    return 1;
}

/*
 * core.bind_lazily(path) -> whether there is such a library. Maps it before `require` does, which
 * would bind every function of it and of all libraries it needs at once. It stays mapped.
 */
static int l_bind_lazily(lua_State *L)
{
    lua_pushboolean(L, dlopen(luaL_checkstring(L, 1), RTLD_LAZY | RTLD_LOCAL) != NULL);
    return 1;
}

AMP_EXPORT int luaopen_ampersand_core(lua_State *L)
{
    lua_newtable(L);
    amp_open_json(L);
    amp_open_append_file(L);
    amp_open_private_file(L);
    lua_pushcfunction(L, l_now);
    lua_setfield(L, -2, "now");
    lua_pushcfunction(L, l_is_terminal);
    lua_setfield(L, -2, "is_terminal");
    lua_pushcfunction(L, l_columns);
    lua_setfield(L, -2, "columns");
    lua_pushcfunction(L, l_time);
    lua_setfield(L, -2, "time");
    lua_pushcfunction(L, l_bind_lazily);
    lua_setfield(L, -2, "bind_lazily");
    struct random *r = (struct random *)lua_newuserdata(L, sizeof *r);
    r->process = 0;
    lua_pushcclosure(L, l_random, 1);
    lua_setfield(L, -2, "random");
    lua_pushliteral(L, AMPERSAND_VERSION);
    lua_setfield(L, -2, "version");
    return 1;
}
