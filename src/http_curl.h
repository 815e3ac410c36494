/* libcurl, as old as it may be, and what the system's headers are asked for. */
#ifndef AMP_HTTP_CURL_H
#define AMP_HTTP_CURL_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* epoll, timerfd, strdup and clocks under -std=c99 */
#endif

#include "clock.h"

#include <curl/curl.h>

#if LIBCURL_VERSION_NUM < 0x075000
#error "libcurl 7.80 or newer is needed: older ones cannot be kept from sending a POST twice"
#endif

static inline double amp_now(void)
{
    return amp_seconds(CLOCK_MONOTONIC);
}

#endif
