/*
 * Files for their owner alone, as the command's settings are, in which keys are.
 *
 *   core.make_private(path) -> the path without links | nil, message   nil: no file is there
 *   core.permissions(path) -> "-rw-------" | nil                       nil: nothing is there
 *
 * make_private makes a file where there is none, and the folders above it. What is there stays as
 * it is. A link counts by what it leads to.
 */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700 /* realpath under -std=c99 */
#endif

#include "lua_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* 0, or why the first folder that is missing could not be made. */
static int make_folders(lua_State *L, const char *path, size_t length)
{
    char *folder = (char *)memcpy(lua_newuserdata(L, length + 1), path, length + 1);
    int number = 0;
    for (char *slash = folder; (slash = strchr(slash, '/')) != NULL; *slash++ = '/') {
        *slash = '\0';
        if (*folder && mkdir(folder, S_IRWXU) != 0 && errno != EEXIST && !number)
            number = errno;
    }
    return number;
}

static int l_make_private(lua_State *L)
{
    char real[PATH_MAX];
    size_t length;
    const char *path = luaL_checklstring(L, 1, &length);
    int number = make_folders(L, path, length);
    /* A pipe that no one writes to must not hold the command up. */
    int fd = open(path, O_RDONLY | O_CREAT | O_NONBLOCK | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd >= 0)
        close(fd);
    else if (errno != ENOENT || !number)
        number = errno;
    if (realpath(path, real)) {
        lua_pushstring(L, real);
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, strerror(number ? number : errno));
    return 2;
}

static int l_permissions(lua_State *L)
{
    char text[] = "-rwxrwxrwx";
    struct stat status;
    if (stat(luaL_checkstring(L, 1), &status) != 0) {
        lua_pushnil(L);
        return 1;
    }
    text[0] = "?pc?d?b?-???s???"[status.st_mode >> 12 & 15]; /* the same on every system */
    for (int i = 0; i < 9; i++) {
        if (!(status.st_mode & 0400 >> i))
            text[i + 1] = '-';
    }
    lua_pushstring(L, text);
    return 1;
}

void amp_open_private_file(lua_State *L)
{
    lua_pushcfunction(L, l_make_private);
    lua_setfield(L, -2, "make_private");
    lua_pushcfunction(L, l_permissions);
    lua_setfield(L, -2, "permissions");
}
