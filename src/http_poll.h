/*
 * Waiting for libcurl's sockets and timers. One backend is compiled: http_poll_epoll.c on Linux,
 * else http_poll_multi.c (also with AMP_NO_EPOLL). Knows neither engine nor transfers.
 */
#ifndef AMP_HTTP_POLL_H
#define AMP_HTTP_POLL_H

#include "http_curl.h"

#include <stdbool.h>

#if defined(__linux__) && !defined(AMP_NO_EPOLL)
#define AMP_EPOLL 1
#include <sys/epoll.h>
enum { AMP_MAX_EVENTS = 64 }; /* taken at once */
#endif

struct amp_poll {
    CURLM *multi;
    double due; /* when libcurl wants to be called; 0: never */
#ifdef AMP_EPOLL
    struct epoll_event events[AMP_MAX_EVENTS];
    int event_count;  /* taken by a wait, not handled yet */
    size_t sockets;   /* that libcurl waits for */
    int epoll, timer; /* -1: closed */
    double armed;     /* when the timer goes off; 0: not at all */
    bool watched;     /* somebody polls from outside, so the timer must be right */
#endif
};

#pragma GCC visibility push(hidden) /* also where the build gives no flags */

/* False when descriptors run out. To be closed in either case. */
bool amp_poll_open(struct amp_poll *poll, CURLM *multi);
void amp_poll_close(struct amp_poll *poll);

/* Waits until a socket is ready or the time is over; -1: no bound. */
void amp_poll_wait(struct amp_poll *poll, int milliseconds);

/* Lets libcurl do what it can without waiting. */
CURLMcode amp_poll_perform(struct amp_poll *poll);

/* Whether a socket is ready, or that cannot be known. */
bool amp_poll_has_events(struct amp_poll *poll);

/* A descriptor that is readable when there is something to do; -1: none. */
int amp_poll_descriptor(struct amp_poll *poll);

/* Makes that descriptor readable at the time `due`, if not earlier; 0: never. */
void amp_poll_arm(struct amp_poll *poll, double due);

#pragma GCC visibility pop

#endif
