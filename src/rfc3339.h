/*
 * Times as the API writes them (RFC 3339), read without the machine's time zone or locale. No
 * memory, no Lua.
 */
#ifndef AMP_RFC3339_H
#define AMP_RFC3339_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __GNUC__
#pragma GCC visibility push(hidden) /* also where the build gives no flags */
#endif

/* Seconds since 1970-01-01T00:00:00Z, negative before, and nanoseconds after that second. */
struct amp_instant {
    int64_t seconds;
    int32_t nanoseconds;
};

/*
 * Reads "2023-07-13T21:34:44.816Z" or, when `or_date`, "2023-07-13", its midnight in UTC. The years
 * are 0000 to 9999; of a fraction nine digits count. 23:59:60 UTC at the end of a month, where leap
 * seconds are inserted, is the first second of the next day; any other :60 does not exist.
 * Returns NULL, or what is wrong in words that need no freeing.
 */
const char *amp_rfc3339_read(struct amp_instant *instant, const char *text, size_t size,
                             bool or_date);

/* Orders two instants: negative, 0 or positive. */
int amp_instant_compare(const struct amp_instant *a, const struct amp_instant *b);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#endif
