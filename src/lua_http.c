/*
 * ampersand.http: the HTTP engine for Lua. Only lua/ampersand/transport/curl.lua calls it.
 *
 *   http.engine(options) -> engine | nil, message        options: fields of amp_engine_options
 *   http.versions() -> { libcurl = "7.88.1", tls = "OpenSSL/3.0.17" or nil }
 *   engine:start(request) -> transfer | nil, message, kind
 *   engine:alarm(seconds) -> transfer that ends then
 *   engine:advance(transfer) -> whether the transfer is ready, for which it waits once
 *   engine:wait(seconds?)   engine:step()   engine:pop_ready() -> id | nil
 *   engine:steps() -> n     engine:due() -> boolean
 *   engine:streams() -> number of streams under way
 *   engine:usable() -> boolean, nil once closed
 *   engine:pollfd() -> fd, readable when a step has something to do | nil, why
 *   engine:cancel()   engine:close()
 *   transfer:id()   transfer:want() -> boolean
 *   transfer:head() -> status | nil, headers, resent (whether libcurl sent the request twice)
 *   transfer:read() -> chunk | nil   transfer:held() -> bytes
 *   transfer:text() -> everything that has arrived | nil when it has failed
 *   transfer:outcome() -> nil while open | true | false, message, kind, sent, final
 *   transfer:deadline(seconds | nil)   transfer:cancel()   transfer:close()
 *
 * No function here waits but engine:wait and engine:advance, none calls Lua, and what C allocates
 * belongs to a userdata before anything that may raise.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* dladdr under -std=c99 */
#endif

#include "ampersand.h"
#include "byte_source.h"
#include "http_buffer.h"
#include "http_engine.h"
#include "lua_compat.h"

#include <dlfcn.h>
#include <string.h>
#include <strings.h>

#define ENGINE "ampersand.engine"

enum { UP_METATABLE = 1 }; /* of all methods: their metatable */

struct engine_box {
    struct amp_engine *engine; /* NULL once closed */
};

struct transfer_box {
    struct amp_byte_source source; /* first: core.so knows nothing else */
    struct amp_transfer *transfer; /* NULL once closed */
    struct amp_buffer text;        /* what transfer:text() collects */
    int body;                      /* a reference to the request's, which libcurl reads in place */
};

/* --- reading tables ----------------------------------------------------------------------------
 */

/* Pushes it. Raises when it is neither a string nor nil. */
static const char *push_string_field(lua_State *L, int table, const char *name, size_t *length)
{
    lua_getfield(L, table, name);
    if (!lua_isnil(L, -1) && lua_type(L, -1) != LUA_TSTRING)
        luaL_error(L, "%s: a string expected, got %s", name, luaL_typename(L, -1));
    return lua_tolstring(L, -1, length);
}

/* The string stays alive through the table it is in. */
static const char *string_field(lua_State *L, int table, const char *name, size_t *length)
{
    const char *string = push_string_field(L, table, name, length);

    lua_pop(L, 1);
    return string;
}

static double number_field(lua_State *L, int table, const char *name)
{
    double number;

    lua_getfield(L, table, name);
    if (!lua_isnil(L, -1) && lua_type(L, -1) != LUA_TNUMBER)
        luaL_error(L, "%s: a number expected, got %s", name, luaL_typename(L, -1));
    number = lua_tonumber(L, -1);
    lua_pop(L, 1);
    return number;
}

static bool boolean_field(lua_State *L, int table, const char *name)
{
    bool flag;

    lua_getfield(L, table, name);
    flag = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return flag;
}

/* --- the engine --------------------------------------------------------------------------------
 */

static struct engine_box *to_engine_box(lua_State *L)
{
    return (struct engine_box *)amp_check_self(L, UP_METATABLE, ENGINE);
}

static struct amp_engine *to_engine(lua_State *L)
{
    struct engine_box *box = to_engine_box(L);

    if (!box->engine)
        luaL_error(L, "the engine is closed");
    return box->engine;
}

