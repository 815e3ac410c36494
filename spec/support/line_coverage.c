/*
 * Which lines of lua/ run: `make coverage` has LUA_INIT load this into every Lua it starts, and
 * preloads it into nginx and HAProxy. A C hook, which new coroutines inherit. What was seen is in a
 * mapped file, so that a killed process loses nothing.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#if defined(__has_include) && __has_include(<luajit.h>)
#include <luajit.h>
#endif

enum { MAX_FILES = 250, MAX_LINES = 1000 };

struct source_file {
    char path[120];
    char reached[MAX_LINES]; /* '1' where the line has run */
};
static struct source_file *files;

/* The file of a source "@lua/ampersand/x.lua", with any directories before it; NULL for others. */
static struct source_file *file_of(const char *source)
{
    const char *path = strstr(source, "lua/ampersand");
    if (*source != '@' || !path || strlen(path) >= sizeof files->path)
        return NULL;
    for (struct source_file *file = files; file < files + MAX_FILES; file++) {
        if (!*file->path)
            strcpy(file->path, path);
        if (strcmp(file->path, path) == 0)
            return file;
    }
    return NULL;
}

static void on_line(lua_State *L, lua_Debug *ar)
{
    if (!lua_getinfo(L, "S", ar) || ar->currentline >= MAX_LINES)
        return;
    struct source_file *file = file_of(ar->source);
    if (file)
        file->reached[ar->currentline] = '1';
}

/* The file of this process, once: children of a fork write into it, too. */
static struct source_file *map_files(const char *directory)
{
    char name[512];
    size_t size = MAX_FILES * sizeof(struct source_file);
    snprintf(name, sizeof name, "%s/%ld.lines", directory, (long)getpid());
    int fd = open(name, O_RDWR | O_CREAT, 0666);
    if (fd < 0 || ftruncate(fd, (off_t)size) != 0)
        return NULL;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return memory == MAP_FAILED ? NULL : (struct source_file *)memory;
}

int luaopen_line_coverage(lua_State *L)
{
    const char *directory = getenv("AMP_COVERAGE");
    if (!files && directory)
        files = map_files(directory);
    if (files) {
#ifdef LUAJIT_VERSION
        luaJIT_setmode(L, 0,
                       LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF); /* compiled code calls no hooks */
#endif
        lua_sethook(L, on_line, LUA_MASKLINE, 0);
    }
    return 0;
}

/* Every Lua of nginx and of HAProxy begins here, and they link Lua dynamically. */
void luaL_openlibs(lua_State *L)
{
    void (*original)(lua_State *);
    *(void **)&original = dlsym(RTLD_NEXT, "luaL_openlibs");
    original(L);
    luaopen_line_coverage(L);
}

#if LUA_VERSION_NUM == 503
/* HAProxy sets a hook of its own, for counts, in each coroutine that it resumes. */
static lua_Hook on_count;

static void on_event(lua_State *L, lua_Debug *ar)
{
    if (ar->event == LUA_HOOKLINE)
        on_line(L, ar);
    else
        on_count(L, ar);
}

void(lua_sethook)(lua_State *L, lua_Hook hook, int mask, int count)
{
    void (*original)(lua_State *, lua_Hook, int, int);
    *(void **)&original = dlsym(RTLD_NEXT, "lua_sethook");
    if (files && mask == LUA_MASKCOUNT) {
        on_count = hook;
        original(L, on_event, LUA_MASKCOUNT | LUA_MASKLINE, count);
    } else {
        original(L, hook, mask, count);
    }
}
#endif
