/*
 * Decoder objects, and decode for whole texts.
 *
 * Memory rule: whatever is allocated belongs to a userdata before anything that may raise runs.
 * `busy` guards against finalizers that come back while tables are being built.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "byte_source.h"
#include "json_plan.h"
#include "json_stream.h"
#include "lua_build.h"
#include "lua_json.h"

#define DECODER "ampersand.decoder/1"

struct decoder {
    struct amp_scan scan;
    struct amp_stream stream;
    struct amp_path_key *path;
    size_t path_room;
    const struct amp_plan *plan; /* anchored in the uservalue */
    unsigned char *hits;
    size_t hits_room;
    char *scratch; /* strings with escapes */
    size_t scratch_room;
    size_t max_values, values_left, max_value_values;
    bool open;   /* may be used */
    bool busy;   /* tables are being built; stays set when that raised */
    bool failed; /* the uservalue holds the error */
};

/* --- options --------------------------------------------------------------------------------- */

struct limits {
    size_t depth, bytes, value_bytes, values, value_values;
};

/* The largest value: sizes on the tape have 32 bits. */
#define LARGEST_VALUE ((size_t)0xfffffff0u)

/* --- errors ---------------------------------------------------------------------------------- */

static void add_position(luaL_Buffer *b, struct amp_position position)
{
    luaL_addstring(b, "line ");
    amp_add_number(b, (double)position.line);
    luaL_addstring(b, ", column ");
    amp_add_number(b, (double)position.column);
    luaL_addstring(b, " (byte ");
    amp_add_number(b, (double)position.offset);
    luaL_addstring(b, "): ");
}

static const char *kind_of(char c)
{
    switch (c) {
    case '{':
        return "an object";
    case '[':
        return "an array";
    case '"':
        return "a string";
    case 't':
    case 'f':
        return "a boolean";
    case 'n':
        return "null";
    default:
        return c == '-' || (c >= '0' && c <= '9') ? "a number" : NULL;
    }
}

/* What stands there instead: a kind of value where a container is expected, else the byte. */
static void add_got(luaL_Buffer *b, const struct amp_scan *scan)
{
    const struct amp_error *error = &scan->error;
    bool container = strcmp(error->what, "an array") == 0 || strcmp(error->what, "an object") == 0;
    const char *kind = error->at >= scan->end ? "the end of the text"
                       : container            ? kind_of(*error->at)
                                              : NULL;
    if (!error->expected || (scan->masked && !kind))
        return;
    luaL_addstring(b, ", got ");
    if (kind) {
        luaL_addstring(b, kind);
        return;
    }
    luaL_addchar(b, '\'');
    amp_add_byte(b, *error->at);
    luaL_addchar(b, '\'');
}

/* The last bytes of the value before the error. */
static void add_excerpt(luaL_Buffer *b, const char *begin, const char *at)
{
    enum { LONGEST = 20 };
    if (at == begin)
        return;
    luaL_addstring(b, " after ");
    if (at - begin > LONGEST) {
        begin = at - LONGEST;
        luaL_addstring(b, "…");
    }
    for (; begin < at; begin++)
        amp_add_byte(b, *begin);
}

/* `begin` is where the value with the error begins; `masked` hides what is in it. */
static void add_message(luaL_Buffer *b, const struct amp_scan *scan, const char *begin)
{
    const struct amp_error *error = &scan->error;
    luaL_addstring(b, error->expected ? "expected " : "");
    luaL_addstring(b, error->what);
    if (error->failure == AMP_LIMIT) {
        luaL_addstring(b, " (");
        amp_add_number(b, (double)error->limit);
        luaL_addchar(b, ')');
        return;
    }
    add_got(b, scan);
    if (!scan->masked)
        add_excerpt(b, begin, error->at);
}