static int http_engine(lua_State *L)
{
    struct amp_engine_options options;
    struct engine_box *box;

    luaL_checktype(L, 1, LUA_TTABLE);
    options.ca_file = string_field(L, 1, "ca_file", NULL);
    options.ca_path = string_field(L, 1, "ca_path", NULL);
    options.client_cert = string_field(L, 1, "client_cert", NULL);
    options.client_key = string_field(L, 1, "client_key", NULL);
    options.client_key_password = string_field(L, 1, "client_key_password", NULL);
    options.http_proxy = string_field(L, 1, "http_proxy", NULL);
    options.http_version = (long)number_field(L, 1, "http_version");
    options.max_connections = (long)number_field(L, 1, "max_connections");
    options.insecure = boolean_field(L, 1, "insecure_skip_verify");
    options.no_keepalive = boolean_field(L, 1, "no_keepalive");
    box = (struct engine_box *)amp_newuserdata(L, sizeof *box);
    box->engine = NULL;
    luaL_getmetatable(L, ENGINE);
    lua_setmetatable(L, -2);
    box->engine = amp_engine_new(&options);
    if (box->engine)
        return 1;
    lua_pushnil(L);
    lua_pushliteral(L, "no HTTP engine can be made: no memory, or no file descriptor, is left");
    return 2;
}

static int engine_close(lua_State *L)
{
    struct engine_box *box = to_engine_box(L);
    struct amp_engine *engine = box->engine;

    box->engine = NULL;
    if (engine) {
        amp_engine_close(engine);
        amp_engine_release(engine);
    }
    return 0;
}

static int engine_cancel(lua_State *L)
{
    amp_engine_cancel(to_engine(L));
    return 0;
}

static int engine_step(lua_State *L)
{
    amp_engine_step(to_engine(L));
    return 0;
}

static int engine_steps(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)amp_engine_steps(to_engine(L)));
    return 1;
}

static int engine_streams(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)amp_engine_streams(to_engine(L)));
    return 1;
}

static int engine_pop_ready(lua_State *L)
{
    unsigned long id = amp_engine_pop_ready(to_engine(L));

    if (id == 0)
        return 0;
    lua_pushnumber(L, (lua_Number)id);
    return 1;
}

static int engine_wait(lua_State *L)
{
    amp_engine_wait(to_engine(L), luaL_optnumber(L, 2, -1));
    return 0;
}

static int engine_due(lua_State *L)
{
    lua_pushboolean(L, amp_engine_due(to_engine(L)));
    return 1;
}

static int engine_usable(lua_State *L)
{
    struct engine_box *box = to_engine_box(L);

    if (!box->engine)
        return 0;
    lua_pushboolean(L, amp_engine_usable(box->engine));
    return 1;
}

static int engine_pollfd(lua_State *L)
{
    int fd = amp_engine_pollfd(to_engine(L));

    if (fd >= 0) {
        lua_pushinteger(L, fd);
        return 1;
    }
    lua_pushnil(L);
    lua_pushliteral(L, "this build has no epoll: an event loop cannot wait for the engine");
    return 2;
}

/* --- a transfer --------------------------------------------------------------------------------
 */

static struct transfer_box *to_transfer_box(lua_State *L)
{
    return (struct transfer_box *)amp_check_self(L, UP_METATABLE, AMP_BYTE_SOURCE);
}

static struct amp_transfer *to_transfer(lua_State *L)
{
    struct transfer_box *box = to_transfer_box(L);

    if (!box->transfer)
        luaL_error(L, "the transfer is closed");
    return box->transfer;
}

static size_t source_peek(struct amp_byte_source *source, const char **bytes)
{
    struct transfer_box *box = (struct transfer_box *)source;

    return box->transfer ? amp_transfer_peek(box->transfer, bytes) : 0;
}

static void source_consume(struct amp_byte_source *source, size_t n)
{
    struct transfer_box *box = (struct transfer_box *)source;

    if (box->transfer)
        amp_transfer_consume(box->transfer, n);
}

