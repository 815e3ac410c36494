/*
 * One Lua state in each of several threads: threads SCRIPT URL [host]
 * With "host" the program has initialised libcurl itself before, as any host may.
 */
#include <curl/curl.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { THREADS = 8 };

static char **arguments;

static void *run(void *failed)
{
    lua_State *L = luaL_newstate();

    luaL_openlibs(L);
    lua_pushstring(L, arguments[2]);
    lua_setglobal(L, "URL");
    if (luaL_dofile(L, arguments[1])) {
        fprintf(stderr, "%s\n", lua_tostring(L, -1));
        *(int *)failed = 1;
    }
    lua_close(L);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    int failed[THREADS] = {0}, i, sum = 0, host = argc > 3 && strcmp(argv[3], "host") == 0;

    arguments = argv;
    if (host)
        curl_global_init(CURL_GLOBAL_DEFAULT);
    for (i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, run, &failed[i]);
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        sum += failed[i];
    }
    if (host)
        curl_global_cleanup();
    return sum != 0;
}