static void set_number(lua_State *L, const char *name, size_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

/* Pushes nil, message, kind, detail. The message fits into the buffer: nothing is allocated while
 * the scan is read. From then on a finalizer may come, and scan something else. */
static int push_error(lua_State *L, const struct amp_scan *scan, struct amp_position position,
                      const char *begin)
{
    const struct amp_error error = scan->error;
    luaL_Buffer b;
    if (error.failure == AMP_NO_MEMORY)
        return luaL_error(L, "not enough memory");
    lua_pushnil(L);
    luaL_buffinit(L, &b);
    add_position(&b, position);
    add_message(&b, scan, begin);
    luaL_pushresult(&b);
    lua_pushstring(L, error.failure == AMP_LIMIT ? "limit" : "decode");
    lua_createtable(L, 0, 4);
    set_number(L, "line", position.line);
    set_number(L, "column", position.column);
    set_number(L, "offset", position.offset);
    if (error.expected) {
        lua_pushstring(L, error.what);
        lua_setfield(L, -2, "expected");
    }
    return 4;
}

/* --- the decoder object ---------------------------------------------------------------------- */

/* Pushes a decoder that owns nothing yet. */
static struct decoder *new_decoder(lua_State *L)
{
    struct amp_memory memory = amp_memory_of(L);
    struct decoder *d = (struct decoder *)amp_newuserdata(L, sizeof *d);
    memset(d, 0, sizeof *d);
    amp_scan_init(&d->scan, &memory);
    amp_stream_init(&d->stream, &memory, &d->scan);
    luaL_getmetatable(L, DECODER);
    lua_setmetatable(L, -2);
    lua_createtable(L, 0, 4);
    amp_setuservalue(L, -2);
    return d;
}

static void release(struct decoder *d)
{
    const struct amp_memory *memory = &d->scan.memory;
    amp_free(memory, d->path, d->path_room, sizeof *d->path);
    amp_free(memory, d->hits, d->hits_room, 1);
    amp_free(memory, d->scratch, d->scratch_room, 1);
    d->path = NULL;
    d->hits = NULL;
    d->scratch = NULL;
    d->path_room = d->hits_room = d->scratch_room = 0;
    amp_stream_free(&d->stream);
    amp_scan_free(&d->scan);
}

static struct decoder *check_decoder(lua_State *L)
{
    struct decoder *d = (struct decoder *)amp_check_self(L, UP_CLASS, DECODER);
    if (!d->open)
        amp_argument_error(L, "the decoder is closed");
    return d;
}

/* What is around the elements is bounded as they are, but does not count in all. */
static void bound_others(struct decoder *d)
{
    d->scan.max_values = d->scan.values_limit = d->max_value_values;
    d->scan.values_what = "more values than max_element_values";
}

/* The nearer of the two bounds on values is the one that an error names. */
static void bound_values(struct decoder *d)
{
    bool in_all = d->values_left < d->max_value_values;
    d->scan.max_values = in_all ? d->values_left : d->max_value_values;
    d->scan.values_limit = in_all ? d->max_values : d->max_value_values;
    d->scan.values_what =
        in_all ? "more values than max_values" : "more values than max_element_values";
}

static void set_limits(struct decoder *d, const struct limits *limits)
{
    d->scan.max_depth = limits->depth;
    d->max_value_values = limits->value_values;
    d->max_values = d->values_left = limits->values;
    d->scan.integer_bits = AMP_INTEGER_BITS;
    bound_values(d);
    d->stream.max_bytes = limits->bytes;
    d->stream.max_value_bytes =
        limits->value_bytes < LARGEST_VALUE ? limits->value_bytes : LARGEST_VALUE;
}

static void read_limits(lua_State *L, int options, struct limits *limits)
{
    limits->depth = amp_size_option(L, options, "max_depth", limits->depth);
    limits->bytes = amp_size_option(L, options, "max_bytes", limits->bytes);
    limits->values = amp_size_option(L, options, "max_values", limits->values);
    limits->value_bytes = amp_size_option(L, options, "max_element_bytes", limits->value_bytes);
    limits->value_values = amp_size_option(L, options, "max_element_values", limits->value_values);
}

static void read_scan_options(lua_State *L, struct decoder *d, int options)
{
    d->scan.drop_nulls = amp_choice_option(L, options, "nulls", "drop", "keep");
    d->scan.big_as_text = amp_choice_option(L, options, "big_integers", "string", "number");
    d->scan.masked = amp_flag(L, options, "mask");
    d->stream.has_mark = amp_flag(L, options, "bom");
}

/* Copies the path's keys; their texts are anchored by the copy in the uservalue on top. */
static void read_path(lua_State *L, struct decoder *d, int options)
{
    if (!amp_get_option(L, options, "path"))
        return;
    if (lua_type(L, -1) != LUA_TTABLE)
        amp_argument_error(L, "option path: expected an array of keys, got %s", amp_shown(L, -1));
    int path = lua_gettop(L), count = (int)lua_rawlen(L, path);
    for (int i = 1; i <= count; i++) {
        void *grown = amp_grow(&d->scan.memory, d->path, &d->path_room, (size_t)i, sizeof *d->path);
        if (!grown)
            luaL_error(L, "not enough memory");
        d->path = (struct amp_path_key *)grown;
        lua_rawgeti(L, path, i);
        if (lua_type(L, -1) != LUA_TSTRING)
            amp_argument_error(L, "option path: expected an array of keys, got %s at %d",
                               amp_shown(L, -1), i);
        d->path[i - 1].text = lua_tolstring(L, -1, &d->path[i - 1].size);
        lua_rawseti(L, path - 1, i);
    }
    d->stream.path = d->path;
    d->stream.path_length = (size_t)count;
    lua_pop(L, 1);
}

/* What `where` and `select` were compiled to; the uservalue on top anchors it. */
static void read_plan(lua_State *L, struct decoder *d, int options)
{
    if (!amp_get_option(L, options, "plan"))
        return;
    d->plan = (const struct amp_plan *)luaL_checkudata(L, -1, AMP_PLAN);
    lua_setfield(L, -2, "plan");
    void *grown = amp_grow(&d->scan.memory, d->hits, &d->hits_room, amp_plan_room(d->plan), 1);
    if (!grown)
        luaL_error(L, "not enough memory");
    d->hits = (unsigned char *)grown;
}

static int feed(lua_State *L, struct decoder *d, const char *bytes, size_t size)
{
    if (!amp_stream_feed(&d->stream, bytes, size))
        return luaL_error(L, "not enough memory");
    return 1;
}

/* Reads what a stream needs from the options; the decoder is at stack index `self`. */
static void read_options(lua_State *L, struct decoder *d, int self, int options,
                         struct limits limits)
{
    read_limits(L, options, &limits);
    set_limits(d, &limits);
    read_scan_options(L, d, options);
    amp_getuservalue(L, self);
    read_path(L, d, options);
    read_plan(L, d, options);
    lua_pop(L, 1);
    feed(L, d, "", 0); /* from now on there is a buffer */
}

static const struct limits stream_limits = {1000, SIZE_MAX, 16 * 1024 * 1024, SIZE_MAX, 1000000};
static const struct limits text_limits = {1000, 1024 * 1024 * 1024, SIZE_MAX, 10000000, SIZE_MAX};

/* core.decoder(opts) */
static int l_decoder(lua_State *L)
{
    lua_settop(L, 1);
    if (lua_isnil(L, 1)) {
        lua_newtable(L);
        lua_replace(L, 1);
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    struct decoder *d = new_decoder(L);
    d->stream.shape =
        amp_choice_option(L, 1, "expect", "any", "array") ? AMP_STREAM_WHOLE : AMP_STREAM_ARRAY;
    d->stream.many = amp_flag(L, 1, "lines");
    if (d->stream.many)
        d->stream.shape = AMP_STREAM_WHOLE;
    read_options(L, d, 2, 1, stream_limits);
    if (d->stream.many && d->stream.path)
        amp_argument_error(L, "option lines: there is no path to values that follow each other");
    d->open = true;
    return 1;
}

/* decoder:close(), __close, __gc: idempotent. While tables are built from its memory it stays until
 * collected. */
static int l_close(lua_State *L)
{
    struct decoder *d = (struct decoder *)luaL_checkudata(L, 1, DECODER);
    d->open = false;
    if (!d->busy)
        release(d);
    return 0;
}

static int l_collected(lua_State *L)
{
    struct decoder *d = (struct decoder *)luaL_checkudata(L, 1, DECODER);
    d->open = false;
    release(d);
    return 0;
}

/* --- errors that stay ------------------------------------------------------------------------ */

/* Remembers the four values of push_error on top and leaves them there. */
static int remember_error(lua_State *L, struct decoder *d)
{
    amp_getuservalue(L, 1);
    for (int i = 0; i < 3; i++) {
        lua_pushvalue(L, -4 + i);
        lua_rawseti(L, -2, -1 - i);
    }
    lua_pop(L, 1);
    d->failed = true;
    return 4;
}

static int push_remembered(lua_State *L)
{
    amp_getuservalue(L, 1);
    lua_pushnil(L);
    for (int i = 0; i < 3; i++)
        lua_rawgeti(L, -2 - i, -1 - i);
    return 4;
}

static int stream_error(lua_State *L, struct decoder *d, const char *begin)
{
    const char *at = d->scan.error.at;
    if (d->scan.error.failure == AMP_NO_MEMORY)
        return luaL_error(L, "not enough memory");
    if (!begin || begin > at)
        begin = at;
    d->scan.end = d->stream.text + d->stream.used;
    d->busy = true; /* when memory runs out here, the decoder cannot go on */
    push_error(L, &d->scan, amp_stream_position(&d->stream, at), begin);
    d->busy = false;
    return remember_error(L, d);
}

/* Not busy: no finalizer that comes back while tables are built, and no build has raised. */
static struct decoder *check_idle(lua_State *L)
{
    struct decoder *d = check_decoder(L);
    if (d->busy)
        luaL_error(L, "the decoder was interrupted");
    return d;
}

/* --- reading --------------------------------------------------------------------------------- */

enum reading { READ_VALUE, READ_SKIPPED, READ_MORE, READ_END, READ_FAILED };

/* Scans the element at `value`: filter, then projection; READ_VALUE leaves a tape when `record`. */
static enum reading scan_element(struct decoder *d, const char *value, bool record)
{
    const struct amp_plan *plan = d->plan;
    struct amp_scan *scan = &d->scan;
    const char *text_end = d->stream.text + d->stream.used, *end = value;
    size_t level = amp_stream_level(&d->stream);
    bool accepted = true;
    bound_values(d);
    if (!amp_scan_start(scan, text_end, level))
        return READ_FAILED;
    if (plan && plan->where) {
        end = amp_plan_filter(plan, scan, value, d->hits, &accepted);
        record = record && accepted;
    } else if (!record) {
        end = amp_scan_skip(scan, value);
    }
    if (!end)
        return READ_FAILED;
    if (record) {
        /* What a filter has read was counted and found valid. */
        amp_scan_start(scan, text_end, level);
        end = plan && plan->select ? amp_plan_select(plan, scan, value)
                                   : amp_scan_record(scan, value);
    }
    if (!end || !amp_stream_taken(&d->stream, end))
        return READ_FAILED;
    d->values_left -= scan->values;
    return accepted ? READ_VALUE : READ_SKIPPED;
}

/* The next element that meets the filter. `*begin` is where it, or the error, begins. */
static enum reading read_element(struct decoder *d, bool record, const char **begin)
{
    for (;;) {
        bound_others(d);
        switch (amp_stream_next(&d->stream, begin)) {
        case AMP_STREAM_MORE:
            return READ_MORE;
        case AMP_STREAM_END:
            return READ_END;
        case AMP_STREAM_FAILED:
            *begin = NULL;
            return READ_FAILED;
        case AMP_STREAM_VALUE:
            break;
        }
        enum reading reading = scan_element(d, *begin, record);
        if (reading == READ_FAILED && amp_stream_doubt(&d->stream))
            continue;
        if (reading != READ_SKIPPED)
            return reading;
    }
}

/* Pushes the strings' table and the arrays' metatable, which a build wants on the stack. */
static struct amp_builder start_build(lua_State *L, struct decoder *d)
{
    struct amp_builder b;
    lua_pushvalue(L, lua_upvalueindex(UP_ANCHORS));
    lua_pushvalue(L, lua_upvalueindex(UP_ARRAY_MT));
    b.scan = &d->scan;
    b.strings = (struct amp_strings *)lua_touserdata(L, lua_upvalueindex(UP_STRINGS));
    b.array_mt = lua_gettop(L);
    b.anchors = b.array_mt - 1;
    b.scratch = &d->scratch;
    b.scratch_room = &d->scratch_room;
    b.first = b.depth = 0;
    memset(&b.frame, 0, sizeof b.frame);
    b.shapes = 0;
    if (b.strings->shapes.enabled) {
        lua_rawgeti(L, b.anchors, 0);
        b.shapes = lua_gettop(L);
    }
    return b;
}

static bool too_deep(struct decoder *d, const char *begin)
{
    amp_scan_over(&d->scan, begin, "nested deeper than this Lua's stack allows", d->scan.deepest);
    return false;
}

/* Pushes the value on the tape. Returns false when this Lua cannot nest so deep. */
static bool build_guarded(lua_State *L, struct decoder *d, struct amp_builder *b, const char *begin)
{
    d->busy = true;
    bool built = amp_build(L, b);
    d->busy = false;
    return built || too_deep(d, begin);
}

/* Pushes "more" or "end", or an error (nil, message, kind, detail). */
static int push_status(lua_State *L, struct decoder *d, enum reading reading, const char *begin)
{
    if (reading == READ_FAILED)
        return stream_error(L, d, begin);
    lua_pushstring(L, reading == READ_MORE ? "more" : "end");
    return 1;
}

/* decoder:next() */
static int l_next(lua_State *L)
{
    const char *begin;
    lua_settop(L, 1);
    lua_pushliteral(L, "value"); /* may collect; from now on nothing may until the build */
    struct decoder *d = check_idle(L);
    if (d->failed)
        return push_remembered(L);
    enum reading reading = read_element(d, true, &begin);
    if (reading != READ_VALUE)
        return push_status(L, d, reading, begin);
    struct amp_builder b = start_build(L, d);
    lua_pushvalue(L, 2);
    return build_guarded(L, d, &b, begin) ? 2 : stream_error(L, d, begin);
}

/* decoder:collect(t, max) */
static int l_collect(lua_State *L)
{
    struct decoder *d = check_idle(L);
    const char *begin;
    if (!lua_istable(L, 2))
        amp_argument_error(L, "collect: expected a table, got %s", luaL_typename(L, 2));
    if (!lua_isnoneornil(L, 3) && !lua_isnumber(L, 3))
        amp_argument_error(L, "collect: expected a number, got %s", luaL_typename(L, 3));
    lua_Number max = lua_isnoneornil(L, 3) ? (lua_Number)INT32_MAX : lua_tonumber(L, 3);
    if (d->failed)
        return push_remembered(L);
    lua_settop(L, 2);
    struct amp_builder b = start_build(L, d);
    int first = (int)lua_rawlen(L, 2), count = 0;
    enum reading reading = READ_VALUE;
    while (count < max && (reading = read_element(d, true, &begin)) == READ_VALUE) {
        if (!build_guarded(L, d, &b, begin))
            return stream_error(L, d, begin);
        lua_rawseti(L, 2, first + ++count);
    }
    if (reading == READ_VALUE)
        lua_pushliteral(L, "full");
    else if (push_status(L, d, reading, begin) == 4)
        return 4;
    lua_pushinteger(L, count);
    return 2;
}

/* decoder:count() */
static int l_count(lua_State *L)
{
    struct decoder *d = check_idle(L);
    const char *begin;
    enum reading reading;
    size_t count = 0;
    if (d->failed)
        return push_remembered(L);
    while ((reading = read_element(d, false, &begin)) == READ_VALUE)
        count++;
    if (push_status(L, d, reading, begin) == 4)
        return 4;
    lua_pushinteger(L, (lua_Integer)count);
    return 2;
}

/* decoder:envelope() */
static int l_envelope(lua_State *L)
{
    struct decoder *d = check_idle(L);
    const char *text = d->stream.envelope;
    if (!text || d->failed || d->stream.path_length == 0 || !amp_stream_is_over(&d->stream))
        return 0;
    d->scan.max_values = SIZE_MAX;
    if (!amp_scan_start(&d->scan, text + d->stream.envelope_used, 0) ||
        !amp_scan_record(&d->scan, text))
        return luaL_error(L, "not enough memory");
    struct amp_builder b = start_build(L, d);
    return build_guarded(L, d, &b, text);
}

/* --- feeding --------------------------------------------------------------------------------- */

static void check_more(lua_State *L, const struct decoder *d)
{
    if (d->stream.finished)
        amp_argument_error(L, "the decoder is finished: no more input is accepted");
}

/* decoder:feed(chunk) */
static int l_feed(lua_State *L)
{
    size_t size;
    check_decoder(L);
    if (!lua_isstring(L, 2))
        amp_argument_error(L, "feed: expected a string, got %s", luaL_typename(L, 2));
    const char *bytes = lua_tolstring(L, 2, &size); /* of a number, may collect */
    struct decoder *d = check_idle(L);
    if (d->failed)
        return push_remembered(L);
    check_more(L, d);
    lua_pushboolean(L, feed(L, d, bytes, size));
    return 1;
}

/* decoder:drain(source): feeds what the source holds, and finishes where that was all. Returns the
 * number of bytes, and whether the decoder is finished. */
static int l_drain(lua_State *L)
{
    struct decoder *d = check_idle(L);
    struct amp_byte_source *source =
        (struct amp_byte_source *)luaL_checkudata(L, 2, AMP_BYTE_SOURCE);
    const char *bytes;
    if (d->failed)
        return push_remembered(L);
    size_t size = source->peek(source, &bytes);
    if (size) {
        feed(L, d, bytes, size);
        source->consume(source, size);
    }
    if (source->ended(source))
        d->stream.finished = true;
    lua_pushinteger(L, (lua_Integer)size);
    lua_pushboolean(L, d->stream.finished);
    return 2;
}

/* The open file at stack index 2; all Luas keep it first in their userdata. */
static FILE *check_file(lua_State *L)
{
    void *file = lua_touserdata(L, 2);
    luaL_getmetatable(L, LUA_FILEHANDLE);
    if (!file || !lua_getmetatable(L, 2) || !lua_rawequal(L, -1, -2))
        amp_argument_error(L, "read: expected a file, got %s", luaL_typename(L, 2));
    lua_settop(L, 3);
#if LUA_VERSION_NUM >= 502
    bool is_open = ((luaL_Stream *)file)->closef != NULL;
#else
    bool is_open = *(FILE **)file != NULL;
#endif
    if (!is_open)
        amp_argument_error(L, "attempt to use a closed file");
    return *(FILE **)file;
}

/* decoder:read(file, size): as feed(file:read(size)), without a string in between. Returns the
 * number of bytes, 0 at the file's end, or nil and a message. */
static int l_read(lua_State *L)
{
    struct decoder *d = check_idle(L);
    FILE *file = check_file(L);
    lua_Number wanted = lua_tonumber(L, 3);
    if (!(wanted >= 1 && wanted <= 1e9))
        amp_argument_error(L, "read: expected a number of bytes from 1 to 1e9");
    if (d->failed)
        return push_remembered(L);
    check_more(L, d);
    char *space = amp_stream_reserve(&d->stream, (size_t)wanted);
    if (!space)
        return luaL_error(L, "not enough memory");
    clearerr(file);
    size_t size = fread(space, 1, (size_t)wanted, file);
    int problem = ferror(file) ? errno : 0;
    amp_stream_add(&d->stream, size);
    if (problem) {
        lua_pushnil(L);
        lua_pushstring(L, strerror(problem));
        return 2;
    }
    lua_pushinteger(L, (lua_Integer)size);
    return 1;
}

/* decoder:finish() */
static int l_finish(lua_State *L)
{
    check_decoder(L)->stream.finished = true;
    lua_settop(L, 1);
    return 1;
}

/* decoder:again(): ready for another text with the same options. What a long text has asked for is
 * given back. */
static int l_again(lua_State *L)
{
    enum { KEPT_BYTES = 65536 };
    struct decoder *d = check_idle(L);
    if (d->failed)
        return amp_argument_error(L, "a decoder that has failed reads no other text");
    if (d->stream.room + d->stream.envelope_room > KEPT_BYTES)
        amp_stream_free(&d->stream);
    if (d->scan.room > KEPT_BYTES / sizeof *d->scan.node)
        amp_scan_free(&d->scan);
    amp_stream_rewind(&d->stream);
    d->values_left = d->max_values;
    feed(L, d, "", 0);
    lua_settop(L, 1);
    return 1;
}

/* --- whole texts ----------------------------------------------------------------------------- */

/* The decoder that decode keeps from call to call, or a new one while that is in use. Pushes it. */
static struct decoder *borrow_decoder(lua_State *L)
{
    struct decoder *d = (struct decoder *)lua_touserdata(L, lua_upvalueindex(UP_CACHED));
    if (d && !d->busy) {
        lua_pushvalue(L, lua_upvalueindex(UP_CACHED));
        return d;
    }
    d = new_decoder(L);
    lua_pushvalue(L, -1);
    lua_replace(L, lua_upvalueindex(UP_CACHED));
    return d;
}

/* Part by part: the tables of one are built before the next is scanned, and the tape stays short.
 */
static const char *decode_value(lua_State *L, struct decoder *d, const char *text, const char *end)
{
    struct amp_builder b = start_build(L, d);
    const char *p = text;
    bool more = true;
    b.first = 1;
    if (!amp_scan_start(&d->scan, end, 0))
        return NULL;
    while (more) {
        p = amp_scan_part(&d->scan, p, &more);
        if (!p || !build_guarded(L, d, &b, text))
            return NULL;
    }
    p = amp_skip_space(p);
    return p == end ? p : amp_scan_fail(&d->scan, p, "the end of the text");
}

static int text_error(lua_State *L, struct decoder *d, const char *text)
{
    struct amp_position position = {0, 1, 1};
    amp_position_advance(&position, text, (size_t)(d->scan.error.at ? d->scan.error.at - text : 0));
    return push_error(L, &d->scan, position, text);
}

static int decode_plainly(lua_State *L, struct decoder *d, const char *text, size_t size)
{
    enum { KEPT_LEVELS = 4096 };
    size_t most = d->stream.max_bytes < LARGEST_VALUE ? d->stream.max_bytes : LARGEST_VALUE;
    if (size > most) {
        amp_scan_over(&d->scan, text + most, "more bytes than max_bytes", most);
        return text_error(L, d, text);
    }
    int top = lua_gettop(L);
    if (!decode_value(L, d, text, text + size)) {
        lua_settop(L, top); /* tables that were being built */
        return text_error(L, d, text);
    }
    if (d->scan.open_room > KEPT_LEVELS)
        amp_scan_free(&d->scan);
    return 1;
}

/* Feeds a long text piece by piece, so that it is not held twice. Returns how the reading ended. */
static enum reading read_pieces(lua_State *L, struct decoder *d, const char *text, size_t size,
                                const char **begin)
{
    enum { PIECE = 65536 };
    struct amp_builder b = start_build(L, d);
    int list = b.anchors - 1;
    enum reading reading = READ_MORE;
    for (lua_Integer count = 0; reading == READ_MORE || reading == READ_VALUE;) {
        reading = read_element(d, true, begin);
        if (reading == READ_VALUE) {
            if (!build_guarded(L, d, &b, *begin))
                return READ_FAILED;
            lua_rawseti(L, list, (int)++count);
        } else if (reading == READ_MORE) {
            size_t piece = size < PIECE ? size : (size_t)PIECE;
            feed(L, d, text, piece);
            text += piece;
            size -= piece;
            d->stream.finished = size == 0;
        }
    }
    return reading;
}

/* With a path, a plan or an array demanded: as a stream would, collected. */
static int decode_through_stream(lua_State *L, const char *text, size_t size)
{
    const char *begin = NULL;
    struct decoder *d = new_decoder(L);
    lua_replace(L, 1);
    d->stream.shape =
        amp_choice_option(L, 2, "expect", "array", "any") ? AMP_STREAM_ARRAY : AMP_STREAM_EITHER;
    read_options(L, d, 1, 2, text_limits);
    lua_pushvalue(L, 3); /* the text stays anchored */
    lua_newtable(L);
    if (read_pieces(L, d, text, size, &begin) == READ_FAILED)
        return stream_error(L, d, begin);
    lua_settop(L, 5);
    if (d->stream.is_array) {
        lua_pushvalue(L, lua_upvalueindex(UP_ARRAY_MT));
        lua_setmetatable(L, 5);
    } else {
        lua_rawgeti(L, 5, 1);
    }
    return 1;
}

static bool is_plain_decode(lua_State *L)
{
    static const char *const names[] = {
        "path", "expect", "plan", "max_element_bytes", "max_element_values", NULL};
    for (int i = 0; names[i]; i++)
        if (amp_get_option(L, 2, names[i]))
            return false;
    return true;
}

/* core.decode(text, opts) */
static int l_decode(lua_State *L)
{
    size_t size;
    struct limits limits = text_limits;
    const char *text = (luaL_checktype(L, 1, LUA_TSTRING), lua_tolstring(L, 1, &size));
    lua_settop(L, 2);
    if (!lua_isnil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
        if (!is_plain_decode(L)) {
            lua_settop(L, 2);
            lua_pushvalue(L, 1);
            return decode_through_stream(L, text, size);
        }
    }
    struct decoder *d = borrow_decoder(L);
    d->scan.drop_nulls = d->scan.big_as_text = d->scan.masked = false;
    if (!lua_isnil(L, 2)) {
        read_limits(L, 2, &limits);
        read_scan_options(L, d, 2);
    }
    set_limits(d, &limits);
    return decode_plainly(L, d, text, size);
}

void amp_open_decoder(lua_State *L, int module)
{
    static const luaL_Reg methods[] = {
        {"feed", l_feed},   {"drain", l_drain},     {"read", l_read},   {"finish", l_finish},
        {"next", l_next},   {"collect", l_collect}, {"count", l_count}, {"envelope", l_envelope},
        {"again", l_again}, {"close", l_close},     {NULL, NULL}};
    amp_new_class(L, DECODER, methods, l_collected);
    luaL_getmetatable(L, DECODER);
    lua_pushcfunction(L, l_close);
    lua_setfield(L, -2, "__close");
    lua_pop(L, 1);
    amp_set_function(L, module, "decode", l_decode);
    amp_set_function(L, module, "decoder", l_decoder);
}
