/*
 * Chunks in, complete JSON values out: buffers the bytes of the value that is arriving, finds the
 * array at a path and its elements, keeps count of lines. Knows no Lua.
 */
#ifndef AMP_JSON_STREAM_H
#define AMP_JSON_STREAM_H

#include "json_scan.h"
#include "json_split.h"

#ifdef __GNUC__
#pragma GCC visibility push(hidden) /* also where the build gives no flags */
#endif

enum amp_stream_status { AMP_STREAM_MORE, AMP_STREAM_VALUE, AMP_STREAM_END, AMP_STREAM_FAILED };

/* What is given of the value at the path: the elements, for it must be an array; all; elements if
 * any. */
enum amp_stream_shape { AMP_STREAM_ARRAY, AMP_STREAM_WHOLE, AMP_STREAM_EITHER };

struct amp_path_key {
    const char *text;
    size_t size;
};

/* Where a byte of the input is. */
struct amp_position {
    size_t offset;       /* bytes before it */
    size_t line, column; /* from 1; columns in bytes */
};

struct amp_stream {
    struct amp_memory memory;
    struct amp_scan *scan; /* the limits, and errors; checks what is not an element */
    char *text;            /* the bytes not yet consumed, then a NUL */
    size_t start, used, room;
    struct amp_position origin; /* of text[0] */
    size_t max_bytes, max_value_bytes;
    bool overflow; /* bytes beyond max_bytes were refused */
    bool finished; /* no more input will come */

    const struct amp_path_key *path;
    size_t path_length, path_level; /* keys in all, keys whose value we are in */
    bool on_path;                   /* the name just read is the path's next key */
    enum amp_stream_shape shape;
    bool has_mark; /* a byte order mark may stand before the first value */
    bool many;     /* values follow each other, with white space or nothing between (no path) */
    bool is_array; /* elements are given (known from the value's first byte on) */
    bool found;    /* the path was found */
    int state;
    struct amp_split split;
    size_t begin;    /* of the value that is arriving */
    size_t searched; /* bytes of it that the splitter has seen */
    bool arriving;
    bool unsure; /* the value was given without a look for its end */

    char *envelope; /* the text around the value at the path */
    size_t envelope_used, envelope_room;
    int members; /* of the envelope's innermost object so far */
};

void amp_stream_init(struct amp_stream *stream, const struct amp_memory *memory,
                     struct amp_scan *scan);
void amp_stream_free(struct amp_stream *stream);

/* Ready for another text, with the same options and memory. */
void amp_stream_rewind(struct amp_stream *stream);

/* To be called once at least, if with nothing. Returns false when memory ends. Bytes beyond
 * max_bytes are dropped and remembered. */
bool amp_stream_feed(struct amp_stream *stream, const char *bytes, size_t size);

/* The same in two steps: where to put at most `size` bytes (NULL when memory ends), and how many
 * were put there. */
char *amp_stream_reserve(struct amp_stream *stream, size_t size);
void amp_stream_add(struct amp_stream *stream, size_t size);

/*
 * The next complete value, to be scanned before the next call. On AMP_STREAM_FAILED the
 * scan's error says why.
 */
enum amp_stream_status amp_stream_next(struct amp_stream *stream, const char **value);

/* To be asked when the scan has failed: true when the value may not have arrived as a whole. Then
 * the next value is this one again, once it has. */
bool amp_stream_doubt(struct amp_stream *stream);

/* `end` is where the scanner left the value that amp_stream_next gave. Returns false, with an
 * error, when bytes are left. */
bool amp_stream_taken(struct amp_stream *stream, const char *end);

/* Where `at` (a byte of the buffer) is in the input. */
struct amp_position amp_stream_position(const struct amp_stream *stream, const char *at);

/* Whether everything has been read and no more will come. */
bool amp_stream_is_over(const struct amp_stream *stream);

/* The level at which the stream's values are nested. */
size_t amp_stream_level(const struct amp_stream *stream);

/* Moves a position over `size` bytes. */
void amp_position_advance(struct amp_position *position, const char *bytes, size_t size);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#endif
