/*
 * Which lines of lua/ run: `make coverage` has LUA_INIT load this into every Lua it starts.
 * A C hook, which new coroutines inherit. What was seen is written when the process ends.
 */
#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_FILES = 200, MAX_LINES = 1000 };

static struct {
    char path[128];
    char reached[MAX_LINES];
} files[MAX_FILES];
static int count;

/* The place of a source "@lua/ampersand/x.lua", with any directories before it; -1 for others. */
static int place_of(const char *source)
{
    const char *path = strstr(source, "lua/ampersand");
    if (*source != '@' || !path || strlen(path) >= sizeof files->path)
        return -1;
    for (int i = 0; i < count; i++)
        if (strcmp(files[i].path, path) == 0)
            return i;
    if (count == MAX_FILES)
        return -1;
    strcpy(files[count].path, path);
    return count++;
}

static void on_line(lua_State *L, lua_Debug *ar)
{
    if (!lua_getinfo(L, "S", ar) || ar->currentline >= MAX_LINES)
        return;
    int place = place_of(ar->source);
    if (place >= 0)
        files[place].reached[ar->currentline] = 1;
}

static void write_lines(void)
{
    char name[512];
    snprintf(name, sizeof name, "%s/%ld.lines", getenv("AMP_COVERAGE"), (long)getpid());
    FILE *file = fopen(name, "a");
    for (int i = 0; file && i < count; i++)
        for (int line = 0; line < MAX_LINES; line++)
            if (files[i].reached[line])
                fprintf(file, "%s %d\n", files[i].path, line);
    if (file)
        fclose(file);
}

int luaopen_line_coverage(lua_State *L)
{
    if (getenv("AMP_COVERAGE")) {
        atexit(write_lines);
        lua_sethook(L, on_line, LUA_MASKLINE, 0);
    }
    return 0;
}
