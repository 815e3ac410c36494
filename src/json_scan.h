/*
 * JSON text -> tape. One strict pass over one value (RFC 8259): what is wanted is recorded as a
 * flat array of nodes, what is not is validated all the same. Knows no Lua, recurses on no input.
 */
#ifndef AMP_JSON_SCAN_H
#define AMP_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memory.h"

#ifdef __GNUC__
#pragma GCC visibility push(hidden) /* also where the build gives no flags */
#endif

enum amp_kind {
    AMP_NULL,
    AMP_FALSE,
    AMP_TRUE,
    AMP_INTEGER,
    AMP_DOUBLE,
    AMP_STRING,         /* also a number kept as its text */
    AMP_ESCAPED_STRING, /* `text` still holds escapes */
    AMP_KEY,            /* a member's value follows */
    AMP_ESCAPED_KEY,
    AMP_OBJECT, /* `size` members, then AMP_END */
    AMP_ARRAY,  /* `size` elements, then AMP_END */
    AMP_END,
    AMP_ABSENT, /* in a member's place: the key has no value (any more) */
    AMP_PAUSE   /* the rest follows on another tape */
};

struct amp_node {
    union {
        const char *text;
        int64_t integer;
        double number;
    } as;
    uint32_t size;
    uint32_t kind;
};

enum amp_failure { AMP_FINE, AMP_MALFORMED, AMP_LIMIT, AMP_NO_MEMORY };

/* `at` points into the scanned text. `what` was expected there, or, without `expected`, is what is
 * wrong. */
struct amp_error {
    enum amp_failure failure;
    const char *at;
    const char *what;
    bool expected;
    size_t limit;
};

/* What the builder knows of a table that is being built (lua_build.c). */
struct amp_frame {
    uint32_t index; /* of an array's next element; of an object with a shape, names seen */
    uint32_t start; /* an object's node on this tape; 0: on an earlier one, or an array */
    uint32_t place; /* where it stands, for guesses of shapes */
    uint16_t shape, guess;
};

/* A container around the current value. */
struct amp_level {
    uint32_t node; /* index on the tape * 2 + is-object; index 0: it was on an earlier tape */
    struct amp_frame frame;
};

/* 64 bytes of the text and a bit for each that does not just go on a string. */
struct amp_window {
    uintptr_t base;
    uint64_t bits;
};

struct amp_scan {
    struct amp_memory memory;
    const char *end; /* the text's end: *end is readable and NUL */

    struct amp_node *node; /* the tape */
    size_t used, room;
    struct amp_level *open;
    size_t level, open_room;
    size_t deepest; /* level reached, for the builder's stack */

    size_t max_depth, values, max_values;
    const char *values_what; /* the words for more than max_values ... */
    size_t values_limit;     /* ... and the number in them: the option's, not what is left of it */
    bool drop_nulls;         /* members that are null become AMP_ABSENT */
    bool big_as_text;        /* integers of more than `integer_bits` are kept as text */
    int integer_bits;        /* 53 where every number is a double, else 63 */
    bool masked;             /* error excerpts show no contents */
    struct amp_window window;
    struct amp_error error;
};

void amp_scan_init(struct amp_scan *scan, const struct amp_memory *memory);
void amp_scan_free(struct amp_scan *scan);

/* Forgets the tape and the counters; the next value is at nesting level `level`. Returns false
 * when memory ends. */
bool amp_scan_start(struct amp_scan *scan, const char *end, size_t level);

/*
 * Reads one value at `p` (white space before it is skipped) and appends it to the tape, or only
 * validates it. Returns the byte after the value, or NULL with `error` set.
 */
const char *amp_scan_record(struct amp_scan *scan, const char *p);
const char *amp_scan_skip(struct amp_scan *scan, const char *p);

/* Records as much of a value at level 0 as a short tape holds, so that its tables can be built
 * while they are in the processor's cache. With `*more` it is to be called again, with what it
 * returned. The tape begins at node 1. */
const char *amp_scan_part(struct amp_scan *scan, const char *p, bool *more);

/* The pieces, for callers that walk containers themselves. All return NULL with `error` set, or
 * where to go on. */
const char *amp_scan_key(struct amp_scan *scan, const char *p, struct amp_node *key);
bool amp_scan_enter(struct amp_scan *scan, const char *at, bool is_object, bool record);
bool amp_scan_leave(struct amp_scan *scan, bool record);
bool amp_scan_put(struct amp_scan *scan, struct amp_node node);
void amp_scan_count(struct amp_scan *scan); /* one more value in the innermost container */
const char *amp_scan_fail(struct amp_scan *scan, const char *at, const char *expected);
const char *amp_scan_over(struct amp_scan *scan, const char *at, const char *what, size_t limit);

static inline const char *amp_skip_space(const char *p)
{
    if ((unsigned char)*p <= ' ')
        while (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r')
            p++;
    return p;
}

/* Writes the text of an escaped string (already validated); returns the length, at most `size`. */
size_t amp_unescape(char *out, const char *text, size_t size);

/* Whether a string or key node spells exactly these bytes, or these first. */
bool amp_node_is(const struct amp_node *node, const char *text, size_t size);
bool amp_node_begins(const struct amp_node *node, const char *text, size_t size);

/* The first byte in [p, end) that is a quote, a backslash, a control or not ASCII; else `end`. */
const char *amp_scan_plain(const char *p, const char *end);

/* The byte after one well-formed UTF-8 sequence of two to four bytes, or NULL. Stops at a NUL. */
const char *amp_scan_utf8(const char *p);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#endif
