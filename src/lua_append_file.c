/*
 * core.append_file: a file that one process at a time may append to, for journals.
 *
 *   core.append_file(path) -> file | nil, message, locked     locked: another process has it open
 *   file:write(text) -> true | nil, message                   all of it has reached the kernel
 *   file:sync() -> true | nil, message                        all of it has reached the disk
 *   file:size() -> bytes        file:close()
 *   core.process_id() -> integer
 *
 * The lock is flock(2) on the file's own descriptor: the kernel releases it when the process ends,
 * however it ends, and a second descriptor of the same file that is closed does not release it, as
 * it would release a lock by fcntl.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* flock under -std=c99 */
#endif
#ifndef _DARWIN_C_SOURCE
#define _DARWIN_C_SOURCE
#endif

#include "lua_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define APPEND_FILE "ampersand.append_file/1"

struct append_file {
    int fd; /* -1 once closed */
};

static int fail_with(lua_State *L, int number)
{
    lua_pushnil(L);
    lua_pushstring(L, strerror(number));
    return 2;
}

/* A host may have closed its standard descriptors: what it prints must not go into the file. */
static int above_standard(int fd)
{
    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int number = errno;
    close(fd);
    errno = number;
    return moved;
}

/* A new file survives a power failure only when its directory has reached the disk, too. Some file
 * systems cannot do that; the file is as good as they allow then. */
static void sync_directory(lua_State *L, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        lua_pushliteral(L, ".");
    else
        lua_pushlstring(L, path, slash == path ? 1 : (size_t)(slash - path));
    int fd = open(lua_tostring(L, -1), O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
    lua_pop(L, 1);
}

static int l_open(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct append_file *file = (struct append_file *)lua_newuserdata(L, sizeof *file);
    file->fd = -1;
    luaL_getmetatable(L, APPEND_FILE);
    lua_setmetatable(L, -2);
    file->fd = above_standard(open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
    if (file->fd < 0)
        return fail_with(L, errno);
    if (flock(file->fd, LOCK_EX | LOCK_NB) != 0) {
        int number = errno;
        close(file->fd);
        file->fd = -1;
        (void)fail_with(L, number);
        lua_pushboolean(L, number == EWOULDBLOCK);
        return 3;
    }
    struct stat status;
    if (fstat(file->fd, &status) == 0 && status.st_size == 0)
        sync_directory(L, path);
    return 1;
}

static struct append_file *check_open(lua_State *L)
{
    struct append_file *file = (struct append_file *)luaL_checkudata(L, 1, APPEND_FILE);
    if (file->fd < 0)
        luaL_error(L, "the file is closed");
    return file;
}

static int l_write(lua_State *L)
{
    struct append_file *file = check_open(L);
    size_t length;
    const char *text = luaL_checklstring(L, 2, &length);
    while (length > 0) {
        ssize_t written = write(file->fd, text, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return fail_with(L, errno);
        text += written;
        length -= (size_t)written;
    }
    lua_pushboolean(L, 1);
    return 1;
}

static int l_sync(lua_State *L)
{
    struct append_file *file = check_open(L);
    int result;
    do
        result = fsync(file->fd);
    while (result != 0 && errno == EINTR);
    if (result != 0 && errno != EINVAL && errno != EROFS) /* a device or a pipe has no disk */
        return fail_with(L, errno);
    lua_pushboolean(L, 1);
    return 1;
}

static int l_size(lua_State *L)
{
    struct stat status;
    int known = fstat(check_open(L)->fd, &status) == 0;
    lua_pushnumber(L, known ? (lua_Number)status.st_size : 0);
    return 1;
}

static int l_close(lua_State *L)
{
    struct append_file *file = (struct append_file *)luaL_checkudata(L, 1, APPEND_FILE);
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
    return 0;
}

static int l_process_id(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)getpid());
    return 1;
}

void amp_open_append_file(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"write", l_write},   {"sync", l_sync},  {"size", l_size}, {"close", l_close},
        {"__close", l_close}, {"__gc", l_close}, {NULL, NULL},
    };
    luaL_newmetatable(L, APPEND_FILE);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    amp_setfuncs(L, methods, 0);
    lua_pop(L, 1);
    lua_pushcfunction(L, l_open);
    lua_setfield(L, -2, "append_file");
    lua_pushcfunction(L, l_process_id);
    lua_setfield(L, -2, "process_id");
}
