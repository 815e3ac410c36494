/* The clocks, in seconds. Include it first: it asks the system's headers for them. */
#ifndef AMP_CLOCK_H
#define AMP_CLOCK_H

#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include <time.h>

/* CLOCK_MONOTONIC never jumps and has no epoch; CLOCK_REALTIME counts from 1970. */
static inline double amp_seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

#endif
