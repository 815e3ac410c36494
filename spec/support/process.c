/* What specs need of the operating system: fork, wait, leave, signals, and memory that runs out on
 * demand. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <lauxlib.h>
#include <lua.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* fork() -> pid in the parent, 0 in the child */
static int process_fork(lua_State *L)
{
    lua_pushinteger(L, fork());
    return 1;
}

/* wait(pid) -> exit code, or 1000 + the signal that ended it */
static int process_wait(lua_State *L)
{
    int status = 0;

    waitpid((pid_t)luaL_checkinteger(L, 1), &status, 0);
    lua_pushinteger(L, WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status));
    return 1;
}

/* leave(code): without the end of the Lua state and without flushing the parent's files again */
static int process_leave(lua_State *L)
{
    _exit((int)luaL_checkinteger(L, 1));
}

/* heed_sigpipe(): it ends the process again, although LuaSocket had the specs ignore it. */
static int process_heed_sigpipe(lua_State *L)
{
    (void)L;
    signal(SIGPIPE, SIG_DFL);
    return 0;
}

/* fail_at(n): the n-th allocation from now on fails, once; 0: none. Needs fail_malloc.so preloaded.
 */
static int process_fail_at(lua_State *L)
{
    void (*fail_at)(long);

    *(void **)&fail_at = dlsym(RTLD_DEFAULT, "amp_test_fail_at");
    if (!fail_at)
        return luaL_error(L, "fail_malloc.so is not preloaded");
    fail_at((long)luaL_checkinteger(L, 1));
    return 0;
}

int luaopen_process(lua_State *L)
{
    lua_newtable(L);
    lua_pushcfunction(L, process_fork);
    lua_setfield(L, -2, "fork");
    lua_pushcfunction(L, process_wait);
    lua_setfield(L, -2, "wait");
    lua_pushcfunction(L, process_leave);
    lua_setfield(L, -2, "leave");
    lua_pushcfunction(L, process_heed_sigpipe);
    lua_setfield(L, -2, "heed_sigpipe");
    lua_pushcfunction(L, process_fail_at);
    lua_setfield(L, -2, "fail_at");
    return 1;
}
