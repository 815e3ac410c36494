/*
 * Finds where a JSON value ends in bytes that arrive in chunks, by counting brackets outside of
 * strings. It checks nothing: the scanner does, once the value is complete. Knows no Lua.
 */
#ifndef AMP_JSON_SPLIT_H
#define AMP_JSON_SPLIT_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __GNUC__
#pragma GCC visibility push(hidden) /* also where the build gives no flags */
#endif

struct amp_split {
    bool scalar;    /* the value is neither a string nor a container */
    bool in_string; /* the next byte is inside of a string ... */
    bool escaped;   /* ... and follows a backslash */
    size_t depth;
};

/* A new value begins with `first`. */
void amp_split_start(struct amp_split *split, char first);

/*
 * Goes on with the value's bytes [p, end). Returns the byte after the value's last one, or after
 * the first that nests deeper than `most`; NULL when that is not among them: then the next call
 * brings the bytes that follow. (A scalar ends before the first byte that cannot belong to it, so
 * it is never complete at `end`.)
 */
const char *amp_split_find(struct amp_split *split, const char *p, const char *end, size_t most);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#endif
