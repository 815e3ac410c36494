/*
 * What the specs of JSON cannot say in Lua: allocators that fail.
 *
 *     json_host LUA_FILE...   each file's function with every k-th allocation failing
 *
 * Prints one line of what was done; exits with 1 at the first thing that is wrong.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ampersand.h"
#include "lua_compat.h"

/* --- an allocator that fails --------------------------------------------------------------------
 */

struct budget {
    long allocations; /* so far */
    long fail_at;     /* the first that fails; 0 for none */
    long failures;    /* how many fail in a row */
    long blocks; /* held; bytes would not do, for LuaJIT itself miscounts them when a table fails */
};

static void *limited(void *context, void *block, size_t old_size, size_t new_size)
{
    struct budget *budget = (struct budget *)context;
    size_t old = block ? old_size : 0;
    if (new_size == 0) {
        budget->blocks -= block != NULL;
        free(block);
        return NULL;
    }
    if (new_size > old) { /* Lua takes it for granted that shrinking works */
        long n = ++budget->allocations - budget->fail_at;
        if (budget->fail_at && n >= 0 && n < budget->failures)
            return NULL;
    }
    void *grown = realloc(block, new_size);
    budget->blocks += grown && !block;
    return grown;
}

/* Not all libraries: a half-opened io closes the host's standard output. */
static void open_libraries(lua_State *L)
{
    static const luaL_Reg libraries[] = {
        {"", luaopen_base},
        {LUA_LOADLIBNAME, luaopen_package},
        {LUA_STRLIBNAME, luaopen_string},
#if LUA_VERSION_NUM >= 502
        {LUA_COLIBNAME, luaopen_coroutine},
#endif
        {NULL, NULL}
    };
    for (const luaL_Reg *library = libraries; library->name; library++) {
        lua_pushcfunction(L, library->func);
        lua_pushstring(L, library->name);
        lua_call(L, 1, 1);
        if (*library->name)
            lua_setglobal(L, library->name);
        lua_settop(L, 1);
    }
}

static int run(lua_State *L)
{
    open_libraries(L);
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "preload");
    lua_pushcfunction(L, luaopen_ampersand_core);
    lua_setfield(L, -2, "ampersand.core");
    lua_settop(L, 1);
    if (luaL_loadfile(L, (const char *)lua_touserdata(L, 1)))
        return lua_error(L);
    lua_call(L, 0, 0);
    return 0;
}

/* Before Lua 5.2 the push of a C function allocates. */
static int protected_run(lua_State *L, void *file)
{
#if LUA_VERSION_NUM < 502
    return lua_cpcall(L, run, file);
#else
    lua_pushcfunction(L, run);
    lua_pushlightuserdata(L, file);
    return lua_pcall(L, 1, 0, 0);
#endif
}

enum outcome { DONE, OUT_OF_MEMORY, WRONG };

/* One state from birth to death. Anything held afterwards is a leak. */
static enum outcome one_run(const char *file, struct budget *budget)
{
    enum outcome outcome = OUT_OF_MEMORY;
    long fail_at = budget->fail_at;
    budget->fail_at = 0; /* LuaJIT itself crashes when it cannot make a state */
#if LUA_VERSION_NUM >= 505
    lua_State *L = lua_newstate(limited, budget, 1);
#else
    lua_State *L = lua_newstate(limited, budget);
#endif
#ifdef LUA_JITLIBNAME /* shapes are compiled where there is jit, which survives no failure itself  \
                       */
    if (L) {
        lua_pushcfunction(L, luaopen_jit);
        lua_pushstring(L, LUA_JITLIBNAME);
        lua_call(L, 1, 0);
    }
#endif
#if LUA_VERSION_NUM == 502 /* it forgets a finalizer for whose call there is no memory */
    if (L)
        lua_gc(L, LUA_GCSTOP, 0);
#endif
    budget->fail_at = fail_at;
    budget->allocations = 0;
    if (L) {
        int status = protected_run(L, (void *)(uintptr_t)file);
        const char *message = status && lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
        if (status == 0)
            outcome = DONE;
        else if (status != LUA_ERRMEM && !strstr(message, "not enough memory") &&
                 !strstr(message, "stack overflow (")) { /* what luaL_checkstack makes of it */
            fprintf(stderr, "%s: allocation %ld: %s\n", file, budget->fail_at, message);
            outcome = WRONG;
        }
        budget->fail_at = 0;
        lua_close(L);
    }
    if (budget->blocks) {
        fprintf(stderr, "%s: allocation %ld: %ld blocks leaked\n", file, fail_at, budget->blocks);
        outcome = WRONG;
    }
    return outcome;
}

/* Fails the k-th allocation (and the one after it) for every k until a run needs fewer, or for
 * every STEP-th k of the environment. */
static long fail_each(const char *file, long failures)
{
    const char *given = getenv("STEP");
    long step = given && atol(given) > 0 ? atol(given) : 1;
    for (long k = 1;; k += step) {
        struct budget budget = {0, k, failures, 0};
        enum outcome outcome = one_run(file, &budget);
        if (outcome == WRONG)
            return -1;
        if (outcome == DONE && budget.allocations < k)
            return k - 1;
    }
}

static int allocations(int count, char **files)
{
    for (int i = 0; i < count; i++) {
        long once = fail_each(files[i], 1), twice = once < 0 ? -1 : fail_each(files[i], 2);
        if (twice < 0)
            return 1;
        printf("%s: %ld allocations failed once, %ld twice in a row: no leak, no crash\n", files[i],
               once, twice);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return allocations(argc - 1, argv + 1);
    fprintf(stderr, "usage: %s LUA_FILE...\n", argv[0]);
    return 2;
}