static bool source_ended(struct amp_byte_source *source)
{
    struct transfer_box *box = (struct transfer_box *)source;
    const char *bytes;

    return box->transfer && amp_transfer_peek(box->transfer, &bytes) == 0 &&
           amp_transfer_result(box->transfer).outcome == AMP_DONE;
}

static struct transfer_box *new_transfer(lua_State *L)
{
    struct transfer_box *box = (struct transfer_box *)amp_newuserdata(L, sizeof *box);

    box->source.peek = source_peek;
    box->source.consume = source_consume;
    box->source.ended = source_ended;
    box->transfer = NULL;
    memset(&box->text, 0, sizeof box->text);
    box->body = LUA_NOREF;
    luaL_getmetatable(L, AMP_BYTE_SOURCE);
    lua_setmetatable(L, -2);
    return box;
}

static int transfer_close(lua_State *L)
{
    struct transfer_box *box = to_transfer_box(L);
    struct amp_transfer *transfer = box->transfer;

    box->transfer = NULL;
    amp_buffer_free(&box->text);
    if (transfer)
        amp_transfer_release(transfer);
    luaL_unref(L, LUA_REGISTRYINDEX, box->body);
    box->body = LUA_NOREF;
    return 0;
}

/* A name is made of visible characters, a value has no control characters but the tab. */
static bool is_header(const char *name, size_t name_length, const char *value, size_t value_length)
{
    size_t i;

    for (i = 0; i < name_length; i++)
        if ((unsigned char)name[i] <= ' ' || (unsigned char)name[i] >= 127 || name[i] == ':')
            return false;
    for (i = 0; i < value_length; i++)
        if (((unsigned char)value[i] < ' ' && value[i] != '\t') || value[i] == 127)
            return false;
    return name_length > 0;
}

/* Copies the headers of the request at index 2; false and a message on the stack if one is bad. */
static bool add_headers(lua_State *L, struct amp_transfer *transfer)
{
    lua_getfield(L, 2, "headers");
    if (lua_isnil(L, -1))
        return true;
    luaL_checktype(L, -1, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        size_t name_length, value_length;
        const char *name, *value;
        if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
            return luaL_error(L, "headers: names and values are strings");
        name = lua_tolstring(L, -2, &name_length);
        value = lua_tolstring(L, -1, &value_length);
        if (!is_header(name, name_length, value, value_length)) {
            lua_pushliteral(L, "a header holds a character that is not allowed");
            return false;
        }
        if (!amp_transfer_header(transfer, name, value))
            luaL_error(L, "out of memory");
    }
    return true;
}

/* Spaces and control characters, NUL among them, could end the request line early. */
static bool is_url(const char *url, size_t length)
{
    size_t i;

    for (i = 0; i < length; i++)
        if ((unsigned char)url[i] <= ' ' || url[i] == 127)
            return false;
    return strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0;
}

static bool is_method(const char *method)
{
    return strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(method) && *method;
}

static int refuse(lua_State *L, const char *message)
{
    lua_pushnil(L);
    lua_pushstring(L, message);
    lua_pushliteral(L, "config");
    return 3;
}

static int engine_start(lua_State *L)
{
    struct amp_engine *engine = to_engine(L);
    struct amp_request request;
    struct transfer_box *box;
    size_t url_length = 0;

    luaL_checktype(L, 2, LUA_TTABLE);
    request.method = string_field(L, 2, "method", NULL);
    request.url = string_field(L, 2, "url", &url_length);
    request.timeout = number_field(L, 2, "timeout");
    request.connect_timeout = number_field(L, 2, "connect_timeout");
    request.read_timeout = number_field(L, 2, "read_timeout");
    request.max_bytes = number_field(L, 2, "max_bytes");
    request.stream = boolean_field(L, 2, "stream");
    request.resend = boolean_field(L, 2, "resend");
    request.direct = boolean_field(L, 2, "direct");
    if (!request.url || !is_url(request.url, url_length))
        return refuse(L, "the URL is not an http or https one, or holds a space");
    if (!request.method || !is_method(request.method))
        return refuse(L, "the method is not a word of capital letters");
    box = new_transfer(L);
    request.body = push_string_field(L, 2, "body", &request.body_length);
    box->body = luaL_ref(L, LUA_REGISTRYINDEX);
    box->transfer = amp_transfer_new(engine);
    if (!box->transfer)
        return luaL_error(L, "out of memory");
    if (!add_headers(L, box->transfer))
        return refuse(L, lua_tostring(L, -1));
    amp_transfer_start(box->transfer, &request);
    lua_pushvalue(L, 3);
    return 1;
}

static int engine_alarm(lua_State *L)
{
    struct amp_engine *engine = to_engine(L);
    double seconds = luaL_checknumber(L, 2);
    struct transfer_box *box = new_transfer(L);

    box->transfer = amp_transfer_new(engine);
    if (!box->transfer)
        return luaL_error(L, "out of memory");
    amp_transfer_alarm(box->transfer, seconds);
    return 1;
}

static int transfer_id(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)amp_transfer_result(to_transfer(L)).id);
    return 1;
}

static int transfer_want(lua_State *L)
{
    lua_pushboolean(L, amp_transfer_want(to_transfer(L)));
    return 1;
}

/* Where nothing else runs: what is ready beside the transfer is forgotten. A signal ends the wait,
 * so that a hook of Lua's can run. */
static int engine_advance(lua_State *L)
{
    struct engine_box *box = to_engine_box(L);
    struct amp_transfer *transfer =
        ((struct transfer_box *)luaL_checkudata(L, 2, AMP_BYTE_SOURCE))->transfer;
    bool ready = !transfer || !box->engine || amp_transfer_want(transfer);

    if (!ready) {
        amp_engine_wait(box->engine, -1);
        amp_engine_step(box->engine);
        while (amp_engine_pop_ready(box->engine))
            ;
        ready = amp_transfer_want(transfer);
    }
    lua_pushboolean(L, ready);
    return 1;
}

/* Sets headers[name] on the table on top; a repeated name is joined with ", ". */
static void set_header(lua_State *L, const char *name, const char *value)
{
    lua_pushstring(L, name);
    lua_pushvalue(L, -1);
    lua_rawget(L, -3);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_pushstring(L, value);
    } else {
        lua_pushliteral(L, ", ");
        lua_pushstring(L, value);
        lua_concat(L, 3);
    }
    lua_rawset(L, -3);
}

static int transfer_head(lua_State *L)
{
    struct amp_transfer *transfer = to_transfer(L);
    long status = amp_transfer_status(transfer);
    const char *name = NULL, *value = NULL;

    if (status == 0) {
        lua_pushnil(L);
        lua_pushnil(L);
    } else {
        lua_pushinteger(L, (lua_Integer)status);
        lua_createtable(L, 0, 10); /* about as many as servers send */
        while ((name = amp_transfer_next_header(transfer, name, &value)) != NULL)
            set_header(L, name, value);
    }
    lua_pushboolean(L, amp_transfer_result(transfer).resent);
    return 3;
}

static int transfer_read(lua_State *L)
{
    struct amp_transfer *transfer = to_transfer(L);
    const char *bytes;
    size_t n = amp_transfer_peek(transfer, &bytes);

    if (n == 0)
        return 0;
    lua_pushlstring(L, bytes, n);
    amp_transfer_consume(transfer, n);
    return 1;
}

/* Everything that has arrived; nothing when the transfer has failed. */
static int transfer_text(lua_State *L)
{
    struct amp_transfer *transfer = to_transfer(L);
    struct amp_buffer *text = &to_transfer_box(L)->text;
    const char *bytes;
    size_t n;

    while ((n = amp_transfer_peek(transfer, &bytes)) > 0) {
        if (!amp_buffer_append(text, bytes, n))
            return luaL_error(L, "not enough memory");
        amp_transfer_consume(transfer, n);
    }
    if (amp_transfer_result(transfer).outcome > AMP_DONE)
        return 0;
    lua_pushlstring(L, text->bytes ? text->bytes : "", text->size);
    amp_buffer_free(text);
    return 1;
}

static int transfer_held(lua_State *L)
{
    const char *bytes;

    lua_pushnumber(L, (lua_Number)amp_transfer_peek(to_transfer(L), &bytes));
    return 1;
}

static int transfer_outcome(lua_State *L)
{
    static const char *const kinds[] = {NULL,      NULL,     "resolve",  "connect", "tls",
                                        "timeout", "closed", "protocol", "limit",   "cancelled"};
    struct amp_result result = amp_transfer_result(to_transfer(L));

    if (result.outcome == AMP_OPEN)
        return 0;
    lua_pushboolean(L, result.outcome == AMP_DONE);
    if (result.outcome == AMP_DONE)
        return 1;
    lua_pushstring(L, result.message);
    lua_pushstring(L, kinds[result.outcome]);
    lua_pushboolean(L, result.sent);
    lua_pushboolean(L, result.final);
    return 5;
}

static int transfer_deadline(lua_State *L)
{
    amp_transfer_deadline(to_transfer(L), luaL_optnumber(L, 2, 0));
    return 0;
}

static int transfer_cancel(lua_State *L)
{
    amp_transfer_cancel(to_transfer(L));
    return 0;
}

/* --- the module --------------------------------------------------------------------------------
 */

/* What was loaded, which may be newer than what was compiled against. */
static int http_versions(lua_State *L)
{
    const char *libcurl, *tls;

    amp_library_versions(&libcurl, &tls);
    lua_createtable(L, 0, 2);
    lua_pushstring(L, libcurl);
    lua_setfield(L, -2, "libcurl");
    lua_pushstring(L, tls); /* nil for NULL */
    lua_setfield(L, -2, "tls");
    return 1;
}

/*
 * A resolver's thread may still run libcurl's code after the last state is closed, so this module,
 * and libcurl with it, stays loaded until the process ends.
 */
static void stay_loaded(void)
{
#ifdef RTLD_NODELETE
    Dl_info info;
    union {
        void (*function)(void);
        void *address;
    } here;

    here.function = stay_loaded;
    if (dladdr(here.address, &info) && info.dli_fname)
        (void)dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
#endif
}

static void new_class(lua_State *L, const char *name, const luaL_Reg *methods)
{
    luaL_newmetatable(L, name);
    lua_pushvalue(L, -1); /* UP_METATABLE */
    amp_setfuncs(L, methods, 1);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

static const luaL_Reg engine_methods[] = {{"advance", engine_advance},
                                          {"alarm", engine_alarm},
                                          {"cancel", engine_cancel},
                                          {"start", engine_start},
                                          {"step", engine_step},
                                          {"steps", engine_steps},
                                          {"pop_ready", engine_pop_ready},
                                          {"wait", engine_wait},
                                          {"due", engine_due},
                                          {"usable", engine_usable},
                                          {"pollfd", engine_pollfd},
                                          {"close", engine_close},
                                          {"__gc", engine_close},
                                          {"streams", engine_streams},
                                          {"__close", engine_close},
                                          {NULL, NULL}};

static const luaL_Reg transfer_methods[] = {{"id", transfer_id},
                                            {"want", transfer_want},
                                            {"head", transfer_head},
                                            {"read", transfer_read},
                                            {"text", transfer_text},
                                            {"held", transfer_held},
                                            {"outcome", transfer_outcome},
                                            {"cancel", transfer_cancel},
                                            {"deadline", transfer_deadline},
                                            {"close", transfer_close},
                                            {"__gc", transfer_close},
                                            {"__close", transfer_close},
                                            {NULL, NULL}};

static const luaL_Reg functions[] = {
    {"engine", http_engine}, {"versions", http_versions}, {NULL, NULL}};

AMP_EXPORT int luaopen_ampersand_http(lua_State *L)
{
    stay_loaded();
    new_class(L, ENGINE, engine_methods);
    new_class(L, AMP_BYTE_SOURCE, transfer_methods);
    lua_newtable(L);
    amp_setfuncs(L, functions, 0);
    return 1;
}
